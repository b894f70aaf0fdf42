//! `remove-my-data`: what a person does before the program itself is removed, or a machine is given away.

use std::io::{BufRead as _, IsTerminal as _};

use keybearer_control::connect::{Disconnected, KnownClient};
use keybearer_control::error::{Code, Error};
use keybearer_control::wire::{Reply, Request, SignInEnd};
use keybearer_os::folders::Folders;
use keybearer_os::supervisor::Supervisor;
use keybearer_os::switch;
use keybearer_os::traces::{self, Kind, Trace};
use serde_json::json;

use crate::args::{Keep, Removal};
use crate::ask::{self, Core};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show::removal;

/// Shows what there is, asks, and removes it.
pub(super) fn run(wanted: &Removal, format: Format) -> Result<Exit, Failure> {
    let folders = ask::folders()?;
    let stays: Vec<Kind> = wanted.keep.iter().map(|keep| kind(*keep)).collect();
    if traces::of(&folders).iter().all(|trace| is_kept(trace, &stays)) {
        out::result(format, &json!({ "removed": [] }), || "There is nothing of yours to remove.\n".to_owned());
        return Ok(Exit::Ok);
    }
    // Only a core can end sign-ins and give apps their files back; one that is turned off is so again afterwards.
    let was_off = switch::is_off(&folders);
    let decided = ask::turn_on(&folders).and_then(|_| Core::running()).and_then(|core| {
        let apps = connected(&core)?;
        let wish = is_wanted(wanted, &core, &apps, &folders, &stays, format)?;
        Ok((core, apps, wish))
    });
    match decided {
        Ok((core, apps, Wish::Remove)) => remove(&core, &apps, &folders, &stays, format),
        not_now => {
            if was_off {
                ask::turn_off(&folders)?;
            }
            match not_now?.2 {
                Wish::Look => Ok(Exit::Ok),
                Wish::Leave | Wish::Remove => Ok(Exit::NotAllowed),
            }
        }
    }
}

/// What the person wants after having seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Look,
    Leave,
    Remove,
}

fn is_wanted(
    wanted: &Removal,
    core: &Core,
    apps: &[KnownClient],
    folders: &Folders,
    stays: &[Kind],
    format: Format,
) -> Result<Wish, Failure> {
    if wanted.yes && !wanted.dry_run {
        return Ok(Wish::Remove);
    }
    if !wanted.dry_run && (format == Format::Json || !std::io::stdin().is_terminal()) {
        return Err(Failure::new(Code::BadRequest, "there is nobody here to ask")
            .hint("look at it with `--dry-run`, then say `--yes`"));
    }
    let servers = core.status()?.servers;
    let (goes, kept): (Vec<Trace>, Vec<Trace>) =
        traces::of(folders).into_iter().partition(|trace| !is_kept(trace, stays));
    let told = json!({
        "apps": apps.iter().map(|app| &app.id).collect::<Vec<_>>(),
        "servers": servers.iter().map(|server| &server.name).collect::<Vec<_>>(),
        "removes": paths(&goes),
        "keeps": paths(&kept),
    });
    out::result(format, &told, || removal::preview(apps, &servers, &goes, &kept));
    if wanted.dry_run {
        return Ok(Wish::Look);
    }
    out::print("\nRemove all this? [y/N] ");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(Wish::Remove);
    }
    out::note("Nothing was removed.");
    Ok(Wish::Leave)
}

fn connected(core: &Core) -> Result<Vec<KnownClient>, Failure> {
    let Reply::KnownClients { clients } = core.ask(&Request::KnownClients)? else {
        return Err(Failure::unexpected_answer());
    };
    Ok(clients.into_iter().filter(|client| client.connection.is_some()).collect())
}

/// In this order: what breaks off leaves everything that the next try needs.
fn remove(
    core: &Core,
    apps: &[KnownClient],
    folders: &Folders,
    stays: &[Kind],
    format: Format,
) -> Result<Exit, Failure> {
    let disconnected = apps.iter().map(|app| disconnect(core, &app.id)).collect::<Result<Vec<_>, _>>()?;
    let ends = leave(core)?;
    let supervisor = Supervisor::of_this_system(folders);
    if supervisor != Supervisor::None {
        supervisor.uninstall().map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    }
    ask::turn_off(folders)?;
    let before = traces::of(folders);
    traces::remove(folders, stays).map_err(|(path, cause)| {
        Error::new(Code::NotSaved, format!("`{}` cannot be removed: {cause}", path.display()))
            .hint("the sign-ins are ended; run the command again, or remove it by hand")
    })?;
    let kept = traces::of(folders);
    let gone: Vec<Trace> = before.into_iter().filter(|trace| !kept.contains(trace)).collect();
    let told = json!({
        "disconnected": disconnected,
        "signed_out": ends,
        "removed": paths(&gone),
        "kept": paths(&kept),
    });
    out::result(format, &told, || removal::done(&disconnected, &ends, &gone, &kept));
    Ok(Exit::Ok)
}

fn disconnect(core: &Core, client: &str) -> Result<Disconnected, Failure> {
    let Reply::Disconnected { disconnected } = core.ask(&Request::Disconnect { client: client.to_owned() })? else {
        return Err(Failure::unexpected_answer());
    };
    Ok(disconnected)
}

fn leave(core: &Core) -> Result<Vec<SignInEnd>, Failure> {
    let Reply::LeftForGood { ends } = core.ask(&Request::LeaveForGood)? else {
        return Err(Failure::unexpected_answer());
    };
    Ok(ends)
}

fn kind(keep: Keep) -> Kind {
    match keep {
        Keep::Settings => Kind::Settings,
        Keep::Audit => Kind::Audit,
    }
}

fn is_kept(trace: &Trace, stays: &[Kind]) -> bool {
    stays.contains(&trace.kind)
}

fn paths(traces: &[Trace]) -> Vec<String> {
    traces.iter().map(|trace| trace.path.to_string_lossy().into_owned()).collect()
}
