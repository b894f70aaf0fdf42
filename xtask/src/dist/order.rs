//! What is to be made: the command line of `cargo xtask dist`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::places;

/// A kind of package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deb,
    Rpm,
    Windows,
}

/// Which executables are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Release,
    Debug,
}

impl Profile {
    /// The folder that cargo puts them in.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Order {
    kinds: Vec<Kind>,
    pub(super) profile: Profile,
    /// The packages' version; that of the workspace.
    pub(super) version: String,
    /// The package's revision.
    pub(super) revision: String,
    pub(super) out: PathBuf,
    pub(super) maintainer: String,
    /// An OpenPGP secret key; without it one is minted, of use to this run alone.
    pub(super) key: Option<PathBuf>,
    /// A certificate for code and its key, in PEM; without them they are minted.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
}

const MAINTAINER: &str = "Keybearer contributors <contributors@keybearer.invalid>";

impl Order {
    /// As these arguments say.
    pub(super) fn of(arguments: &[String]) -> Result<Self> {
        let mut order = Self {
            kinds: Vec::new(),
            profile: Profile::Release,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: "1".to_owned(),
            out: places::target().join("dist"),
            maintainer: MAINTAINER.to_owned(),
            key: None,
            certificate: None,
        };
        let (mut certificate, mut certificate_key) = (None, None);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().with_context(|| format!("`{argument}` wants a value"));
            match argument.as_str() {
                "deb" => order.kinds.push(Kind::Deb),
                "rpm" => order.kinds.push(Kind::Rpm),
                "windows" => order.kinds.push(Kind::Windows),
                "--debug" => order.profile = Profile::Debug,
                "--version" => order.version = value()?,
                "--revision" => order.revision = value()?,
                "--out" => order.out = value()?.into(),
                "--maintainer" => order.maintainer = value()?,
                "--key" => order.key = Some(value()?.into()),
                "--certificate" => certificate = Some(value()?.into()),
                "--certificate-key" => certificate_key = Some(value()?.into()),
                other => bail!("`{other}` is no kind of package and no option of `dist`"),
            }
        }
        order.certificate = match (certificate, certificate_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("`--certificate` and `--certificate-key` belong together"),
        };
        for (name, text) in [("version", &order.version), ("revision", &order.revision)] {
            let plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".+~".contains(letter));
            ensure!(
                plain && text.starts_with(|first: char| first.is_ascii_digit()),
                "`{text}` is no {name} of a package"
            );
        }
        order.out = std::path::absolute(&order.out).context("find the folder for packages")?;
        Ok(order)
    }

    /// Whether this kind is to be made; all are, where none is named.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Order> {
        Order::of(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_made_where_nothing_is_named() {
        let order = of("").unwrap();
        assert!([Kind::Deb, Kind::Rpm, Kind::Windows].into_iter().all(|kind| order.wants(kind)));
        let order = of("rpm --debug --version 1.2.3~rc1").unwrap();
        assert!(order.wants(Kind::Rpm) && !order.wants(Kind::Deb) && order.profile == Profile::Debug);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in
            ["dmg", "--version", "--version 1-2", "--version x", "--version 1/2", "--certificate a", "--revision -1"]
        {
            assert!(of(line).is_err(), "{line}");
        }
    }
}
