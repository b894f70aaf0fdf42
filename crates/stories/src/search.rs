//! Looking through everything that was written or printed for what must not be there.

use std::path::{Path, PathBuf};

/// What every secret minted by a part or by the test kit contains.
pub const CANARY: &str = "cAnArY";

/// Fails if any of `secrets` stands in a file below `folder`, as it is, in base64 or as UTF-16.
#[track_caller]
pub fn assert_nowhere(folder: &Path, secrets: &[String]) {
    let mut searched = 0;
    for file in files(folder) {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        searched += 1;
        for secret in secrets {
            for form in forms(secret) {
                assert!(!contains(&bytes, &form), "a secret stands in `{}`", file.display());
            }
        }
    }
    assert!(searched > 0, "nothing was written below `{}`", folder.display());
}

/// Fails if any of `secrets` stands in `text`.
#[track_caller]
pub fn assert_not_in(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "a secret stands in {what}");
    }
    assert!(!text.contains(CANARY), "the canary stands in {what}");
}

fn forms(secret: &str) -> Vec<Vec<u8>> {
    let wide = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![secret.as_bytes().to_vec(), wide]
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}
