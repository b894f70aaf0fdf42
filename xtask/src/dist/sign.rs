//! Signatures: OpenPGP for Linux and the list of checksums, Authenticode for Windows.
//!
//! Without keys from outside they are minted for this run and gone with it: what they sign can be verified with the
//! public parts that lie beside it, and trusted by nobody.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::order::Order;
use crate::command::Run;

/// Who the minted keys name.
const NAME: &str = "Keybearer packages (minted for one run)";
const TIMESTAMP: &str = "KEYBEARER_TIMESTAMP_URL";

/// The keys of one run.
pub(super) struct Signer {
    /// GnuPG's folder, with one secret key in it.
    home: PathBuf,
    /// That key's fingerprint.
    key: String,
    certificate: PathBuf,
    certificate_key: PathBuf,
}

impl Signer {
    /// Takes the keys that were given, and mints what was not.
    pub(super) fn prepare(order: &Order, work: &Path) -> Result<Self> {
        let home = work.join("gnupg");
        fs::create_dir(&home).context("make a folder for keys")?;
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).context("close the folder for keys")?;
        let gpg = || Run::new("gpg").args(["--batch", "--quiet", "--homedir"]).args([&home]);
        match &order.key {
            Some(key) => gpg().args(["--import"]).args([key]).quietly()?,
            // RSA, which every rpm of today can verify.
            None => {
                gpg().args(["--passphrase", "", "--quick-generate-key", NAME, "rsa3072", "sign", "1y"]).quietly()?;
            }
        }
        let listed = gpg().args(["--list-secret-keys", "--with-colons"]).read()?;
        let key = listed.lines().find_map(|line| line.strip_prefix("fpr:")).context("find the key to sign with")?;
        let key = key.trim_matches(':').to_owned();
        let (certificate, certificate_key) = match &order.certificate {
            Some(given) => given.clone(),
            None => mint_certificate(work)?,
        };
        Ok(Self { home, key, certificate, certificate_key })
    }

    /// Signs a deb, within it: all of its members one after the other, as `debsig-verify` reads them. (`debsigs` still
    /// asks for SHA-1, which is refused by now.)
    pub(super) fn deb(&self, file: &Path) -> Result<()> {
        let place = tempfile::tempdir().context("make a folder to sign in")?;
        let members = Run::new("ar").args(["t"]).args([file]).read()?;
        Run::new("ar").args(["x"]).args([file]).dir(place.path()).quietly()?;
        let mut whole = Vec::new();
        for member in members.lines() {
            whole.extend(fs::read(place.path().join(member)).with_context(|| format!("read `{member}`"))?);
        }
        let (text, signature) = (place.path().join("whole"), place.path().join("_gpgorigin"));
        fs::write(&text, whole).context("write what is signed")?;
        self.gpg().args(["--armor", "--output"]).args([&signature]).args(["--detach-sign"]).args([&text]).quietly()?;
        Run::new("ar").args(["qD"]).args([file, signature.as_path()]).quietly()
    }

    /// GnuPG with this run's key.
    fn gpg(&self) -> Run {
        let options =
            ["--batch", "--yes", "--quiet", "--digest-algo", "SHA512", "--local-user", &self.key, "--homedir"];
        Run::new("gpg").args(options).args([&self.home])
    }

    /// Signs an rpm, within it.
    pub(super) fn rpm(&self, file: &Path) -> Result<()> {
        let define = [format!("_gpg_name {}", self.key), "__gpg /usr/bin/gpg".to_owned()];
        let define = define.into_iter().flat_map(|definition| ["--define".to_owned(), definition]);
        Run::new("rpmsign").args(define).args(["--addsign"]).args([file]).env("GNUPGHOME", &self.home).quietly()
    }

    /// Signs a program for Windows.
    pub(super) fn windows(&self, file: &Path) -> Result<()> {
        let signed = file.with_extension("signed");
        let mut sign = Run::new("osslsigncode").args(["sign", "-certs"]).args([&self.certificate]).args(["-key"]);
        sign = sign.args([&self.certificate_key]).args(["-h", "sha256", "-n", "Keybearer"]);
        // A signature with a time outlives its certificate; the time comes from a service on the network.
        if let Ok(url) = std::env::var(TIMESTAMP) {
            sign = sign.args(["-ts", &url]);
        }
        sign.args(["-in"]).args([file]).args(["-out"]).args([&signed]).quietly()?;
        fs::rename(&signed, file).with_context(|| format!("replace `{}`", file.display()))
    }

    /// The public certificate.
    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The command with which the installer's packer signs the uninstaller that it makes.
    pub(super) fn windows_command(&self) -> String {
        let (certificate, key) = (self.certificate.display(), self.certificate_key.display());
        format!(
            "osslsigncode sign -certs {certificate} -key {key} -h sha256 -n Keybearer -in %1 -out %1.signed && mv %1.signed %1"
        )
    }

    /// The packages' checksums, signed, and the public parts of the keys.
    pub(super) fn list(&self, order: &Order, made: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let key = order.out.join("keybearer-packages.asc");
        self.gpg().args(["--armor", "--output"]).args([&key]).args(["--export", &self.key]).quietly()?;
        let certificate = order.out.join("keybearer-windows.pem");
        fs::copy(&self.certificate, &certificate).context("copy the certificate")?;
        let names = made.iter().filter_map(|path| path.file_name());
        let sums = Run::new("sha256sum").args(names).dir(&order.out).read()?;
        let list = order.out.join("SHA256SUMS");
        fs::write(&list, sums).context("write the checksums")?;
        let signature = order.out.join("SHA256SUMS.asc");
        self.gpg().args(["--armor", "--output"]).args([&signature]).args(["--detach-sign"]).args([&list]).quietly()?;
        Ok(vec![list, signature, key, certificate])
    }
}

impl Drop for Signer {
    /// Ends the agent that GnuPG has started for this folder.
    fn drop(&mut self) {
        Run::new("gpgconf").args(["--homedir"]).args([&self.home]).args(["--kill", "all"]).succeeds();
    }
}

fn mint_certificate(work: &Path) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (work.join("windows.pem"), work.join("windows.key"));
    let request = ["req", "-x509", "-newkey", "rsa:3072", "-noenc", "-sha256", "-days", "365", "-subj"];
    let purpose = ["-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=critical,digitalSignature"];
    Run::new("openssl")
        .args(request)
        .args([format!("/CN={NAME}")])
        .args(purpose)
        .args(["-keyout"])
        .args([&key])
        .args(["-out"])
        .args([&certificate])
        .quietly()?;
    Ok((certificate, key))
}
