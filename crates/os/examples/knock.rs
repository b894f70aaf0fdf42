//! Connects to the core's bridge socket like a bridge does: `knock stay` waits until it is hung up on, `knock leave`
//! ends at once. For the tests of peer identity, which need real processes.

use std::io::Read as _;
use std::process::ExitCode;

use keybearer_os::folders::Folders;
use keybearer_os::local::{Name, connect_blocking};

fn main() -> ExitCode {
    let stay = std::env::args().nth(1).as_deref() == Some("stay");
    let connection = Folders::from_env().ok().and_then(|folders| connect_blocking(&folders, Name::Bridge).ok());
    match connection {
        Some(mut stream) if stay => ExitCode::from(u8::from(stream.read(&mut [0]).is_err())),
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}
