//! Colour by meaning. Never the only sign of a state: words and shapes say the same.

/// How a piece of text sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary.
    Plain,
    /// Headings and names.
    Strong,
    /// Of second interest.
    Soft,
    /// All is well.
    Good,
    /// Somebody should do something.
    Attention,
    /// It does not work, or is not allowed.
    Danger,
}

impl Tone {
    /// `text` in this tone. The sequences are taken out again where the output is no terminal or wants no colour.
    pub(crate) fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => "1",
            Self::Soft => "2",
            Self::Good => "32",
            Self::Attention => "33",
            Self::Danger => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
