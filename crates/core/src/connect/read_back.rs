//! What a client will do with what stands in its files: read there, not remembered.

use serde_json::Value;

use super::catalog::Way;
use super::edit;
use super::template::OWN_ENTRY;

/// How the client will come to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// It starts a program.
    Stdio {
        /// Which.
        program: String,
        /// With these arguments.
        arguments: Vec<String>,
        /// With this in its environment.
        environment: Vec<(String, String)>,
    },
    /// It posts to a URL.
    Http {
        /// Which.
        url: String,
        /// What it sends as `Authorization`.
        authorization: String,
    },
    /// It posts over a local socket.
    Socket {
        /// The path of the URL.
        path: String,
    },
}

/// What the client will do for a server (or for Keybearer's own), by what its files say; `None` if they do not say it.
pub fn recipe(way: &Way, server: Option<&str>, files: impl Fn(&str) -> Option<Value>) -> Option<Recipe> {
    let mut seen = Seen { files: &files, way, found: Found::default() };
    for change in way.changes.iter().filter(|change| change.value.is_some()) {
        let at: Vec<String> = change.at.iter().map(|key| key.replace("{entry}", server.unwrap_or(OWN_ENTRY))).collect();
        let file = files(&change.file)?;
        let standing = edit::find(&file, &at)?;
        seen.compare(change.value.as_ref()?, standing);
    }
    let Found { program, arguments, environment, url, authorization, socket } = seen.found;
    match (program, url, socket) {
        (Some(program), _, _) => Some(Recipe::Stdio { program, arguments, environment }),
        (_, Some(url), _) => Some(Recipe::Http { url, authorization: authorization? }),
        (_, _, Some(socket)) => Some(Recipe::Socket { path: socket.split_once('#')?.1.to_owned() }),
        (None, None, None) => None,
    }
}

#[derive(Default)]
struct Found {
    program: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    url: Option<String>,
    authorization: Option<String>,
    socket: Option<String>,
}

struct Seen<'a, F> {
    files: &'a F,
    way: &'a Way,
    found: Found,
}

impl<F: Fn(&str) -> Option<Value>> Seen<'_, F> {
    fn compare(&mut self, template: &Value, standing: &Value) {
        match (template, standing) {
            (Value::Object(template), Value::Object(standing)) => {
                for (key, value) in template {
                    if let Some(standing) = standing.get(key) {
                        self.compare(value, standing);
                    }
                }
            }
            (Value::Array(template), Value::Array(standing)) => {
                template.iter().zip(standing).for_each(|(template, standing)| self.compare(template, standing));
            }
            (Value::String(template), _) => self.text(template, standing),
            _ => {}
        }
    }

    fn text(&mut self, template: &str, standing: &Value) {
        let text = standing.as_str().map(ToOwned::to_owned);
        let texts = |value: &Value| value.as_str().map(ToOwned::to_owned);
        match template {
            "{program}" => self.found.program = text,
            "{url}" => self.found.url = text,
            "{socket}" => self.found.socket = text,
            "{args}" => {
                self.found.arguments = standing.as_array().into_iter().flatten().filter_map(texts).collect();
            }
            "{env}" => {
                let pairs = standing.as_object().into_iter().flatten();
                let pairs = pairs.filter_map(|(name, value)| Some((name.clone(), texts(value)?)));
                self.found.environment = pairs.collect();
            }
            "{key}" => self.found.authorization = text.map(|key| format!("Bearer {key}")),
            _ if template.starts_with("Bearer ") => self.found.authorization = text.map(|text| self.looked_up(text)),
            _ => {
                // A setting that is itself JSON, as a text.
                let (template, standing) = (serde_json::from_str(template), text.as_deref().map(serde_json::from_str));
                if let (Ok(template), Some(Ok(standing))) = (template, standing) {
                    self.compare(&template, &standing);
                }
            }
        }
    }

    /// With `${NAME}` looked up where the client looks it up.
    fn looked_up(&self, text: String) -> String {
        let Some((before, rest)) = text.split_once("${") else { return text };
        let Some((name, after)) = rest.split_once('}') else { return text };
        let holder = self.way.changes.iter().find(|change| change.at.last().is_some_and(|last| last == name));
        let value = holder.and_then(|change| (self.files)(&change.file)?.get(name)?.as_str().map(ToOwned::to_owned));
        value.map(|value| format!("{before}{value}{after}")).unwrap_or(text)
    }
}

#[cfg(test)]
mod tests;
