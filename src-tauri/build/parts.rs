//! What is shipped, from cargo's own metadata and the page's lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::Command;

use serde_json::{Value, json};

/// The packages that are shipped; everything else comes in through them.
const ROOTS: [&str; 2] = ["keybearer-desktop", "keybearer-cli"];
/// What the page is built from and contains; the other packages of its lock file only build and test it.
const PAGE: [&str; 3] = ["svelte", "@lucide/svelte", "@tauri-apps/api"];

/// Every library that is shipped, as JSON: name, version, licence.
pub(crate) fn list() -> Result<String, Box<dyn Error>> {
    let mut parts = crates()?;
    let lock: Value = serde_json::from_slice(&std::fs::read("ui/package-lock.json")?)?;
    for name in PAGE {
        let package = &lock["packages"][format!("node_modules/{name}")];
        parts.insert((name.to_owned(), text(&package["version"])), text(&package["license"]));
    }
    let parts = parts
        .into_iter()
        .map(|((name, version), licence)| json!({ "name": name, "version": version, "licence": licence }));
    Ok(Value::from_iter(parts).to_string())
}

fn crates() -> Result<BTreeMap<(String, String), String>, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var("TARGET")?;
    let arguments = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", &target];
    let output = Command::new(cargo).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap_or(&empty);
    let id_of = |package: &Value| text(&package["id"]);
    let mut open: Vec<String> =
        packages.iter().filter(|package| ROOTS.contains(&text(&package["name"]).as_str())).map(id_of).collect();
    let mut shipped = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !shipped.insert(id.clone()) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id.as_str());
        let needed = node.and_then(|node| node["deps"].as_array()).unwrap_or(&empty);
        open.extend(needed.iter().filter(|need| is_shipped(need)).map(|need| text(&need["pkg"])));
    }
    let foreign = packages.iter().filter(|package| !package["source"].is_null() && shipped.contains(&id_of(package)));
    Ok(foreign
        .map(|package| ((text(&package["name"]), text(&package["version"])), text(&package["license"])))
        .collect())
}

/// Not for tests or builds alone.
fn is_shipped(need: &Value) -> bool {
    need["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
