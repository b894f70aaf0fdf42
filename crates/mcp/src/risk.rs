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
    for (position, word) in words(name).iter().enumerate() {
        let word = word.as_str();
        let first = position == 0;
        if SENDS.contains(&word) || first && SENDS_FIRST.contains(&word) {
            risk = risk.max(RiskClass::Send);
        } else if DELETES.contains(&word) || first && DELETES_FIRST.contains(&word) {
            risk = risk.max(RiskClass::Delete);
        }
    }
    risk
}

/// The words of `send_email`, `send-email`, `sendEmail` and `SendEMail2`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for letter in name.chars().take(256) {
        let begins = !letter.is_alphanumeric() || letter.is_uppercase() && before_is_lower;
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        before_is_lower = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
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
