//! Declares the window's commands, so that each needs a permission, finds the capabilities beside the sources, and lists
//! what is shipped.

#![allow(clippy::disallowed_methods, reason = "a build script reads the environment and asks cargo")]

#[path = "build/parts.rs"]
mod parts;

const COMMANDS: &[&str] = &[
    "view",
    "start",
    "sign_in",
    "sign_out",
    "tools",
    "look",
    "add_server",
    "remove_server",
    "apps",
    "preview",
    "connect",
    "disconnect",
    "revoke",
    "revoke_permission",
    "activity",
    "inspect",
    "stop_inspecting",
    "settings",
    "stop_access",
    "resume_access",
    "turn_off",
    "about",
];

/// Those of the prompt's window.
const PROMPT_COMMANDS: &[&str] = &["prompts", "answer", "more_time", "fit"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/build.rs");
    println!("cargo:rerun-if-changed=tauri.conf.json");
    println!("cargo:rerun-if-changed=icons");
    println!("cargo:rerun-if-changed=src-tauri/build/parts.rs");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-changed=ui/package-lock.json");
    let place = std::path::Path::new(&std::env::var("OUT_DIR")?).join("parts.json");
    std::fs::write(place, parts::list()?)?;
    let commands: &'static [&'static str] = [COMMANDS, PROMPT_COMMANDS].concat().leak();
    let commands = tauri_build::AppManifest::new().commands(commands);
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/**/*.json")
        .app_manifest(commands);
    Ok(tauri_build::try_build(attributes)?)
}
