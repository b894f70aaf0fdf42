//! G9 (SEC-29): addresses of a hostile issuer, on a desktop whose browser tells what it was given and by whom.

use url::Url;

use crate::Desktop;

/// What somebody hopes that a shell, an opener or a browser takes for something else than a part of an address. `{}` is
/// a file that a command of theirs would make.
const PAYLOADS: [&str; 70] = [
    "$(touch$IFS{})",
    "`touch$IFS{}`",
    "`calc`",
    "$(touch${IFS}{})",
    "`touch {}`",
    "$(touch {})",
    ";touch$IFS{};",
    ";touch {};",
    "|touch$IFS{}",
    "||calc",
    "&calc",
    "&&calc",
    "&touch$IFS{}&",
    "%26calc",
    "^&calc",
    "^|calc",
    "%COMSPEC%",
    "%PATH%",
    "!calc!",
    "${HOME}",
    "$HOME",
    "$@",
    "$0",
    "'",
    "''",
    "';calc;'",
    "\"",
    "\";calc;\"",
    "%22",
    "%27",
    "\\\"",
    "\\",
    "\\\\evil.example\\share",
    "<x>",
    ">{}",
    "<{}",
    "\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "\u{0}",
    "\u{1b}]8;;",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{200b}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "%00",
    "%0a",
    "%0d%0a",
    "%20",
    "%09",
    "%1b",
    "%u202e",
    "%E2%80%AE",
    "%s",
    "%u",
    "%U",
    "%c",
    "%%",
    "-o",
    " --new-window",
    "--utility-cmd-prefix=calc",
    "{a,b}",
    "*?~[x]",
    "%252e%252e%252f",
];

const SCHEMES: [&str; 36] = [
    "javascript",
    "JAVASCRIPT",
    "java\tscript",
    " javascript",
    "\u{1}javascript",
    "data",
    "file",
    "FILE",
    "ftp",
    "smb",
    "nfs",
    "vbscript",
    "view-source",
    "blob",
    "about",
    "chrome",
    "chrome-extension",
    "moz-extension",
    "resource",
    "ms-msdt",
    "search-ms",
    "ms-officecmd",
    "shell",
    "vscode",
    "mailto",
    "ssh",
    "steam",
    "jar",
    "ws",
    "wss",
    "tauri",
    "x-apple.systempreferences",
    "itms-services",
    "intent",
    "-o",
    "http+unix",
];

/// Every payload in every place of an address, every scheme in every form, and what fits in no table.
fn addresses(made: &str) -> Vec<String> {
    let mut all = Vec::new();
    for payload in PAYLOADS.map(|payload| payload.replace("{}", made)) {
        all.extend([
            format!("{payload}https://idp.example.com/authorize?state=a"),
            format!("https://idp.example.com/authorize?state=a{payload}"),
            format!("https://idp.example.com/authorize?{payload}=x&state=a"),
            format!("https://idp.example.com/{payload}/authorize?state=a"),
            format!("https://{payload}.example.com/authorize"),
            format!("https://{payload}@idp.example.com/authorize"),
            format!("https://idp.example.com:443{payload}/authorize"),
            format!("https{payload}://idp.example.com/authorize"),
            format!("https://idp.example.com/authorize#{payload}"),
            format!("http://127.0.0.1:9400/auth?x={payload}"),
            payload,
        ]);
    }
    for scheme in SCHEMES {
        all.extend(["//idp.example.com/authorize", ":alert(1)//https://idp.example.com/", ":/etc/passwd"].map(
            |rest| {
                if rest.starts_with(':') { format!("{scheme}{rest}") } else { format!("{scheme}:{rest}") }
            },
        ));
    }
    for host in [
        "-oProxyCommand=calc",
        "--help",
        "-",
        "10.0.0.1",
        "localhost.evil.example",
        "127.1",
        "0x7f.1",
        "IDP.example.com",
    ] {
        all.extend(["https", "http"].map(|scheme| format!("{scheme}://{host}/authorize")));
    }
    all.extend([2048, 2049, 9000, 100_000].map(|length| format!("https://idp.example.com/?{}", "a".repeat(length))));
    all.extend(
        ["", "-", "--", "--help", "-url", "//", "https:", "https://", "https:///", "https:idp.example.com"]
            .map(String::from),
    );
    all
}

/// What must be refused, in the words of RFC 3986 and SEC-29. The rest may be opened, but only as it is.
fn must_be_refused(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    let on_this_machine = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    let web = text.starts_with("https://") || on_this_machine.iter().any(|start| text.starts_with(start));
    let authority = text.split("//").nth(1).unwrap_or_default().split(['/', '?']).next().unwrap_or_default();
    text.len() > 2048 || !text.chars().all(plain) || !web || text.contains('#') || authority.contains('@')
}

fn check(variables: &[(&str, &str)], desktop: &Desktop, options: &[&str]) {
    let made = desktop.place.path().join("made-by-a-shell");
    let addresses = addresses(made.to_str().unwrap());
    assert!(addresses.len() >= 500, "{}", addresses.len());
    let us =
        std::fs::canonicalize(std::env::current_exe().unwrap().parent().unwrap().join("../examples/browser")).unwrap();
    let mut presenter = desktop.presenter(variables);
    let mut opened = 0;
    for address in &addresses {
        let said = presenter.present(address);
        if said == "refused" {
            continue;
        }
        assert_eq!(said, "opened", "{address:?}");
        assert!(!must_be_refused(address), "{address:?} was opened");
        let canonical = Url::parse(address).unwrap();
        let arguments: String =
            options.iter().chain([&canonical.as_str()]).map(|argument| format!("{argument}\n")).collect();
        assert_eq!(desktop.arguments(), format!("{}\n{arguments}{}\n", options.len() + 1, us.display()), "{address:?}");
        opened += 1;
    }
    assert!(opened >= 60, "{opened} of {} were opened", addresses.len());
    assert!(!made.exists(), "a shell took a part of an address for a command");
}

/// Its browser tells its arguments and which program started it; whatever else could be started tells that it was.
fn telling_desktop() -> Desktop {
    let desktop = Desktop::new();
    let told = desktop.told();
    let told = told.display();
    let others = "sh bash dash cmd cmd.exe powershell powershell.exe pwsh xdg-open gio gvfs-open gnome-open kde-open exo-open open start explorer.exe rundll32.exe wsl-open x-www-browser";
    for other in others.split(' ') {
        desktop.install(other, &format!("echo '{other} was started' > '{told}'"));
    }
    let parent = "$(/usr/bin/readlink /proc/$PPID/exe)";
    desktop.install("browser", &format!("printf '%s\\n' \"$#\" \"$@\" \"{parent}\" > '{told}'"));
    desktop
}

#[test]
fn c21_sec_29_hostile_addresses_are_one_argument_of_the_browser_or_nothing() {
    let desktop = telling_desktop();
    desktop.settle_on(&desktop.place.path().join("browser"));
    check(&[("DISPLAY", ":0"), ("XDG_CURRENT_DESKTOP", "GNOME")], &desktop, &[]);
}

#[test]
fn sec_29_the_persons_own_choice_of_browser_gets_no_more() {
    let desktop = telling_desktop();
    let browser = format!("{} --new-window %s", desktop.place.path().join("browser").display());
    check(&[("BROWSER", &browser)], &desktop, &["--new-window"]);
}
