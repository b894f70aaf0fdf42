//! The settings as a person reads them: each with its value and the line that says so.

use toml::de::{DeTable, DeValue};

use super::{CallLimits, Config, KeyStoreChoice};

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// Its value; empty where there is none.
    pub value: String,
    /// The line of `config.toml` that sets it.
    pub line: Option<usize>,
}

impl Config {
    /// The settings beside servers and rules, in the order of the documentation. `text` is what they were parsed from.
    pub fn shown(&self, text: &str) -> Vec<Shown> {
        let (document, _) = DeTable::parse_recoverable(text);
        let line = |name: &str| line_of(document.get_ref(), name, text);
        let unknown = match self.policy.unknown {
            keybearer_policy::Unknown::Ask => "ask",
            keybearer_policy::Unknown::Deny => "deny",
        };
        let key_store = match self.key_store {
            KeyStoreChoice::System => "system",
            KeyStoreChoice::Memory => "memory",
        };
        let CallLimits { open, per_second } = self.limits;
        let values = [
            ("unknown", unknown.to_owned()),
            ("keystore", key_store.to_owned()),
            ("http_port", self.http_port.map(|port| port.to_string()).unwrap_or_default()),
            ("container_door", self.container_door.map(|address| address.to_string()).unwrap_or_default()),
            ("open_calls", open.to_string()),
            ("calls_per_second", per_second.to_string()),
            ("ask_timeout", self.ask_timeout.as_secs().to_string()),
        ];
        values.into_iter().map(|(name, value)| Shown { name, value, line: line(name) }).collect()
    }
}

fn line_of(table: &DeTable<'_>, name: &str, text: &str) -> Option<usize> {
    let (key, _): (_, &toml::Spanned<DeValue<'_>>) = table.get_key_value(name)?;
    let before = text.as_bytes().get(..key.span().start)?;
    Some(1 + before.iter().filter(|byte| **byte == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_names_its_line_and_the_rest_is_default() {
        let text = "# mine\nunknown = \"deny\"\n\nask_timeout = 30\n";
        let shown = Config::parse(text).unwrap().shown(text);
        let of =
            |name: &str| shown.iter().find(|one| one.name == name).map(|one| (one.value.as_str(), one.line)).unwrap();
        assert_eq!(of("unknown"), ("deny", Some(2)));
        assert_eq!(of("ask_timeout"), ("30", Some(4)));
        assert_eq!(of("keystore"), ("system", None));
        assert_eq!(of("http_port"), ("", None));
    }
}
