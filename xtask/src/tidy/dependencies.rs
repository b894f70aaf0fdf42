//! Every direct dependency has its reason in docs/dependencies.md: crates, npm packages and PyPI packages alike;
//! and nothing that is gone has one.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Problem, tree::Tree};
use crate::command::Run;

const PAGE: &str = "docs/dependencies.md";

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let reasons = reasons(tree.file(PAGE).map_or("", |page| &page.text));
    let mut used = crates()?;
    for file in &tree.files {
        if file.path.ends_with("package.json") {
            used.extend(packages(&file.text).with_context(|| format!("read `{}`", file.path))?);
        } else if file.path.ends_with("requirements.txt") {
            used.extend(requirements(&file.text));
        }
    }
    let problem = |name: &String, text: &str| Problem::new(PAGE, 1, format!("`{name}` {text}"));
    let missing = used.difference(&reasons).map(|name| problem(name, "is used; its reason is missing"));
    let left = reasons.difference(&used).map(|name| problem(name, "has a reason; nothing uses it"));
    Ok(missing.chain(left).collect())
}

/// Lines of "- `name`, `other`: the reason".
fn reasons(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(':'));
    lines.flat_map(|(names, _)| names.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn crates() -> Result<BTreeSet<String>> {
    let text = Run::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--quiet"]).read()?;
    let metadata: Value = serde_json::from_str(&text).context("read the output of cargo metadata")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let dependencies = packages.flat_map(|package| package["dependencies"].as_array().into_iter().flatten());
    // What has no source lies in this tree.
    let foreign = dependencies.filter(|dependency| !dependency["source"].is_null());
    Ok(foreign.filter_map(|dependency| dependency["name"].as_str().map(str::to_owned)).collect())
}

fn packages(manifest: &str) -> Result<BTreeSet<String>> {
    let manifest: Value = serde_json::from_str(manifest)?;
    let kinds = ["dependencies", "devDependencies"].into_iter().filter_map(|kind| manifest[kind].as_object());
    Ok(kinds.flat_map(|packages| packages.keys().cloned()).collect())
}

fn requirements(text: &str) -> BTreeSet<String> {
    let end = |character: char| !character.is_alphanumeric() && !"-_.".contains(character);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(end).next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{packages, reasons, requirements};

    #[test]
    fn one_line_may_give_the_reason_for_several() {
        let reasons = reasons("# Dependencies\n- `a`, `b-c`: they belong together (`not-this`)\ntext `d`: no\n");
        assert_eq!(reasons.iter().collect::<Vec<_>>(), ["a", "b-c"]);
    }

    #[test]
    fn packages_of_npm_and_python_count() {
        let manifest = r#"{"dependencies":{"jose":"^6"},"devDependencies":{"vite":"^8"}}"#;
        assert_eq!(packages(manifest).map(|found| found.len()).ok(), Some(2));
        assert_eq!(requirements("# why\nmcp==2.3.*\n").into_iter().collect::<Vec<_>>(), ["mcp"]);
    }
}
