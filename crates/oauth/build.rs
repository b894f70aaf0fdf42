//! Lists `profiles/*.toml` for `include_str!`, so that a new profile is a new file and nothing else.

#![allow(clippy::disallowed_methods, reason = "a build script is told its folders by the environment")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, error, fs};

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=profiles");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("profiles");
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut list = "[\n".to_owned();
    for file in files {
        let name = file.file_stem().and_then(|stem| stem.to_str()).ok_or("a profile's name is not text")?;
        writeln!(list, "    ({name:?}, include_str!({:?})),", file.display().to_string())?;
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("profiles.rs"), list)?;
    Ok(())
}
