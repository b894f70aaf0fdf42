//! `service`: lets the session's service manager start the core.

use std::path::PathBuf;

use keybearer_control::error::{Code, Error};
use keybearer_os::own_file;
use keybearer_os::supervisor::{State, Supervisor, SupervisorError};
use serde_json::json;

use crate::args::Supervision;
use crate::ask;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};

/// Does what `service …` says.
pub(super) fn run(command: &Supervision, format: Format) -> Result<Exit, Failure> {
    match command {
        Supervision::Install => install(format),
        Supervision::Uninstall => uninstall(format),
        Supervision::Status => status(format),
    }
}

fn install(format: Format) -> Result<Exit, Failure> {
    let folders = ask::folders()?;
    let supervisor = Supervisor::of_this_system(&folders);
    if supervisor == Supervisor::None {
        return Err(refused(&SupervisorError::None));
    }
    let executable = own_file::path()
        .map_err(|cause| Failure::new(Code::Internal, format!("the path of this program is not known ({cause})")))?;
    folders.prepare().map_err(|error| Error::new(Code::Internal, error.to_string()).hint(error.hint()))?;
    // The service manager takes the place of a core that it did not start; clients wait for the next one.
    if !matches!(supervisor.state(), State::Running | State::Waiting) {
        ask::end(&folders)?;
    }
    let written = supervisor.install(&executable, &folders).map_err(|error| refused(&error))?;
    let name = supervisor.name();
    out::result(format, &json!({ "supervisor": name, "installed": true, "files": written }), || {
        format!("✓ {name} starts Keybearer when it is needed.\n{}", list("Written", &written))
    });
    Ok(Exit::Ok)
}

fn uninstall(format: Format) -> Result<Exit, Failure> {
    let supervisor = Supervisor::of_this_system(&ask::folders()?);
    let removed = supervisor.uninstall().map_err(|error| refused(&error))?;
    let name = supervisor.name();
    out::result(format, &json!({ "supervisor": name, "installed": supervisor.installed(), "files": removed }), || {
        if removed.is_empty() && supervisor.told_by_package() {
            return format!(
                "{name} starts Keybearer for everybody on this machine, as its package says.\n`systemctl --user mask \
                 keybearer.service keybearer-bridge.socket keybearer-control.socket keybearer-http.socket` keeps it from \
                 doing so for you.\n"
            );
        }
        if removed.is_empty() {
            return format!("{name} was not told to start Keybearer.\n");
        }
        format!("✓ {name} does not start Keybearer any more.\n{}", list("Removed", &removed))
    });
    Ok(Exit::Ok)
}

fn status(format: Format) -> Result<Exit, Failure> {
    let supervisor = Supervisor::of_this_system(&ask::folders()?);
    let (name, state) = (supervisor.name(), supervisor.state());
    let (word, sentence) = match state {
        State::NotInstalled => ("not_installed", "No service manager was told to start Keybearer."),
        State::Running => ("running", "Keybearer runs."),
        State::Waiting => ("waiting", "Keybearer is started when it is needed."),
        State::Failed => ("failed", "Keybearer was started and has failed."),
        State::Resting => ("resting", "Keybearer is not started: it is turned off."),
    };
    let told = json!({ "supervisor": name, "installed": state != State::NotInstalled, "state": word });
    out::result(format, &told, || format!("{sentence}\nService manager: {name}\n"));
    Ok(Exit::Ok)
}

fn list(what: &str, files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("{what}: {}\n", file.display())).collect()
}

fn refused(error: &SupervisorError) -> Failure {
    let hint = match error {
        SupervisorError::None => {
            "nothing is needed: the core starts by itself when a client needs it. KEYBEARER_HOME must not be set, and \
             on Linux the user manager of systemd must run, as it does in a desktop session"
        }
        SupervisorError::Path(_) => "install Keybearer, or keep its state, in a folder with a plain name",
        SupervisorError::File { .. } => "check the permissions of the folder",
        SupervisorError::NotRun { .. } | SupervisorError::Refused { .. } => {
            "nothing was kept: the core starts by itself when a client needs it"
        }
    };
    Failure::new(Code::Internal, error.to_string()).hint(hint)
}
