//! The `[[rules]]`.

use std::collections::BTreeSet;
use std::ops::Range;

use keybearer_model::name::ClientName;
use keybearer_model::verdict::RuleId;
use keybearer_policy::pattern::Pattern;
use keybearer_policy::{Effect, Except, Rule};
use toml::Spanned;
use toml::de::DeTable;

use super::problem::nearest;
use super::reader::{Reader, shown};

const RULE: [&str; 5] = ["effect", "client", "server", "tool", "except"];
const EXCEPT: [&str; 3] = ["client", "server", "tool"];
const EFFECTS: [(&str, Effect); 5] = [
    ("allow", Effect::Allow),
    ("ask", Effect::Ask),
    ("ask_per_session", Effect::AskPerSession),
    ("ask_each_time", Effect::AskEachTime),
    ("deny", Effect::Deny),
];

/// The three lists that rules and exceptions have in common.
struct Lists {
    clients: Vec<Pattern>,
    servers: Vec<Pattern>,
    tools: Vec<Pattern>,
}

impl<'t> Reader<'t> {
    /// Reads every rule. Rules with problems are left out: the whole is refused then.
    pub(super) fn rules(&mut self, top: &DeTable<'t>, declared: &BTreeSet<String>) -> Vec<Rule> {
        let Some(value) = top.get("rules") else { return Vec::new() };
        let Some(elements) = value.get_ref().as_array() else {
            self.wrong_type(value, "rules", "tables: `[[rules]]`");
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            match element.get_ref().as_table() {
                Some(table) => rules.extend(self.rule(table, index + 1, &element.span(), declared)),
                None => self.wrong_type(element, "rules", "tables: `[[rules]]`"),
            }
        }
        rules
    }

    fn rule(
        &mut self,
        table: &DeTable<'t>,
        number: usize,
        at: &Range<usize>,
        declared: &BTreeSet<String>,
    ) -> Option<Rule> {
        self.known(table, &format!(" of rule {number}"), &RULE);
        if !table.contains_key("effect") {
            self.missing(at, format!("rule {number} has no `effect`"));
        }
        let effect = self.choice(table, "effect", &EFFECTS);
        let Lists { clients, servers, tools } = self.lists(table, declared);
        let except = self.exceptions(table, number, declared);
        let id = RuleId::User { number, line: self.line(at) };
        Some(Rule { id, effect: effect?, clients, servers, tools, except })
    }

    fn exceptions(&mut self, table: &DeTable<'t>, number: usize, declared: &BTreeSet<String>) -> Vec<Except> {
        let Some(value) = table.get("except") else { return Vec::new() };
        let Some(elements) = value.get_ref().as_array() else {
            self.wrong_type(value, "except", "a list of tables such as `[{ tool = \"delete_*\" }]`");
            return Vec::new();
        };
        let mut exceptions = Vec::new();
        for element in elements.iter() {
            let Some(table) = element.get_ref().as_table() else {
                self.wrong_type(element, "except", "a list of tables such as `[{ tool = \"delete_*\" }]`");
                continue;
            };
            self.known(table, &format!(" of an exception of rule {number}"), &EXCEPT);
            if table.is_empty() {
                self.note(&element.span(), format!("an exception of rule {number} names nothing"));
            }
            let Lists { clients, servers, tools } = self.lists(table, declared);
            exceptions.push(Except { clients, servers, tools });
        }
        exceptions
    }

    fn lists(&mut self, table: &DeTable<'t>, declared: &BTreeSet<String>) -> Lists {
        Lists {
            clients: self.patterns(table, "client", Self::client),
            servers: self.patterns(table, "server", |reader, text| reader.declared(text, declared)),
            tools: self.patterns(table, "tool", |_, _| {}),
        }
    }

    /// The patterns at a key; `plain` judges those without a `*`.
    fn patterns(&mut self, table: &DeTable<'t>, key: &str, plain: impl Fn(&mut Self, &Spanned<&str>)) -> Vec<Pattern> {
        let Some(texts) = self.texts(table, key) else { return Vec::new() };
        if texts.is_empty()
            && let Some(value) = table.get(key)
        {
            // An empty list could be meant as "nobody" or as "everybody".
            let hint = format!("leave `{key}` out to name all of them");
            self.advise(&value.span(), format!("`{key}` must not be empty"), Some(hint));
        }
        let mut patterns = Vec::new();
        for text in texts {
            match text.get_ref().parse::<Pattern>() {
                Ok(pattern) => {
                    if !text.get_ref().contains('*') {
                        plain(self, &text);
                    }
                    patterns.push(pattern);
                }
                Err(error) => {
                    self.note(&text.span(), format!("`{key}`: {error}"));
                }
            }
        }
        patterns
    }

    /// A client is a registered name, or a path; a text that can be neither would silently match nothing.
    fn client(&mut self, text: &Spanned<&str>) {
        let is_path = text.get_ref().contains(['/', '\\']);
        if !is_path && let Err(error) = text.get_ref().parse::<ClientName>() {
            let hint = "a program is named by its path";
            self.advise(&text.span(), error.to_string(), Some(hint.to_owned()));
        }
    }

    fn declared(&mut self, text: &Spanned<&str>, declared: &BTreeSet<String>) {
        if !declared.contains(*text.get_ref()) {
            let guess = nearest(text.get_ref(), declared.iter().map(String::as_str));
            let hint = guess.map(|guess| format!("did you mean `{}`?", shown(guess)));
            self.advise(&text.span(), format!("there is no server `{}`", shown(text.get_ref())), hint);
        }
    }
}
