//! `keybearer stdio [NAME]`: a pipe between a client and the core. It holds no secret and judges no message.
//!
//! Clients start it anew all the time and wait for it: no runtime, no argument parser, two threads, plain copies. It
//! outlives the core: it remembers the handshake and which requests are open, and never sends a call twice.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use keybearer_model::name::ServerName;
use keybearer_os::footprint::Waiting;

use self::reach::{Reach, Unreached};
use self::relay::Relay;
use crate::ask;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};

mod connection;
mod lines;
mod reach;
mod relay;

/// What a client that names no server is connected to, as it is called in what the client is told.
const OWN: &str = "keybearer";

/// What a plain `stdio` or `stdio NAME` asks for; everything else is for the argument parser.
pub(crate) fn wanted(mut arguments: impl Iterator<Item = OsString>) -> Option<Option<ServerName>> {
    if arguments.next()? != "stdio" {
        return None;
    }
    let Some(name) = arguments.next() else { return Some(None) };
    let name = name.to_str()?.parse().ok()?;
    arguments.next().is_none().then_some(Some(name))
}

/// Connects standard input and output to the core, and to the cores that follow it, until the client ends.
pub(crate) fn run(server: Option<ServerName>) -> Exit {
    match connect(server) {
        Ok(never) => never,
        Err(failure) => {
            out::failure(Format::Text, &failure);
            // Whatever the reason: a client sees that there is no connection.
            if failure.exit == Exit::BrokenConfig { failure.exit } else { Exit::NoCore }
        }
    }
}

fn connect(server: Option<ServerName>) -> Result<Exit, Failure> {
    let called = server.clone().or_else(|| OWN.parse().ok()).ok_or_else(Failure::unexpected_answer)?;
    let reach = Reach::new(ask::folders()?, server);
    let opened = match reach.bridge() {
        Ok(opened) => Some(opened),
        // The client is told when it asks something.
        Err(Unreached::TurnedOff | Unreached::Ending) => None,
        Err(Unreached::Refused(failure) | Unreached::Failed(failure)) => return Err(failure),
    };
    let relay = Relay::new(reach, called, io::stdout());
    let reading = Arc::clone(&relay);
    std::thread::spawn(move || reading.serve(opened));
    // A person has one bridge for each client and server, and nearly all of them wait.
    relay.hear_client(Waiting(io::stdin().lock()));
    // The process ends when the client has heard all that it asked for.
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<String> {
        let server = wanted(line.split_whitespace().map(OsString::from))?;
        Some(server.map_or_else(|| "own".to_owned(), String::from))
    }

    #[test]
    fn only_the_plain_forms_take_the_short_way() {
        assert_eq!(asked("stdio crm").as_deref(), Some("crm"));
        assert_eq!(asked("stdio").as_deref(), Some("own"));
        for other in ["", "stdio --help", "stdio CRM", "stdio crm --json", "status", "--json stdio crm"] {
            assert_eq!(asked(other), None, "{other}");
        }
    }
}
