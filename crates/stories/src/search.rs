//! Looking through everything that was written or printed for what must not be there.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;

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
    // Within a longer text, base64 takes one of three forms, whose ends depend on what stands around.
    let encoded = [(0, 0), (1, 2), (2, 3)].map(|(bytes_before, characters_before)| {
        let text = STANDARD_NO_PAD.encode([&vec![0; bytes_before], secret.as_bytes()].concat());
        text.as_bytes()[characters_before..text.len() - 1].to_vec()
    });
    let mut all = vec![secret.as_bytes().to_vec(), wide];
    all.extend(encoded);
    all
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memmem::find(haystack, needle).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = "cAnArY-of-this-test";
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}{secret}{before}");
            let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for written in [text.clone().into_bytes(), wide, STANDARD_NO_PAD.encode(&text).into_bytes()] {
                assert!(forms(secret).iter().any(|form| contains(&written, form)), "{written:?}");
                assert!(!forms("cAnArY-of-another").iter().any(|form| contains(&written, form)));
            }
        }
    }
}
