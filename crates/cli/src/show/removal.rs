//! What is removed of a person's things, before and after.

use keybearer_control::connect::{Disconnected, KnownClient};
use keybearer_control::snapshot::Server;
use keybearer_control::wire::SignInEnd;
use keybearer_os::traces::{Kind, Trace};

use crate::plain::clean;
use crate::show::tone::Tone;
use crate::show::{connect, ending};

/// What would be removed.
pub(crate) fn preview(apps: &[KnownClient], servers: &[Server], goes: &[Trace], kept: &[Trace]) -> String {
    let mut text = String::new();
    if !apps.is_empty() {
        let names: Vec<_> = apps.iter().map(|app| clean(&app.name)).collect();
        text.push_str(&format!("These apps lose their entries of Keybearer: {}\n", names.join(", ")));
    }
    if !servers.is_empty() {
        let names: Vec<_> = servers.iter().map(|server| clean(&server.name)).collect();
        text.push_str(&format!(
            "The sign-ins for these company tools end, and their secrets leave the keychain: {}\n",
            names.join(", ")
        ));
    }
    text.push_str(&list("These are removed:", goes));
    text.push_str(&list("These stay:", kept));
    text.push_str("\nClose Keybearer's window and the apps that use it first: what still runs may write again.\n");
    text
}

/// What was removed.
pub(crate) fn done(apps: &[Disconnected], ends: &[SignInEnd], gone: &[Trace], kept: &[Trace]) -> String {
    let mut text: String = apps.iter().map(connect::disconnected).collect();
    text.extend(ends.iter().map(|end| ending::signed_out(&end.server, &[], &end.revocation)));
    text.push_str(&format!("{} Your data is removed.\n", Tone::Good.paint("✓")));
    text.push_str(&list("Removed:", gone));
    text.push_str(&list("Kept:", kept));
    text
}

fn list(title: &str, traces: &[Trace]) -> String {
    if traces.is_empty() {
        return String::new();
    }
    let line = |trace: &Trace| format!("  {}: {}\n", what(trace.kind), clean(&trace.path.to_string_lossy()));
    format!("{title}\n{}", traces.iter().map(line).collect::<String>())
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Settings => "settings",
        Kind::Audit => "audit trail",
        Kind::State => "what Keybearer remembers",
        Kind::Runtime => "sockets and locks",
        Kind::Window => "what the window keeps",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_what_stays_is_named_with_its_place() {
        let trace = |kind, path: &str| Trace { kind, path: path.into() };
        let (goes, kept) =
            ([trace(Kind::Settings, "/home/dana/.config/keybearer/config.toml")], [trace(Kind::Audit, "/a")]);
        expect_test::expect![[r#"
            These are removed:
              settings: /home/dana/.config/keybearer/config.toml
            These stay:
              audit trail: /a

            Close Keybearer's window and the apps that use it first: what still runs may write again.
        "#]]
        .assert_eq(&preview(&[], &[], &goes, &kept));
    }
}
