//! How much a tool can do, as far as its name admits.
//!
//! A name can only raise: `get_*` may do anything, so that nothing here ever counts as reading (SEC-58).

use keybearer_model::call::RiskClass;

/// Verbs wherever they stand in a name.
const SENDS: [&str; 10] =
    ["send", "publish", "reply", "invite", "notify", "upload", "tweet", "broadcast", "export", "transfer"];
const DELETES: [&str; 10] =
    ["delete", "remove", "destroy", "purge", "erase", "wipe", "truncate", "trash", "uninstall", "revoke"];

/// Words that are verbs only where they come first: `post_update` sends, `list_post_drafts` does not.
const SENDS_FIRST: [&str; 6] = ["post", "mail", "email", "message", "share", "forward"];
const DELETES_FIRST: [&str; 4] = ["drop", "clear", "cancel", "rm"];

/// The risk of a tool by its name: at least a change.
pub fn of_tool(name: &str) -> RiskClass {
    let mut risk = RiskClass::Change;
    for_each_word(name, |position, word| {
        let first = position == 0;
        if SENDS.contains(&word) || first && SENDS_FIRST.contains(&word) {
            risk = risk.max(RiskClass::Send);
        } else if DELETES.contains(&word) || first && DELETES_FIRST.contains(&word) {
            risk = risk.max(RiskClass::Delete);
        }
    });
    risk
}

/// A name longer than this says no more.
const LONGEST: usize = 256;

/// Goes through the words of `send_email`, `send-email`, `sendEmail` and `SendEMail2`, in lower case.
fn for_each_word(name: &str, mut tell: impl FnMut(usize, &str)) {
    let (mut word, mut position, mut before_is_lower) = (String::with_capacity(32), 0, false);
    for letter in name.chars().take(LONGEST) {
        let begins = !letter.is_alphanumeric() || letter.is_uppercase() && before_is_lower;
        if begins && !word.is_empty() {
            tell(position, &word);
            position += 1;
            word.clear();
        }
        before_is_lower = letter.is_lowercase() || letter.is_numeric();
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    tell(position, &word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_raise_and_nothing_lowers() {
        for (risk, names) in [
            (
                RiskClass::Change,
                &["get_customer", "list_post_drafts", "sender_of", "undeleted", "", "搜索", "clearance"][..],
            ),
            (RiskClass::Delete, &["delete_customer", "crm.deleteCustomer", "DROP_TABLE", "bulk-remove"]),
            (RiskClass::Send, &["send_email", "sendEmail", "post_update", "delete_and_notify", "mail-report"]),
        ] {
            for name in names {
                assert_eq!(of_tool(name), risk, "{name:?}");
            }
        }
    }
}
