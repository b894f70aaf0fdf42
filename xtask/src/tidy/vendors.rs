//! What is known of a vendor or of a client program is data: their names do not occur in shipped Rust, not even in
//! comments, because a comment about one vendor stands beside code that is only for that vendor.

use anyhow::Result;

use super::{Problem, names::words, tree::Tree};

/// `cursor` and `continue` are words of their own and cannot be told from the programs.
const VENDORS: [&str; 26] = [
    "adfs",
    "anthropic",
    "atlassian",
    "auth0",
    "azure",
    "chatgpt",
    "claude",
    "codex",
    "cognito",
    "entra",
    "github",
    "gitlab",
    "google",
    "keycloak",
    "librechat",
    "microsoft",
    "notion",
    "okta",
    "openai",
    "pingfederate",
    "salesforce",
    "slack",
    "vscode",
    "windsurf",
    "zitadel",
    "zoho",
];

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in tree.shipped() {
        for (number, line) in file.shipped_lines() {
            problems.extend(
                named(line)
                    .map(|vendor| Problem::new(&file.path, number, format!("`{vendor}` is a vendor: make it data"))),
            );
        }
    }
    Ok(problems)
}

fn named(line: &str) -> Option<&'static str> {
    if line.contains("include_str!(") {
        return None; // the name of a data file is data
    }
    let words = words(line);
    VENDORS.into_iter().find(|vendor| words.iter().any(|word| word == vendor))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_vendor_is_seen_in_any_spelling() {
        assert_eq!(named("if is_entra(issuer) {"), Some("entra"));
        assert_eq!(named("struct EntraQuirk;"), Some("entra"));
        assert_eq!(named(r#"host.contains("slack")"#), Some("slack"));
        assert_eq!(named("// Claude Desktop gives up"), Some("claude"));
    }

    #[test]
    fn other_words_pass() {
        assert_eq!(named("the central entrance; std::io::Cursor"), None);
        assert_eq!(named(r#"include_str!("../profiles/entra.toml"),"#), None);
    }
}
