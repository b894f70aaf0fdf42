//! Stands in for a browser and its person: a program that signs in on the company's pages by their forms.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use keybearer_testkit::follow::{self, Conduct};
use keybearer_testkit::http1;
use keybearer_testkit::idp::Account;

/// What this program is called when it stands in for a browser: the name by which desktops find theirs.
const NAME: &str = "xdg-open";

/// Makes a browser program in `folder` whose person has `account`. Returns the program.
///
/// What the person knows lies beside it, outside of everything that belongs to Keybearer.
pub(crate) fn install(folder: &Path, account: &Account) -> anyhow::Result<PathBuf> {
    let known = format!("{}\n{}\n", account.user, account.password);
    std::fs::write(folder.join("person"), known).context("write down what the person knows")?;
    let me = std::env::current_exe().context("find this program")?;
    let program = folder.join(NAME);
    // On another file system there can be no link, but a copy.
    std::fs::hard_link(&me, &program)
        .or_else(|_| std::fs::copy(&me, &program).map(drop))
        .context("make the stand-in for a browser")?;
    Ok(program)
}

/// What the person beside this program knows, if it stands in for a browser.
pub(crate) fn person() -> Option<PathBuf> {
    let me = std::env::current_exe().ok().filter(|me| me.file_stem().is_some_and(|name| name == NAME))?;
    Some(me.with_file_name("person"))
}

/// What that program does with an address: goes through the pages and visits the redirect.
pub(crate) async fn stand_in(person: &Path, url: &str) -> ExitCode {
    match browse(person, url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            let log = person.with_file_name("browser.log");
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
