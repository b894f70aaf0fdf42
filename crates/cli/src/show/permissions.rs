//! What persons have allowed.

use keybearer_control::prompt::{Lasting, Permission};
use keybearer_model::time::Timestamp;

use crate::plain::clean;
use crate::show::table::{Cell, columns};
use crate::show::time::{ago_text, moment};
use crate::show::tone::Tone;

/// The permissions, one a line: number, who, where, what, how long, since when.
pub(crate) fn list(permissions: &[Permission], now: Timestamp) -> String {
    if permissions.is_empty() {
        return "  No permissions. You give them in the Keybearer window when an app asks.\n".to_owned();
    }
    columns(&permissions.iter().map(|permission| row(permission, now)).collect::<Vec<_>>())
}

fn row(permission: &Permission, now: Timestamp) -> Vec<Cell> {
    let what = permission.what.as_deref().map_or_else(|| "connect".to_owned(), clean);
    let account = permission.account.as_deref().map(|account| format!("as {}", clean(account))).unwrap_or_default();
    vec![
        Cell::soft(permission.number.to_string()),
        Cell::new(
            Tone::Strong,
            permission.holder.as_deref().map_or_else(|| "an unidentified program".to_owned(), clean),
        ),
        Cell::plain(clean(&permission.server)),
        Cell::plain(what),
        Cell::plain(lasts(permission, now)),
        Cell::soft(ago_text(&permission.given, now).unwrap_or_default()),
        Cell::soft(account),
    ]
}

fn lasts(permission: &Permission, now: Timestamp) -> String {
    let end = permission.ends.as_deref().map(|end| moment(end, now));
    match (permission.lasting, end) {
        (Lasting::Session, _) => "until it closes".to_owned(),
        (Lasting::Today | Lasting::Once, Some(end)) => format!("until {end} UTC"),
        (Lasting::Today | Lasting::Once | Lasting::Always, _) => "always".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::show::samples::{NOW, bare};

    #[test]
    fn each_says_who_may_do_what_until_when() {
        let permission = Permission {
            number: 3,
            holder: Some("claude-desktop".into()),
            program: Some("/opt/Claude/claude".into()),
            server: "crm".into(),
            what: Some("update_account\u{1b}[2J".into()),
            account: Some("dana@example.com".into()),
            lasting: Lasting::Session,
            given: "2023-11-14T22:00:00.000Z".into(),
            ends: Some("2023-11-15T10:00:00.000Z".into()),
        };
        let all = [
            permission.clone(),
            Permission { number: 4, what: None, lasting: Lasting::Always, ends: None, account: None, ..permission },
        ];
        expect![[r#"
            Permissions
              3  claude-desktop  crm  update_account�[2J  until it closes  13 minutes ago  as dana@example.com
              4  claude-desktop  crm  connect             always           13 minutes ago
        "#]]
        .assert_eq(&format!("Permissions\n{}", bare(&list(&all, NOW))));
        assert!(list(&[], NOW).contains("No permissions"));
    }
}
