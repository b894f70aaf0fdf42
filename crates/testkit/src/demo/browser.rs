//! Stands in for a browser and its person: a program that signs in on the company's pages by their forms.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use keybearer_testkit::follow::{self, Conduct};
use keybearer_testkit::http1;
use keybearer_testkit::idp::Account;

/// The first argument of this program when it stands in for a browser.
pub(crate) const ARGUMENT: &str = "--as-browser";

/// Makes a browser program in `folder` whose person has `account`. Returns the program.
///
/// What the person knows lies beside it, outside of everything that belongs to Keybearer.
pub(crate) fn install(folder: &Path, account: &Account) -> anyhow::Result<PathBuf> {
    let person = folder.join("person");
    std::fs::write(&person, format!("{}\n{}\n", account.user, account.password)).context("write down the person")?;
    let me = std::env::current_exe().context("find this program")?;
    let program = folder.join("xdg-open");
    let quote = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', "'\\''"));
    let script = format!("#!/bin/sh\nexec {} {ARGUMENT} {} \"$1\"\n", quote(&me), quote(&person));
    std::fs::write(&program, script).context("write the stand-in for a browser")?;
    make_executable(&program).context("make the stand-in executable")?;
    Ok(program)
}

/// What that program does with an address: goes through the pages and visits the redirect.
pub(crate) async fn stand_in(person: &str, url: &str) -> ExitCode {
    match browse(Path::new(person), url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            let log = Path::new(person).with_file_name("browser.log");
            if let Ok(mut log) = std::fs::OpenOptions::new().create(true).append(true).open(log) {
                let _ = writeln!(log, "{cause:#}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn browse(person: &Path, url: &str) -> anyhow::Result<()> {
    let known = std::fs::read_to_string(person).context("read what the person knows")?;
    let (user, password) = known.trim_end().split_once('\n').context("the person knows no password")?;
    let account =
        Account { user: user.to_owned(), password: password.to_owned(), name: String::new(), email: String::new() };
    let location = follow::sign_in(url, &account, Conduct::SignsInAndAllows).await?;
    let page = http1::fetch(http1::get(&location)?).await.context("visit the way back")?;
    anyhow::ensure!(page.status().is_success(), "the way back answered {}", page.status());
    Ok(())
}

#[cfg(unix)]
fn make_executable(program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_program: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("there is no stand-in for a browser on this system"))
}
