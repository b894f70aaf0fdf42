//! Looks for secrets where none may be: in files, in logs, in what clients were sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::CANARY;

/// What to look for: the canary, plain and in base64, and secrets that cannot carry it.
#[derive(Clone, Debug)]
pub struct Canary {
    needles: Vec<Vec<u8>>,
}

impl Default for Canary {
    fn default() -> Self {
        let mut needles = vec![CANARY.as_bytes().to_vec()];
        // In base64 a text looks different at each of three offsets; the characters that mix with neighbours are left off.
        for offset in 0..3 {
            let padded = [vec![0; offset].as_slice(), CANARY.as_bytes(), &[0, 0]].concat();
            let bits = 8 * offset..8 * (offset + CANARY.len());
            let text = STANDARD_NO_PAD.encode(padded);
            needles.push(text.as_bytes()[bits.start.div_ceil(6)..bits.end / 6].to_vec());
        }
        Self { needles }
    }
}

impl Canary {
    /// Looks for these secrets, too.
    pub fn and_for(mut self, secrets: impl IntoIterator<Item = String>) -> Self {
        self.needles.extend(secrets.into_iter().filter(|secret| !secret.is_empty()).map(String::into_bytes));
        self
    }

    /// Whether a secret is in these bytes.
    pub fn sings_in(&self, bytes: &[u8]) -> bool {
        self.needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
    }

    /// The files under `folder` that contain a secret, in their contents or their names.
    pub fn files(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                found.extend(self.files(&path)?);
            } else if self.sings_in(entry.file_name().as_encoded_bytes())
                || kind.is_file() && self.sings_in(&still_there(&path)?)
            {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// A file's contents; one that is gone by now, such as a database's journal, keeps nothing.
fn still_there(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE;

    use super::*;

    #[test]
    fn it_sings_for_secrets_in_plain_and_in_base64_and_for_nothing_else() {
        let canary = Canary::default().and_for(["another".to_owned(), String::new()]);
        let secret = crate::idp::mint::secret("at").unwrap();
        for hidden in
            [secret.clone(), URL_SAFE.encode(&secret), URL_SAFE.encode(format!("a:{secret}")), "x another".into()]
        {
            assert!(canary.sings_in(format!("{{\"header\": \"{hidden}\"}}").as_bytes()), "{hidden}");
        }
        assert!(!canary.sings_in(b"A canary is a bird. Anothe") && !canary.sings_in(b""));
    }

    #[test]
    fn it_finds_files_by_content_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("log"), format!("Bearer {CANARY}")).unwrap();
        fs::write(deep.join(CANARY), "").unwrap();
        fs::write(deep.join("clean"), "nothing").unwrap();
        let mut found = Canary::default().files(folder.path()).unwrap();
        found.sort();
        assert_eq!(found, [deep.join(CANARY), deep.join("log")]);
    }
}
