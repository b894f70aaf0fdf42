//! `doctor`: why does signing in not work?

use keybearer_control::doctor::Severity;
use keybearer_control::wire::{Reply, Request};

use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

/// Has the core look at a server, and tells what it found.
pub(super) fn run(target: String, format: Format) -> Result<Exit, Failure> {
    let reply = Core::started()?.ask(&Request::Doctor { target })?;
    let Reply::Diagnosis { diagnosis } = reply else { return Err(Failure::unexpected_answer()) };
    out::result(format, &diagnosis, || show::doctor::diagnosis(&diagnosis));
    Ok(if diagnosis.count(Severity::Problem) > 0 { Exit::Ailing } else { Exit::Ok })
}
