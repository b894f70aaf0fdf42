//! `keybearer stdio NAME`: a pipe between a client and the core. It holds no secret and understands no message.
//!
//! Clients start it anew all the time and wait for it: no runtime, no argument parser, two threads, plain copies.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keybearer_control::bridge::{Hello, VERSION, Welcome};
use keybearer_control::error::Code;
use keybearer_model::name::ServerName;
use keybearer_os::local::{Ending, Reader, Writer};

use crate::ask;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};

const BUFFER: usize = 64 * 1024;

/// How long answers may still come after the client's end, where the core cannot be told of it.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// The server's name, if the command line is a plain `stdio NAME`; everything else is for the argument parser.
pub(crate) fn wanted(mut arguments: impl Iterator<Item = OsString>) -> Option<ServerName> {
    let (command, name) = (arguments.next()?, arguments.next()?);
    let plain = command == "stdio" && arguments.next().is_none();
    plain.then(|| name.to_str()?.parse().ok()).flatten()
}

/// Connects standard input and output to the core until one of them ends.
pub(crate) fn run(server: &ServerName) -> Exit {
    match ask::bridge().and_then(|stream| {
        let (reader, writer) = stream.split();
        shake_hands(reader, writer, server)
    }) {
        Ok((core, writer)) => relay(core, writer),
        Err(failure) => {
            out::failure(Format::Text, &failure);
            // Whatever the reason: a client sees that there is no connection.
            if failure.exit == Exit::BrokenConfig { failure.exit } else { Exit::NoCore }
        }
    }
}

fn shake_hands(
    reader: Reader,
    mut writer: Writer,
    server: &ServerName,
) -> Result<(BufReader<Reader>, Writer), Failure> {
    let hung_up = |_| Failure::new(Code::NoCore, "the core hung up before it said welcome");
    let hello = Hello { keybearer: VERSION, server: Some(server.to_string()) };
    let mut line = serde_json::to_vec(&hello).map_err(|_| Failure::unexpected_answer())?;
    line.push(b'\n');
    writer.write_all(&line).and_then(|()| writer.flush()).map_err(hung_up)?;
    let mut core = BufReader::with_capacity(BUFFER, reader);
    line.clear();
    core.by_ref().take(BUFFER as u64).read_until(b'\n', &mut line).map_err(hung_up)?;
    match serde_json::from_slice(&line) {
        Ok(Welcome::Ready) => Ok((core, writer)),
        Ok(Welcome::Refused { error }) => Err(error.into()),
        Err(_) if line.is_empty() => Err(hung_up(io::ErrorKind::UnexpectedEof.into())),
        Err(_) => Err(Failure::unexpected_answer()),
    }
}

fn relay(mut core: BufReader<Reader>, mut writer: Writer) -> Exit {
    let client_ended = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&client_ended);
    // The thread is not joined: when the core hangs up, the process ends, whatever the client does.
    std::thread::spawn(move || {
        // Both ways of ending, the client's and the connection's, leave nothing more to send.
        let _ = copy(&mut io::stdin().lock(), &mut writer);
        ended.store(true, Ordering::Release);
        if !matches!(writer.finish(), Ok(Ending::Heard)) {
            // The core cannot be told, so it would wait for ever: what it still answers has this long.
            std::thread::sleep(LAST_ANSWERS);
            std::process::exit(Exit::Ok.number().into());
        }
    });
    // What came behind the welcome line is in the buffer; `copy` reads through it.
    match copy(&mut core, &mut io::stdout().lock()) {
        Ok(()) if client_ended.load(Ordering::Acquire) => Exit::Ok,
        Ok(()) => {
            out::note("error: the core hung up");
            Exit::NoCore
        }
        Err(Broken::Reading(cause)) => {
            out::note(&format!("error: the connection to the core broke: {cause}"));
            Exit::NoCore
        }
        // Nobody reads any more: the client is gone.
        Err(Broken::Writing) => Exit::Ok,
    }
}

/// Which side a copy broke at.
enum Broken {
    Reading(io::Error),
    Writing,
}

/// Copies until the end, each piece as soon as it is there.
fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), Broken> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Reading(error)),
        };
        let piece = buffer.get(..count).unwrap_or_default();
        to.write_all(piece).and_then(|()| to.flush()).map_err(|_| Broken::Writing)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(line: &str) -> Option<String> {
        wanted(line.split_whitespace().map(OsString::from)).map(String::from)
    }

    #[test]
    fn only_the_plain_form_takes_the_short_way() {
        assert_eq!(server("stdio crm").as_deref(), Some("crm"));
        for other in ["", "stdio", "stdio --help", "stdio CRM", "stdio crm --json", "status", "--json stdio crm"] {
            assert_eq!(server(other), None, "{other}");
        }
    }

    #[test]
    fn pieces_pass_unchanged_and_at_once() {
        let message = "x".repeat(3 * BUFFER + 7).into_bytes();
        let mut copied = Vec::new();
        assert!(copy(&mut message.as_slice(), &mut copied).is_ok());
        assert!(copied == message);
    }
}
