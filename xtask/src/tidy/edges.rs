//! Who may depend on whom (ARCHITECTURE.md), and what must not be in whose tree (SEC-67).

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Problem, tree::Tree};
use crate::command::Run;

/// A crate and the crates of ours that it may use.
const EDGES: [(&str, &[&str]); 15] = [
    ("model", &[]),
    ("policy", &["model"]),
    ("mcp", &["model"]),
    ("oauth", &["model"]),
    ("os", &["model"]),
    ("core", &["model", "policy", "mcp", "oauth"]),
    ("platform", &["model", "core", "oauth", "os"]),
    ("control", &["os"]),
    ("server", &["model", "mcp", "core", "control", "os"]),
    ("cli", &["model", "policy", "mcp", "oauth", "core", "os", "platform", "control", "server"]),
    ("testkit", &["model", "core", "os", "platform", "server", "control"]),
    ("stories", &["model", "policy", "mcp", "oauth", "core", "os", "platform", "control", "server", "cli", "testkit"]),
    ("desktop", &["control", "os"]),
    ("bench", &[]),
    ("xtask", &["control"]),
];

/// A crate and what must not be anywhere in what it is built from.
const ABSENT: [(&str, &[&str]); 6] = [
    ("desktop", &["keyring", "keyring-core", "oauth2", "openidconnect"]),
    ("cli", &["tauri", "wry", "tao", "gtk", "gtk-sys", "webkit2gtk", "webkit2gtk-sys"]),
    ("model", &IO),
    ("policy", &IO),
    ("mcp", &IO),
    ("oauth", &IO),
];
const IO: [&str; 6] = ["tokio", "hyper", "axum", "reqwest", "mio", "socket2"];

pub(super) fn check(_tree: &Tree) -> Result<Vec<Problem>> {
    let text = Run::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--quiet"]).read()?;
    let metadata: Value = serde_json::from_str(&text).context("read the output of cargo metadata")?;
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        problems.extend(judge(package));
    }
    for (name, absent) in ABSENT {
        let package = format!("keybearer-{name}");
        let arguments = ["tree", "--quiet", "-e", "normal", "--target", "all", "--prefix", "none", "--format", "{p}"];
        let listed = Run::cargo().args(arguments).args(["-p", &package]).read()?;
        for found in present(&listed, absent) {
            problems.push(Problem::new("Cargo.toml", 1, format!("`{package}` is built with `{found}`")));
        }
    }
    Ok(problems)
}

fn judge(package: &Value) -> Vec<Problem> {
    let name = short(package["name"].as_str().unwrap_or_default());
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    let manifest = if name == "desktop" { "Cargo.toml".to_owned() } else { tail(manifest) };
    let Some((_, allowed)) = EDGES.iter().find(|(listed, _)| *listed == name) else {
        return vec![Problem::new(&manifest, 1, format!("`{name}` has no row in the table of crate edges"))];
    };
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let ours = dependencies.filter(|dependency| dependency["source"].is_null());
    let forbidden = ours.filter_map(|dependency| {
        let other = short(dependency["name"].as_str()?);
        let for_tests = dependency["kind"] == "dev" && (other == "testkit" || name == "desktop");
        (!allowed.contains(&other) && !for_tests).then_some(other)
    });
    forbidden.map(|other| Problem::new(&manifest, 1, format!("`{name}` must not depend on `{other}`"))).collect()
}

fn short(package: &str) -> &str {
    package.strip_prefix("keybearer-").unwrap_or(package)
}

/// The last two parts of a manifest's folder: `crates/model/Cargo.toml`, `xtask/Cargo.toml`.
fn tail(manifest: &str) -> String {
    let root = manifest.rfind("/crates/").or_else(|| manifest.trim_end_matches("/Cargo.toml").rfind('/'));
    root.map_or(manifest, |at| &manifest[at + 1..]).to_owned()
}

/// Lines of cargo tree start with a package's name.
fn present<'a>(listed: &'a str, absent: &[&str]) -> Vec<&'a str> {
    let mut found: Vec<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    found.retain(|name| absent.contains(name));
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{judge, present};

    fn uses(name: &str, other: &str, kind: Option<&str>) -> usize {
        let dependency = json!({ "name": other, "source": null, "kind": kind });
        judge(&json!({ "name": name, "manifest_path": "/x/crates/y/Cargo.toml", "dependencies": [dependency] })).len()
    }

    #[test]
    fn only_listed_edges_pass() {
        assert_eq!(uses("keybearer-core", "keybearer-model", None), 0);
        assert_eq!(uses("keybearer-model", "keybearer-core", None), 1);
        assert_eq!(uses("keybearer-desktop", "keybearer-core", None), 1);
        assert_eq!(uses("keybearer-unheard", "keybearer-model", None), 1);
    }

    #[test]
    fn tests_may_use_the_testkit() {
        assert_eq!(uses("keybearer-server", "keybearer-testkit", Some("dev")), 0);
        assert_eq!(uses("keybearer-server", "keybearer-testkit", None), 1);
    }

    #[test]
    fn a_tree_is_searched_by_whole_names() {
        let listed = "keybearer v0.1.0 (path)\ntokio-util v0.7\ntokio v1.54.0\ntokio v1.54.0 (*)\n";
        assert_eq!(present(listed, &["tokio", "gtk"]), ["tokio"]);
    }
}
