//! Which scopes a sign-in asks for (MCP authorization, "Scope Selection Strategy" and "Refresh Tokens").

use crate::challenge::Challenge;
use crate::metadata::{AuthorizationServer, ProtectedResource};

/// The most scopes that one sign-in asks for: what a server says goes into an address.
const MOST: usize = 100;

/// What the scopes of a sign-in are chosen from.
pub(crate) struct Needs<'a> {
    /// What the person or IT set.
    pub(crate) settings: &'a [String],
    /// What was asked for before, at the same issuer: a sign-in that needs more takes nothing away.
    pub(crate) before: &'a [String],
    /// What the server said to the request at hand.
    pub(crate) challenge: Option<&'a Challenge>,
}

/// What is asked for: what was asked for before, what the person or IT set and what the server demanded for the request
/// at hand; without any, all that the server knows. Then what a lasting sign-in with a known account needs, as far as
/// the issuer has it.
pub(crate) fn choose(needs: &Needs<'_>, resource: &ProtectedResource, issuer: &AuthorizationServer) -> Vec<String> {
    let mut chosen = Vec::new();
    let demanded = needs.challenge.and_then(|challenge| challenge.scope.as_deref()).unwrap_or_default();
    add(&mut chosen, needs.before.iter().map(String::as_str));
    add(&mut chosen, needs.settings.iter().map(String::as_str));
    add(&mut chosen, demanded.split_whitespace());
    if chosen.is_empty() {
        add(&mut chosen, resource.scopes.iter().map(String::as_str));
    }
    let offered = |scope: &&str| issuer.scopes.iter().any(|known| known == scope);
    // It is the issuer's to offer, and no server's to demand: whoever knows better sets it.
    let lasts = offered(&"offline_access") || needs.settings.iter().any(|scope| scope == "offline_access");
    chosen.retain(|scope| lasts || scope != "offline_access");
    add(&mut chosen, ["offline_access"].into_iter().filter(offered));
    // An account that we could not verify would not be shown, so that it is not asked for either.
    if issuer.jwks.is_some() && offered(&"openid") {
        add(&mut chosen, ["openid", "email", "profile"].into_iter().filter(offered));
    }
    chosen
}

fn add<'a>(chosen: &mut Vec<String>, scopes: impl Iterator<Item = &'a str>) {
    for scope in scopes.filter(|scope| is_scope(scope)) {
        if chosen.len() < MOST && !chosen.iter().any(|known| known == scope) {
            chosen.push(scope.to_owned());
        }
    }
}

/// RFC 6749 §3.3: printable ASCII but space, quote and backslash.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.len() <= 256 && scope.bytes().all(|c| c.is_ascii_graphic() && c != b'"' && c != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Case<'a> {
        settings: &'a [&'a str],
        before: &'a [&'a str],
        demanded: Option<&'a str>,
        resource: &'a [&'a str],
        issuer: &'a [&'a str],
    }

    #[track_caller]
    fn check(case: &Case<'_>, want: &str) {
        let list = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        let server = "https://h.test/mcp".parse().unwrap();
        let known = ProtectedResource { scopes: list(case.resource), ..ProtectedResource::silent(&server) };
        let mut at = AuthorizationServer::by_convention(&server).unwrap();
        at.scopes = list(case.issuer);
        at.jwks = "https://h.test/jwks".parse().ok();
        let challenge = case.demanded.map(|scope| Challenge { scope: Some(scope.to_owned()), ..Challenge::default() });
        let (settings, before) = (list(case.settings), list(case.before));
        let needs = Needs { settings: &settings, before: &before, challenge: challenge.as_ref() };
        assert_eq!(choose(&needs, &known, &at).join(" "), want);
    }

    #[test]
    fn c13_what_is_demanded_comes_before_what_is_known() {
        check(&Case { demanded: Some("a b a"), resource: &["c"], ..Case::default() }, "a b");
        check(&Case { resource: &["c", "d"], ..Case::default() }, "c d");
        check(&Case { settings: &["mine"], demanded: Some("a"), resource: &["c"], ..Case::default() }, "mine a");
        check(&Case { settings: &["mine"], resource: &["c"], ..Case::default() }, "mine");
        check(&Case { issuer: &["x", "y"], ..Case::default() }, "");
    }

    #[test]
    fn c15_what_was_asked_for_before_is_asked_for_again_with_what_is_demanded_now() {
        check(&Case { before: &["read"], demanded: Some("write"), resource: &["c"], ..Case::default() }, "read write");
        check(&Case { before: &["read", "write"], demanded: Some("read"), ..Case::default() }, "read write");
    }

    #[test]
    fn c14_lasting_and_known_sign_ins_are_asked_for_where_they_are_offered() {
        let all = ["offline_access", "openid", "email"];
        check(&Case { demanded: Some("a"), issuer: &all, ..Case::default() }, "a offline_access openid email");
        let openid = ["openid", "email", "profile"];
        check(&Case { settings: &["openid"], issuer: &openid, ..Case::default() }, "openid email profile");
        check(&Case { demanded: Some("a"), issuer: &["email", "profile"], ..Case::default() }, "a");
    }

    #[test]
    fn c14_a_server_cannot_demand_what_is_the_issuers_to_offer() {
        check(&Case { demanded: Some("a offline_access"), ..Case::default() }, "a");
        check(&Case { resource: &["a", "offline_access"], issuer: &["a"], ..Case::default() }, "a");
        check(&Case { settings: &["offline_access"], ..Case::default() }, "offline_access");
        check(&Case { before: &["a", "offline_access"], demanded: Some("b"), ..Case::default() }, "a b");
    }

    #[test]
    fn what_is_no_scope_is_not_sent() {
        check(
            &Case { settings: &["a\"b", "c\\d", "é", "ok"], demanded: Some("\u{7f} fine"), ..Case::default() },
            "ok fine",
        );
    }
}
