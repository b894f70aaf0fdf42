//! The text files of the repository, as git knows them.

use std::{collections::BTreeSet, fs};

use anyhow::Result;

use crate::{command::Run, places};

/// All text files, ours and generated, tracked or about to be.
pub(super) struct Tree {
    pub(super) files: Vec<Source>,
    /// Files that another file declares as modules for tests alone.
    test_modules: BTreeSet<String>,
}

impl Tree {
    pub(super) fn read() -> Result<Self> {
        let listed = Run::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).read()?;
        let readable = |path: &str| Some(Source::new(path, &fs::read_to_string(places::root().join(path)).ok()?));
        let files: Vec<Source> = listed.split('\0').filter(|path| !path.is_empty()).filter_map(readable).collect();
        let test_modules =
            files.iter().filter(|file| file.has_extension(&["rs"])).flat_map(Source::test_modules).collect();
        Ok(Self { files, test_modules })
    }

    pub(super) fn file(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust that we ship, without its tests.
    pub(super) fn shipped(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.is_shipped() && !self.test_modules.contains(&file.path))
    }
}

/// One file.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// Numbered lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Numbered lines of Rust without what is compiled for tests alone.
    pub(super) fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut test_item: Option<usize> = None;
        self.lines().filter(move |(_, line)| {
            let indent = line.len() - line.trim_start().len();
            if let Some(of_item) = test_item {
                let ends = line.ends_with(';') || line.ends_with('}');
                if indent == of_item && ends {
                    test_item = None;
                }
                return false;
            }
            if line.trim_start().starts_with("#[cfg(test)]") {
                test_item = Some(indent);
                return false;
            }
            true
        })
    }

    /// The files of modules that stand under `#[cfg(test)]` here.
    fn test_modules(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let (folder, file) = stem.rsplit_once('/').unwrap_or(("", stem));
        let folder = if ["lib", "main", "mod"].contains(&file) { folder } else { stem };
        let pairs = self.text.lines().zip(self.text.lines().skip(1));
        let modules = pairs.filter(|(attribute, _)| attribute.trim() == "#[cfg(test)]");
        let names = modules.filter_map(|(_, item)| item.trim().rsplit_once("mod ")?.1.strip_suffix(';'));
        names.map(|name| format!("{folder}/{name}.rs")).collect()
    }

    fn is_shipped(&self) -> bool {
        let ours = self.path.starts_with("crates/") || self.path.starts_with("src-tauri/");
        let for_tests =
            ["crates/testkit/", "crates/stories/", "crates/bench/"].iter().any(|crate_| self.path.starts_with(crate_))
                || self.path.contains("/tests/")
                || self.path.ends_with("/tests.rs");
        ours && !for_tests && self.has_extension(&["rs"])
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn what_is_compiled_for_tests_alone_is_left_out() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n";
        let source = Source::new("crates/model/src/lib.rs", text);
        let kept: Vec<_> = source.shipped_lines().collect();
        assert_eq!(kept, [(1, "fn a() {}"), (6, "fn c() {}"), (9, "fn d() {}")]);
    }

    #[test]
    fn modules_for_tests_are_found_beside_their_file() {
        let modules = |path| Source::new(path, "#[cfg(test)]\nmod samples;\nmod real;\n").test_modules();
        assert_eq!(modules("crates/cli/src/main.rs"), ["crates/cli/src/samples.rs"]);
        assert_eq!(modules("crates/cli/src/show.rs"), ["crates/cli/src/show/samples.rs"]);
    }

    #[test]
    fn tests_are_not_shipped() {
        let shipped = |path| Source::new(path, "").is_shipped();
        assert!(shipped("crates/model/src/url.rs") && shipped("src-tauri/src/lib.rs"));
        assert!(!shipped("crates/testkit/src/lib.rs") && !shipped("crates/core/src/audit/tests.rs"));
        assert!(!shipped("crates/oauth/profiles/x.toml") && !shipped("xtask/src/main.rs"));
    }
}
