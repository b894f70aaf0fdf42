//! What shows that a sign-in cannot go on in a window of ours, as data: `walls.toml`, each line with its evidence.

use serde::Deserialize;

/// The list of this build.
const BUNDLED: &str = include_str!("../walls.toml");

/// A text in a page's address or title, and what it tells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wall {
    /// The text, compared without regard to case.
    pub text: String,
    /// What is behind it.
    pub behind: Behind,
    /// Where it can be looked up.
    pub source: String,
}

/// Why only a browser goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behind {
    /// The issuer lets no window inside an app in.
    Refused,
    /// The issuer wants to see that the computer is the company's.
    Device,
    /// The issuer wants a passkey.
    Passkey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    wall: Vec<Wall>,
}

/// The walls that this build knows.
pub fn bundled() -> Vec<Wall> {
    // What is bundled parses: a test walks it.
    toml::from_str(BUNDLED).map_or_else(|_| Vec::new(), |list: List| list.wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_wall_is_sound() {
        let list: List = toml::from_str(BUNDLED).unwrap();
        assert!(!list.wall.is_empty());
        for Wall { text, source, .. } in list.wall {
            // Short ones stand in addresses by chance: codes and states are long and random.
            assert!(text.len() >= 9 && text.is_ascii(), "{text}");
            assert!(source.len() > 8, "{text}: no evidence");
        }
    }
}
