//! What each command does.

mod audit;
mod client_metadata;
mod clients;
pub(crate) mod connect;
mod doctor;
mod generate;
mod life;
mod permissions;
mod remove;
mod servers;
mod sign_in;
mod supervise;
mod tools;

use keybearer_core::ports::Clock as _;
use keybearer_model::time::Timestamp;
use keybearer_platform::clock::SystemClock;

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::Format;
use crate::serve;
use crate::take_over::Wish;

/// Does what the command line says.
pub(crate) fn run(command: Command, format: Format) -> Result<Exit, Failure> {
    match command {
        Command::Serve { replace } => serve::run(Wish::from_flag(replace), format),
        Command::Start => life::start(format),
        Command::Stop { until_needed: false, anyway } => life::stop(format, anyway),
        Command::Stop { until_needed: true, anyway: _ } => life::end(format),
        Command::Stdio { server } => Ok(crate::bridge::run(server)),
        Command::Status => life::status(format),
        Command::Login { server, no_browser, device } => {
            sign_in::login(&server, sign_in::Page::from_flags(no_browser, device), format)
        }
        Command::Logout { server } => sign_in::logout(&server, format),
        Command::Doctor { target } => doctor::run(target, format),
        Command::Servers(command) => servers::run(command, format),
        Command::Clients(command) => clients::run(command, format),
        Command::Permissions(command) => permissions::run(&command, format),
        Command::Connect(wanted) => connect::connect(&wanted, format),
        Command::Disconnect { client } => connect::disconnect(&client, format),
        Command::Tools { server } => tools::list(&server, format),
        Command::Call { server, tool, arguments } => tools::call(&server, &tool, &arguments, format),
        Command::Audit(command) => audit::run(&command, format),
        Command::Service(command) => supervise::run(&command, format),
        Command::RemoveMyData(wanted) => remove::run(&wanted, format),
        Command::ClientMetadata { url } => client_metadata::print(url.as_deref()),
        Command::Completions { shell } => Ok(generate::completions(shell)),
        Command::Man { dir } => generate::man(&dir, format),
    }
}

impl Args {
    /// What a result is printed as.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

/// The time of day, for saying how long ago something was.
fn now() -> Timestamp {
    SystemClock.now()
}
