//! A bundle for clients that install local servers as a file: a zip with a manifest and our executable.

use std::io::{Cursor, Write as _};

use serde_json::json;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::places::System;

/// The bundle's bytes. The executable in it is the bridge; it finds the core as every bridge does.
///
/// # Errors
/// If the executable is larger than such a file can hold.
pub fn bundle(version: &str, system: System, servers: &[String], executable: &[u8]) -> Result<Vec<u8>, ZipError> {
    let name = if system == System::Windows { "keybearer.exe" } else { "keybearer" };
    let platform = match system {
        System::Linux => "linux",
        System::Macos => "darwin",
        System::Windows => "win32",
    };
    let arguments: Vec<&str> = ["stdio"].into_iter().chain(servers.first().map(String::as_str)).collect();
    let manifest = json!({
        "manifest_version": "0.3",
        "name": servers.first().map_or_else(|| "keybearer".to_owned(), |server| format!("keybearer-{server}")),
        "display_name": servers.first().map_or_else(|| "Keybearer".to_owned(), |server| format!("Keybearer: {server}")),
        "version": version,
        "description": "Your company's tools, signed in by Keybearer: this app never sees a credential.",
        "author": { "name": "Keybearer contributors" },
        "license": "Apache-2.0 OR MIT",
        "server": {
            "type": "binary",
            "entry_point": format!("server/{name}"),
            "mcp_config": { "command": format!("${{__dirname}}/server/{name}"), "args": arguments, "env": {} },
        },
        "tools_generated": true,
        "compatibility": { "platforms": [platform] },
    });
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("manifest.json", plain.unix_permissions(0o644))?;
    zip.write_all(format!("{manifest:#}\n").as_bytes())?;
    zip.start_file(format!("server/{name}"), plain.unix_permissions(0o755))?;
    zip.write_all(executable)?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_holds_the_manifest_and_the_executable() {
        let bytes = bundle("1.2.3", System::Windows, &["crm".into()], b"MZ").unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(zip.len(), 2);
        let manifest: serde_json::Value = serde_json::from_reader(zip.by_name("manifest.json").unwrap()).unwrap();
        assert_eq!(manifest["server"]["mcp_config"]["args"], json!(["stdio", "crm"]));
        assert_eq!(zip.by_name("server/keybearer.exe").unwrap().unix_mode().unwrap() & 0o777, 0o755);
    }
}
