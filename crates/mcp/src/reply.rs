//! What Keybearer itself answers: JSON-RPC errors with a stable code and one fixed sentence.
//!
//! A sentence holds a server's short name and nothing else that anybody else wrote, no address and no secret: a model
//! may read and repeat it, and cannot be steered by it.

use keybearer_model::name::ServerName;
use serde::Serialize;

use crate::peek::{Refused, is_id};

/// What stands between a call and its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// The person has to sign in.
    SignInNeeded,
    /// A rule forbids it, or the person said no.
    NotAllowed,
    /// It needs the person's yes, and nobody is there to ask.
    NobodyToAsk,
    /// The person was asked and did not answer in time.
    NoAnswer,
    /// The server cannot be reached; nothing was sent.
    Unreachable,
    /// The server's certificate is not trusted; nothing was sent.
    NotTrusted,
    /// The answer broke off: whether the server did what was asked is unknown.
    Interrupted,
    /// The server refuses a sign-in that is good.
    SignInRefused,
    /// The issuer does not answer, so that the sign-in cannot be renewed now.
    IssuerUnavailable,
    /// The keychain is locked or does not answer.
    KeychainLocked,
    /// No server of that name.
    UnknownServer,
    /// Keybearer is turned off, or ending.
    TurnedOff,
    /// Too many calls at once, or one that is too large.
    TooMuch,
    /// Something of ours failed.
    Internal,
    /// The server does not take the message itself, by this HTTP status (4xx), and gives no error that the client could
    /// read.
    ServerRefused(u16),
}

impl Obstacle {
    /// Every obstacle, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::SignInNeeded,
        Self::NotAllowed,
        Self::NobodyToAsk,
        Self::NoAnswer,
        Self::Unreachable,
        Self::Interrupted,
        Self::SignInRefused,
        Self::IssuerUnavailable,
        Self::KeychainLocked,
        Self::UnknownServer,
        Self::TurnedOff,
        Self::TooMuch,
        Self::Internal,
        Self::NotTrusted,
        Self::ServerRefused(400),
    ];

    /// The number in the error.
    pub const fn code(self) -> i64 {
        match self {
            Self::SignInNeeded => codes::SIGN_IN_NEEDED,
            Self::NotAllowed => codes::NOT_ALLOWED,
            Self::NobodyToAsk => codes::NOBODY_TO_ASK,
            Self::NoAnswer => codes::NO_ANSWER,
            Self::Unreachable => codes::UNREACHABLE,
            Self::Interrupted => codes::INTERRUPTED,
            Self::SignInRefused => codes::SIGN_IN_REFUSED,
            Self::IssuerUnavailable => codes::ISSUER_UNAVAILABLE,
            Self::KeychainLocked => codes::KEYCHAIN_LOCKED,
            Self::UnknownServer => codes::UNKNOWN_SERVER,
            Self::TurnedOff => codes::TURNED_OFF,
            Self::TooMuch => codes::TOO_MUCH,
            Self::Internal => codes::INTERNAL,
            Self::NotTrusted => codes::NOT_TRUSTED,
            Self::ServerRefused(_) => codes::SERVER_REFUSED,
        }
    }

    /// The word in the error's `data.code`; it never changes its meaning.
    pub const fn stable(self) -> &'static str {
        match self {
            Self::SignInNeeded => "sign_in_needed",
            Self::NotAllowed => "not_allowed",
            Self::NobodyToAsk => "nobody_to_ask",
            Self::NoAnswer => "no_answer",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::SignInRefused => "sign_in_refused",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::KeychainLocked => "keychain_locked",
            Self::UnknownServer => "unknown_server",
            Self::TurnedOff => "turned_off",
            Self::TooMuch => "too_much",
            Self::Internal => "internal",
            Self::NotTrusted => "not_trusted",
            Self::ServerRefused(_) => "server_refused",
        }
    }
}

/// Our own numbers. JSON-RPC keeps -32768 to -32000 for itself and for protocols on top of it.
pub mod codes {
    /// The person has to sign in.
    pub const SIGN_IN_NEEDED: i64 = -31_001;
    /// A rule forbids it, or the person said no.
    pub const NOT_ALLOWED: i64 = -31_002;
    /// Nobody is there to ask.
    pub const NOBODY_TO_ASK: i64 = -31_003;
    /// The person did not answer in time.
    pub const NO_ANSWER: i64 = -31_004;
    /// The server cannot be reached.
    pub const UNREACHABLE: i64 = -31_005;
    /// The answer broke off.
    pub const INTERRUPTED: i64 = -31_006;
    /// The server refuses the sign-in.
    pub const SIGN_IN_REFUSED: i64 = -31_007;
    /// The issuer does not answer.
    pub const ISSUER_UNAVAILABLE: i64 = -31_008;
    /// The keychain is locked.
    pub const KEYCHAIN_LOCKED: i64 = -31_009;
    /// No server of that name.
    pub const UNKNOWN_SERVER: i64 = -31_010;
    /// Keybearer is turned off.
    pub const TURNED_OFF: i64 = -31_011;
    /// Too many calls, or one that is too large.
    pub const TOO_MUCH: i64 = -31_012;
    /// Something of ours failed.
    pub const INTERNAL: i64 = -31_013;
    /// The server's certificate is not trusted.
    pub const NOT_TRUSTED: i64 = -31_014;
    /// The server does not take the message.
    pub const SERVER_REFUSED: i64 = -31_015;
}

/// The fixed sentence for an obstacle on the way to `server`.
pub fn sentence(obstacle: Obstacle, server: &ServerName) -> String {
    match obstacle {
        Obstacle::SignInNeeded => format!("Keybearer: sign in to {server} in the Keybearer window, then try again."),
        Obstacle::NotAllowed => format!("Keybearer: this is not allowed for {server}."),
        Obstacle::NobodyToAsk => {
            format!("Keybearer: this needs a person's permission for {server}, and nobody is there to ask.")
        }
        Obstacle::NoAnswer => {
            format!("Keybearer: nobody answered the question about {server} in time. Answer it, then try again.")
        }
        Obstacle::Unreachable => format!("Keybearer: {server} cannot be reached at the moment."),
        Obstacle::Interrupted => {
            format!("Keybearer: the answer of {server} broke off. Check what it did before trying again.")
        }
        Obstacle::SignInRefused => {
            format!("Keybearer: {server} refuses the company's sign-in. Your IT department can help.")
        }
        Obstacle::IssuerUnavailable => {
            format!("Keybearer: the company sign-in for {server} does not answer at the moment.")
        }
        Obstacle::KeychainLocked => format!("Keybearer: unlock the keychain to use {server}, then try again."),
        Obstacle::UnknownServer => format!("Keybearer: there is no server {server}."),
        Obstacle::TurnedOff => "Keybearer: Keybearer is turned off.".to_owned(),
        Obstacle::TooMuch => format!("Keybearer: too much at once for {server}."),
        Obstacle::Internal => format!("Keybearer: something went wrong on the way to {server}."),
        Obstacle::NotTrusted => {
            format!("Keybearer: the certificate of {server} is not trusted. Your IT department can help.")
        }
        Obstacle::ServerRefused(status) => {
            format!("Keybearer: {server} refused this message (HTTP {status}). {}", remedy(status))
        }
    }
}

/// What to do about a status by which a server refuses a message (RFC 9110 §15.5, RFC 8470 §5.2).
const fn remedy(status: u16) -> &'static str {
    match status {
        403 => "Your IT department can help.",
        404 | 405 | 410 => "The person can check its address in Keybearer.",
        408 | 425 => "Wait a while, then try again.",
        413 => "It is too large; send less at once.",
        _ => "Trying the same again will not help.",
    }
}

/// The fixed sentence where a sign-in to `server` is needed and no page can be shown for it here: the command takes a code
/// instead, which does on any device (RFC 8628).
pub fn sign_in_in_a_terminal(server: &ServerName) -> String {
    format!(
        "Keybearer: no browser can be opened here. The person can sign in with `keybearer login {server}` in a terminal; \
         then try again."
    )
}

/// The error that answers `id` (JSON text, as [`crate::peek::Kind`] has it) where an obstacle stands in the way.
pub fn obstacle(id: &str, obstacle: Obstacle, server: &ServerName) -> Vec<u8> {
    error(id, obstacle.code(), obstacle.stable(), &sentence(obstacle, server))
}

/// The error for a body that is no message; it answers no id, because none was judged.
pub fn refused(refused: &Refused) -> Vec<u8> {
    error("null", refused.code(), refused.stable(), &refused.to_string())
}

/// A JSON-RPC error. `id` is JSON text; what cannot be an id becomes `null`.
pub fn error(id: &str, code: i64, stable: &str, message: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        code: i64,
        message: &'a str,
        data: Stable<'a>,
    }
    #[derive(Serialize)]
    struct Stable<'a> {
        code: &'a str,
    }
    let id = if is_id(id) { id } else { "null" };
    let body = serde_json::to_string(&Body { code, message, data: Stable { code: stable } }).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{body}}}"#).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;

    use super::*;

    #[test]
    fn every_obstacle_has_a_sentence_a_word_and_a_number_of_its_own() {
        let crm = "crm".parse().unwrap();
        let table = Obstacle::ALL.map(|it| format!("{} {} {}", it.code(), it.stable(), sentence(it, &crm))).join("\n");
        expect![[r#"
            -31001 sign_in_needed Keybearer: sign in to crm in the Keybearer window, then try again.
            -31002 not_allowed Keybearer: this is not allowed for crm.
            -31003 nobody_to_ask Keybearer: this needs a person's permission for crm, and nobody is there to ask.
            -31004 no_answer Keybearer: nobody answered the question about crm in time. Answer it, then try again.
            -31005 unreachable Keybearer: crm cannot be reached at the moment.
            -31006 interrupted Keybearer: the answer of crm broke off. Check what it did before trying again.
            -31007 sign_in_refused Keybearer: crm refuses the company's sign-in. Your IT department can help.
            -31008 issuer_unavailable Keybearer: the company sign-in for crm does not answer at the moment.
            -31009 keychain_locked Keybearer: unlock the keychain to use crm, then try again.
            -31010 unknown_server Keybearer: there is no server crm.
            -31011 turned_off Keybearer: Keybearer is turned off.
            -31012 too_much Keybearer: too much at once for crm.
            -31013 internal Keybearer: something went wrong on the way to crm.
            -31014 not_trusted Keybearer: the certificate of crm is not trusted. Your IT department can help.
            -31015 server_refused Keybearer: crm refused this message (HTTP 400). Trying the same again will not help."#]]
        .assert_eq(&table);
        let words = Obstacle::ALL.map(Obstacle::stable).into_iter().collect::<BTreeSet<_>>();
        let numbers = Obstacle::ALL.map(Obstacle::code).into_iter().collect::<BTreeSet<_>>();
        assert!(words.len() == Obstacle::ALL.len() && numbers.len() == Obstacle::ALL.len());
        assert!(numbers.iter().all(|number| !(-32768..=-32000).contains(number)));
        assert!(!table.contains("http") && !table.contains('/'));
    }

    #[test]
    fn every_obstacle_is_in_the_page_on_doors() {
        let page = include_str!("../../../docs/doors.md");
        for obstacle in Obstacle::ALL {
            let row = format!("| {} | `{}` |", obstacle.code(), obstacle.stable());
            assert!(page.contains(&row), "`docs/doors.md` lacks `{row}`");
        }
    }

    #[test]
    fn a_refusal_by_status_says_what_to_do() {
        let crm = "crm".parse().unwrap();
        let told = [403, 404, 408, 413].map(|status| sentence(Obstacle::ServerRefused(status), &crm)).join("\n");
        expect![[r#"
            Keybearer: crm refused this message (HTTP 403). Your IT department can help.
            Keybearer: crm refused this message (HTTP 404). The person can check its address in Keybearer.
            Keybearer: crm refused this message (HTTP 408). Wait a while, then try again.
            Keybearer: crm refused this message (HTTP 413). It is too large; send less at once."#]]
        .assert_eq(&told);
    }

    #[test]
    fn an_error_keeps_the_id_byte_for_byte() {
        let crm = "crm".parse().unwrap();
        let told = |id| String::from_utf8(obstacle(id, Obstacle::NotAllowed, &crm)).unwrap();
        expect![[r#"{"jsonrpc":"2.0","id":123456789012345678901234567890,"error":{"code":-31002,"message":"Keybearer: this is not allowed for crm.","data":{"code":"not_allowed"}}}"#]].assert_eq(&told("123456789012345678901234567890"));
        assert!(told(r#""\u0061\"""#).contains(r#""id":"\u0061\"","#));
        assert!(told(r#"1,"result":{}"#).contains(r#""id":null,"#));
    }

    #[test]
    fn a_refused_body_is_answered_with_the_protocol_s_own_code() {
        let told = String::from_utf8(refused(&Refused::Syntax { at: 3 })).unwrap();
        expect![[r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the message is not JSON (byte 3)","data":{"code":"not_json"}}}"#]].assert_eq(&told);
    }
}
