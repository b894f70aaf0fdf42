//! Secrets that a person or a script gives on standard input; never on the command line, where everybody could see them.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use keybearer_control::error::Code;
use keybearer_control::wire::Incoming;
use keybearer_os::harden::harden;

use crate::failure::Failure;
use crate::out;

/// Longer than any key or token that is typed or piped.
const LONGEST: u64 = 64 * 1024;

/// Reads one secret, a line.
pub(crate) fn typed_secret(what: &str) -> Result<Incoming, Failure> {
    // What cannot be closed to others of this user is as open as the pipe that the secret came by.
    let _ = harden();
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        out::note(&format!("Type or paste {what} and press Enter (it can be seen here):"));
    }
    let mut text = String::new();
    stdin.lock().take(LONGEST).read_line(&mut text).map_err(|cause| {
        Failure::new(Code::BadRequest, format!("{what} cannot be read from standard input: {cause}"))
    })?;
    one_line(what, &text)
}

fn one_line(what: &str, text: &str) -> Result<Incoming, Failure> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::new(Code::BadRequest, format!("{what} is empty"))
            .hint("pipe it in, for example from your password manager"));
    }
    Ok(Incoming(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_is_no_part_of_a_secret() {
        for text in ["cAnArY", "cAnArY\n", "cAnArY\r\n"] {
            assert_eq!(one_line("it", text).unwrap().0, "cAnArY");
        }
        assert_eq!(one_line("it", " x \n").unwrap().0, " x ");
        assert!(one_line("it", "\n").is_err());
    }
}
