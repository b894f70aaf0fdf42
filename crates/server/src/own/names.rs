//! The names under which a server's tools and prompts are shown: `server__tool`, in the alphabet and at the length that
//! every client takes.
//!
//! A name tells its server without a table: a server's own name has no `__`, and what follows it begins with no `_`.

use sha2::{Digest as _, Sha256};

/// The longest name that clients hand on to a model.
const LONGEST: usize = 64;

/// How many digits of a hash tell two shortened names apart.
const DIGITS: usize = 8;

/// The name that `name` of `server` is shown under.
pub(super) fn shown(server: &str, name: &str) -> String {
    let room = LONGEST - server.len() - 2;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.chars().all(plain) && name.len() <= room && !name.starts_with('_') && !name.is_empty() {
        return format!("{server}__{name}");
    }
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let clean = name.trim_start_matches(|c| c == '_' || !plain(c)).chars().map(|c| if plain(c) { c } else { '_' });
    let clean: String = clean.take(room - DIGITS - 1).collect();
    let joint = if clean.is_empty() { "" } else { "_" };
    format!("{server}__{clean}{joint}{}", hash.get(..DIGITS).unwrap_or_default())
}

/// The server and the rest of a name that is shown.
pub(super) fn split(shown: &str) -> Option<(&str, &str)> {
    let begin = shown.find("__")?;
    let end = begin + shown.get(begin..)?.find(|c| c != '_')?;
    Some((shown.get(..end - 2)?, shown.get(end..)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_plain_name_is_only_prefixed() {
        assert_eq!(shown("crm", "find-customer_2"), "crm__find-customer_2");
        assert_eq!(split("crm__find__all"), Some(("crm", "find__all")));
    }

    #[test]
    fn every_name_fits_is_its_own_and_tells_its_server() {
        let long = "x".repeat(200);
        let longer = format!("{long}y");
        let names = ["a", "a.b", "a_b", "a/b", "_a", "__a", "", "é", "ä", "世界", "..", &long, &longer, "a b"];
        let servers = ["crm", "crm_", "c-r-m", "0", &"s".repeat(48)];
        let mut seen = BTreeSet::new();
        for server in servers {
            for name in names {
                let shown = shown(server, name);
                assert!(shown.len() <= LONGEST, "{shown}");
                assert!(shown.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{shown}");
                assert_eq!(split(&shown).map(|(server, _)| server), Some(server), "{shown}");
                assert!(seen.insert(shown.clone()), "{shown} twice");
            }
        }
    }

    #[test]
    fn what_has_no_server_in_it_is_not_split() {
        for name in ["status", "sign_in", "crm__", "crm___", ""] {
            assert_eq!(split(name), None, "{name}");
        }
    }
}
