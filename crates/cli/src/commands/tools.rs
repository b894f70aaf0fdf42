//! `tools` and `call`: the command line as a client like any other.

use std::io::{BufReader, Read as _};

use keybearer_control::error::Code;
use keybearer_model::name::ServerName;
use keybearer_os::local::{Reader, Writer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ask;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::session::Session;
use crate::show;
use crate::waiting::{Waiting, waiting_for};

/// Lists a server's tools.
pub(super) fn list(server: &ServerName, format: Format) -> Result<Exit, Failure> {
    let waiting = wait(server);
    let tools = open(server)?.tools()?;
    drop(waiting);
    out::result(format, &tools, || show::tools::list(&tools));
    Ok(Exit::Ok)
}

/// Calls a tool and shows what it answers.
pub(super) fn call(server: &ServerName, tool: &str, arguments: &str, format: Format) -> Result<Exit, Failure> {
    let arguments = object(&written(arguments)?)?;
    let waiting = wait(server);
    let raw = open(server)?.call(tool, &arguments)?;
    drop(waiting);
    let result: Value = serde_json::from_str(raw.get()).map_err(|_| Failure::unexpected_answer())?;
    let failed = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
    match format {
        Format::Json => out::bytes(format!("{}\n", raw.get()).as_bytes()),
        Format::Text => {
            out::print(&show::tools::result(&result));
            if failed {
                out::note(&format!("error: `{tool}` says that it failed"));
            }
        }
    }
    Ok(if failed { Exit::ToolFailed } else { Exit::Ok })
}

fn open(server: &ServerName) -> Result<Session<BufReader<Reader>, Writer>, Failure> {
    let (reader, writer) = ask::bridge(&ask::folders()?)?.split();
    Session::open(BufReader::new(reader), writer, server.as_str())
}

fn wait(server: &ServerName) -> Waiting {
    waiting_for(format!(
        "Waiting for {server}. A sign-in may be open in the browser, or a question in the terminal of `keybearer serve`."
    ))
}

/// The arguments as they are written: on the command line, or on standard input for `-`.
fn written(arguments: &str) -> Result<String, Failure> {
    if arguments != "-" {
        return Ok(arguments.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(|cause| {
        Failure::new(Code::BadRequest, format!("the arguments cannot be read from standard input: {cause}"))
    })?;
    Ok(text)
}

/// The arguments as a JSON object, otherwise untouched.
fn object(text: &str) -> Result<Box<RawValue>, Failure> {
    let hint = "give a JSON object, for example '{\"name\": \"Initech\"}'";
    let raw: Box<RawValue> = serde_json::from_str(text)
        .map_err(|error| Failure::new(Code::BadRequest, format!("the arguments are no JSON: {error}")).hint(hint))?;
    if raw.get().starts_with('{') {
        Ok(raw)
    } else {
        Err(Failure::new(Code::BadRequest, "the arguments are no JSON object").hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_and_stay_as_they_are() {
        assert_eq!(object(" {\"a\": 1e400} \n").unwrap().get(), "{\"a\": 1e400}");
        for bad in ["", "[]", "1", "{\"a\":}", "{} {}"] {
            assert_eq!(object(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
