//! Which scopes a sign-in asks for (MCP authorization, "Scope Selection Strategy" and "Refresh Tokens").

use crate::challenge::Challenge;
use crate::metadata::{AuthorizationServer, ProtectedResource};

/// The most scopes that one sign-in asks for: what a server says goes into an address.
const MOST: usize = 100;

/// What is asked for: what the person or IT set and what the server demanded for the request at hand; without either,
/// all that the server knows. Then what a lasting sign-in with a known account needs, as far as the issuer has it.
pub(crate) fn choose(
    settings: &[String],
    challenge: Option<&Challenge>,
    resource: &ProtectedResource,
    issuer: &AuthorizationServer,
) -> Vec<String> {
    let mut chosen = Vec::new();
    let demanded = challenge.and_then(|challenge| challenge.scope.as_deref()).unwrap_or_default();
    add(&mut chosen, settings.iter().map(String::as_str));
    add(&mut chosen, demanded.split_whitespace());
    if chosen.is_empty() {
        add(&mut chosen, resource.scopes.iter().map(String::as_str));
    }
    let offered = |scope: &&str| issuer.scopes.iter().any(|known| known == scope);
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

    #[track_caller]
    fn check(settings: &[&str], demanded: Option<&str>, resource: &[&str], issuer: &[&str], want: &str) {
        let list = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        let server = "https://h.test/mcp".parse().unwrap();
        let known = ProtectedResource { scopes: list(resource), ..ProtectedResource::silent(&server) };
        let mut at = AuthorizationServer::by_convention(&server).unwrap();
        at.scopes = list(issuer);
        at.jwks = "https://h.test/jwks".parse().ok();
        let challenge = demanded.map(|scope| Challenge { scope: Some(scope.to_owned()), ..Challenge::default() });
        assert_eq!(choose(&list(settings), challenge.as_ref(), &known, &at).join(" "), want);
    }

    #[test]
    fn what_is_demanded_comes_before_what_is_known() {
        check(&[], Some("a b a"), &["c"], &[], "a b");
        check(&[], None, &["c", "d"], &[], "c d");
        check(&["mine"], Some("a"), &["c"], &[], "mine a");
        check(&["mine"], None, &["c"], &[], "mine");
        check(&[], None, &[], &["x", "y"], "");
    }

    #[test]
    fn lasting_and_known_sign_ins_are_asked_for_where_they_are_offered() {
        check(&[], Some("a"), &[], &["offline_access", "openid", "email"], "a offline_access openid email");
        check(&["openid"], None, &[], &["openid", "email", "profile"], "openid email profile");
        check(&[], Some("a"), &[], &["email", "profile"], "a");
    }

    #[test]
    fn what_is_no_scope_is_not_sent() {
        check(&["a\"b", "c\\d", "é", "ok"], Some("\u{7f} fine"), &[], &[], "ok fine");
    }
}
