//! Tries a connection as the client will: what to do is read from the client's own file, then done.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use keybearer_control::connect::{Connected, Wish};
use keybearer_control::snapshot::ContainerDoor;
use keybearer_core::connect::catalog::{self, Known, Way};
use keybearer_core::connect::edit;
use keybearer_core::connect::read_back::{Recipe, recipe};
use keybearer_os::local::{self, Name};
use serde::Serialize;
use serde_json::Value;

use super::web::Web;
use crate::ask::{self, Core};
use crate::failure::Failure;
use crate::session::Session;

/// The longest that a client waits for its first answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// How one entry went.
#[derive(Debug, Serialize)]
pub(crate) struct Trial {
    /// Which server; absent for Keybearer's own.
    pub(crate) server: Option<String>,
    /// How many tools it lists.
    pub(crate) tools: usize,
    /// The only tool, if that is the one to sign in with.
    pub(crate) sign_in: bool,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// Tries every entry, one after the other.
pub(super) fn all(connected: &Connected, wish: &Wish) -> Vec<Trial> {
    let servers: Vec<Option<String>> = match connected.servers.is_empty() {
        true => vec![None],
        false => connected.servers.iter().cloned().map(Some).collect(),
    };
    servers.into_iter().map(|server| one(connected, wish, server)).collect()
}

fn one(connected: &Connected, wish: &Wish, server: Option<String>) -> Trial {
    let trial = |server, tools: usize, sign_in, error| Trial { server, tools, sign_in, error };
    let Some((recipe, door)) = read(connected, wish, server.as_deref()) else {
        return trial(server, 0, false, Some("the entry is not in the client's file".to_owned()));
    };
    match within(PATIENCE, recipe, door) {
        Ok(tools) => {
            let sign_in = tools.len() == 1 && tools[0].get("name").and_then(Value::as_str) == Some("sign_in");
            trial(server, tools.len(), sign_in, None)
        }
        Err(error) => trial(server, 0, false, Some(error)),
    }
}

/// What the client will do, by what stands in its files now.
fn read(connected: &Connected, wish: &Wish, server: Option<&str>) -> Option<(Recipe, Door)> {
    let known = catalog::known().ok()?.into_iter().find(|known| known.id == connected.client)?;
    let fits = |way: &&Way| {
        way.transport.as_str() == connected.transport && (way.placement.is_none() || way.placement == wish.placement)
    };
    let way = known.ways.iter().find(fits)?;
    let paths = paths(&known, connected);
    let recipe = recipe(way, server, |file| {
        let text = std::fs::read_to_string(paths.get(file)?).ok()?;
        edit::read(known.file(file)?.format, &text).ok()
    })?;
    Some((recipe, if way.container_door { Door::Container } else { Door::Loopback }))
}

/// Which door stands behind the name by which a container calls this machine.
#[derive(Clone, Copy, Debug)]
enum Door {
    Loopback,
    Container,
}

impl Door {
    /// Where it is, if that is not what the client's URL says.
    fn address(self) -> Result<Option<String>, Failure> {
        match self {
            Self::Loopback => Ok(None),
            Self::Container => match Core::running()?.status()?.container_door {
                ContainerDoor::Open { address } => Ok(Some(address.trim_start_matches("http://").to_owned())),
                ContainerDoor::Closed | ContainerDoor::Blocked { .. } => Err(internal("the container door is closed")),
            },
        }
    }
}

/// The written files by what the catalogue calls them: by their names, else in their order.
fn paths<'a>(known: &'a Known, connected: &Connected) -> BTreeMap<&'a str, PathBuf> {
    let mut paths = BTreeMap::new();
    for (index, written) in connected.files.iter().enumerate() {
        let path = PathBuf::from(&written.path);
        let named = known.files.iter().find(|file| path.file_name() == Path::new(&file.name).file_name());
        if let Some(file) = named.or_else(|| known.files.get(index)) {
            paths.insert(file.id.as_str(), path);
        }
    }
    paths
}

fn within(patience: Duration, recipe: Recipe, door: Door) -> Result<Vec<Value>, String> {
    let (told, tools) = mpsc::channel();
    let (started, child) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = told.send(tools_by(recipe, door, &started).map_err(|failure| words(&failure)));
    });
    let tools = tools.recv_timeout(patience).unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
    if let Ok(child) = child.try_recv() {
        let mut child: Child = child;
        // It ends with its input, too; a client would not wait either.
        let _ = child.kill();
        let _ = child.wait();
    }
    tools
}

fn tools_by(recipe: Recipe, door: Door, started: &mpsc::Sender<Child>) -> Result<Vec<Value>, Failure> {
    match recipe {
        Recipe::Stdio { program, arguments, environment } => {
            #[expect(clippy::disallowed_methods, reason = "the entry that was written is started as its client will")]
            let mut command = Command::new(&program);
            command.args(arguments).envs(environment).stderr(Stdio::null());
            let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
            let mut child = spawned.map_err(|cause| internal(&format!("`{program}` does not start: {cause}")))?;
            let pipes = (child.stdin.take(), child.stdout.take());
            let _ = started.send(child);
            let (Some(input), Some(output)) = pipes else { return Err(internal("it has no pipes")) };
            Session::over(BufReader::new(output), input)?.tools()
        }
        Recipe::Http { url, authorization } => Web::over_tcp(&url, authorization, door.address()?)?.tools(),
        Recipe::Socket { path } => {
            let folders = ask::folders()?;
            let open =
                move || local::connect_blocking(&folders, Name::Http).map_err(|error| internal(&error.to_string()));
            Web::over(open, "localhost", &path, None).tools()
        }
    }
}

pub(super) fn internal(message: &str) -> Failure {
    Failure::new(keybearer_control::error::Code::Unreachable, message)
}

fn words(failure: &Failure) -> String {
    failure.errors.first().map_or_else(String::new, |error| error.message.trim_end_matches('.').to_owned())
}
