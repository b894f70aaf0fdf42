//! What can be found: each code with its weight and its words, for people and for scripts.

use std::fmt;

use crate::text::shown;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// It works less well, or may fail.
    Warning,
    /// Signing in does not work.
    Problem,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What exactly was seen, for IT; other people's words in it are cleaned and cut.
    pub detail: String,
}

/// All that was found, in the order of the walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report(Vec<Finding>);

impl Report {
    pub(super) fn add(&mut self, code: Code, detail: &str) {
        let detail = detail.lines().map(shown).collect::<Vec<_>>().join("; ");
        self.0.push(Finding { code, severity: code.severity(), detail });
    }

    /// What was found of one issuer is no problem where another one serves.
    pub(super) fn soften(&mut self, from: usize) {
        let found = self.0.iter_mut().skip(from);
        found.filter(|f| f.severity == Severity::Problem).for_each(|f| f.severity = Severity::Warning);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each finding.
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// The worst of them.
    pub fn worst(&self) -> Severity {
        self.0.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Good)
    }
}

/// Declares the codes: name, what a script reads, severity, the person's sentence, what to do (empty: nothing).
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident, $words:literal, $advice:literal;)*) => {
        /// What was found. The text of a code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $words] $name,)* }

        impl Code {
            /// Every code, in the order of the walk.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What a script branches on.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// It, in a sentence for a person.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// What the person can do, or whom to tell; empty where there is nothing to do.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

codes! {
    ServerUnreachable = "server_unreachable", Problem, "The server cannot be reached.",
        "Check the address and the network; some servers answer only inside the company's network or VPN.";
    ServerCertificate = "server_certificate", Problem, "The server's certificate is not trusted on this computer.",
        "Tell IT: either the server's certificate is wrong, or this computer lacks the company's certificate authority.";
    ServerForbidden = "server_forbidden", Problem, "The server's address is one that no sign-in may go to.",
        "Check the address: it is link-local, reserved, or belongs to a cloud's own machinery.";
    ServerInterrupted = "server_interrupted", Warning, "The server's first answer did not come to its end.",
        "Try again; if it stays so, tell whoever runs the server.";
    ServerTrouble = "server_trouble", Problem, "The server answers with a trouble of its own.",
        "Try again later; if it stays so, tell whoever runs the server.";
    ServerRedirects = "server_redirects", Problem, "The server sends us to another address.",
        "Set the server's `url` to the address where it really is.";
    ServerNotThere = "server_not_there", Problem, "There is nothing at this address.",
        "Check the path in the address; many servers are at `/mcp`.";
    ServerNotMcp = "server_not_mcp", Problem, "What answers at this address is a web page, not an MCP server.",
        "Check the path in the address; many servers are at `/mcp`.";
    ServerOldTransport = "server_old_transport", Note, "The server takes no messages at this address: it may speak the transport of 2024.", "";
    ServerRefusesHandshake = "server_refuses_handshake", Warning, "The server refuses a first message that is by the specification.",
        "Tell whoever runs the server.";
    ServerAnswers = "server_answers", Good, "The server answers.", "";
    AsksForSignIn = "asks_for_sign_in", Good, "The server asks for a sign-in and says where its description is.", "";
    ChallengeWithoutMetadata = "challenge_without_metadata", Note, "The server asks for a sign-in, but does not say where its description is.", "";
    ChallengeMissing = "challenge_missing", Warning, "The server refuses without saying that it wants a sign-in.",
        "Tell whoever runs the server: a 401 needs `WWW-Authenticate: Bearer` with `resource_metadata`.";
    ChallengeForeign = "challenge_foreign", Warning, "The server wants another kind of proof than a sign-in.",
        "If it wants a fixed key, add it with `--header`; else tell whoever runs the server.";
    ChallengeUnusable = "challenge_unusable", Warning, "The server names a place for its description that must not be asked.",
        "Tell whoever runs the server that `resource_metadata` must be an https address beside the server.";
    LateChallenge = "late_challenge", Note, "The server shakes hands with anybody, and asks for the sign-in later.", "";
    OpenServer = "open_server", Note, "The server lists its tools to anybody: it asks for no sign-in.", "";
    OpenButDescribed = "open_but_described", Warning, "The server describes a sign-in, but asks nobody for it.",
        "Sign in with `keybearer login` if calls are refused; tell whoever runs the server that its first answer should be 401.";
    FixedMeans = "fixed_means", Note, "The server is set to be used without a sign-in.", "";
    ResourceFound = "resource_found", Good, "The server describes itself.", "";
    ResourceElsewhere = "resource_elsewhere", Warning, "The server's description is not where the server says it is.",
        "Tell whoever runs the server that `resource_metadata` leads nowhere.";
    ResourceAtRoot = "resource_at_root", Note, "The server's description is that of its whole host.", "";
    ResourceMissing = "resource_missing", Warning, "The server does not describe itself.",
        "Tell whoever runs the server that it needs protected-resource metadata (RFC 9728).";
    ResourceTrouble = "resource_trouble", Problem, "The server's description cannot be fetched now.", "Try again later.";
    ResourceIsAnother = "resource_is_another", Problem, "The server's description is that of another server.",
        "Set the server's `url` to the address that it names, if that is the one that you mean; else tell whoever runs it.";
    ResourceContains = "resource_contains", Note, "The server's description names a wider address than the one that is set.", "";
    ResourceNamesNobody = "resource_names_nobody", Warning, "The server's description names no company sign-in.",
        "Tell whoever runs the server that `authorization_servers` is missing.";
    IssuerUnusable = "issuer_unusable", Problem, "The company sign-in that the server names must not be asked.",
        "Tell whoever runs the server: its sign-in must be an https address, and a public server may not name a private one.";
    IssuerUnreachable = "issuer_unreachable", Problem, "The company sign-in cannot be reached.",
        "Check the network; some sign-ins answer only inside the company's network or VPN.";
    IssuerCertificate = "issuer_certificate", Problem, "The certificate of the company sign-in is not trusted on this computer.",
        "Tell IT: either its certificate is wrong, or this computer lacks the company's certificate authority.";
    IssuerForbidden = "issuer_forbidden", Problem, "The company sign-in is at an address that this server may not lead to.",
        "Tell IT: a public server may not lead into a private network. If both are the company's, use the server's private address.";
    IssuerTrouble = "issuer_trouble", Problem, "The company sign-in answers with a trouble of its own.", "Try again later, and tell IT if it stays so.";
    IssuerWithoutMetadata = "issuer_without_metadata", Problem, "The company sign-in does not describe itself.",
        "Tell IT that it needs authorization-server metadata (RFC 8414 or OpenID Connect Discovery).";
    OnlyConvention = "only_convention", Problem, "Nothing says how to sign in; only the convention of 2025 is left to be tried.",
        "Check the address; if the server wants a fixed key, add it with `--header`; else tell whoever runs it.";
    IssuerIsAnother = "issuer_is_another", Problem, "The company sign-in's description is that of another one.",
        "Tell IT that `issuer` in the metadata must be the address under which the server names it.";
    IssuerUnsound = "issuer_unsound", Problem, "The company sign-in's description cannot be used.", "Tell IT what is wrong with it.";
    IssuerFound = "issuer_found", Good, "The company sign-in describes itself.", "";
    IssuerSpelledOtherwise = "issuer_spelled_otherwise", Note, "Server and company sign-in write its name differently by a slash.", "";
    IssuerKnownToDeviate = "issuer_known_to_deviate", Note, "The company sign-in calls itself by another name, as this kind is known to.", "";
    OtherIssuers = "other_issuers", Note, "The server names other company sign-ins, too; the first that works is used.", "";
    PkceOffered = "pkce_offered", Good, "The company sign-in protects sign-ins with PKCE.", "";
    PkceKnown = "pkce_known", Note, "The company sign-in does not say that it knows PKCE, but its kind is known to.", "";
    PkceMissing = "pkce_missing", Problem, "The company sign-in does not say that it protects sign-ins with PKCE.",
        "Tell IT that `code_challenge_methods_supported` must list `S256`.";
    CodeFlowMissing = "code_flow_missing", Problem, "The company sign-in does not offer the kind of sign-in that apps use.",
        "Tell IT that `response_types_supported` must list `code`, and `grant_types_supported` `authorization_code`.";
    ClientSet = "client_set", Good, "Keybearer's client id for the company sign-in is set.", "";
    RegistrationByDocument = "registration_by_document", Good, "The company sign-in takes an app's own document for its registration.", "";
    RegistrationOffered = "registration_offered", Good, "Apps can register themselves at the company sign-in.", "";
    RegistrationMissing = "registration_missing", Problem, "Apps cannot register themselves at the company sign-in.",
        "Ask IT to register Keybearer as a native app with the redirect address `http://127.0.0.1/callback` (any port), and set the `client_id` that they get.";
    ClientAuthUnknown = "client_auth_unknown", Problem, "The company sign-in wants a proof from apps that Keybearer cannot give.",
        "Tell IT that `token_endpoint_auth_methods_supported` must list `none`, `client_secret_basic` or `client_secret_post`.";
    LastingSignIn = "lasting_sign_in", Good, "A sign-in lasts: the company sign-in renews it.", "";
    LastingUnsaid = "lasting_unsaid", Note, "The company sign-in does not say whether a sign-in can be renewed.", "";
    ShortSignIn = "short_sign_in", Warning, "A sign-in cannot be renewed: you sign in again each time it ends.",
        "Ask IT to allow `refresh_token` and `offline_access` for Keybearer.";
    ScopesUnknown = "scopes_unknown", Note, "The server wants permissions that the company sign-in does not list.", "";
    ReturnNamed = "return_named", Good, "The way back from the sign-in says from whom it comes.", "";
    ReturnUnnamed = "return_unnamed", Note, "The way back from the sign-in does not say from whom it comes.", "";
    ResourceLeftOut = "resource_left_out", Note, "This kind of company sign-in refuses to be told the server's address; it is left out.", "";
    RevocationOffered = "revocation_offered", Good, "Signing out ends the sign-in at the company, too.", "";
    RevocationMissing = "revocation_missing", Note, "Signing out forgets the sign-in here; at the company it ends by itself.", "";
    DeviceOffered = "device_offered", Note, "Signing in works without a browser on this computer, by a code (`login --device`).", "";
    PushedRequired = "pushed_required", Note, "The company sign-in wants its questions handed in beforehand.", "";
    AccountUnknown = "account_unknown", Note, "The company sign-in does not tell who signed in: no account can be shown.", "";
    OurClockOff = "our_clock_off", Warning, "This computer's clock is wrong.", "Set date and time, or let the system set them.";
    ClockOff = "clock_off", Warning, "The clock of the server or of the company sign-in is wrong.",
        "Tell whoever runs it; sign-ins may be taken for expired or not begun.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    const PAGE: &str = include_str!("../../../../docs/doctor.md");

    /// `UPDATE_EXPECT=1` writes it anew.
    #[test]
    fn the_page_names_every_code() {
        let rows = Code::ALL.iter().map(|code| {
            let weight = match code.severity() {
                Severity::Good => "good",
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Problem => "problem",
            };
            format!("| `{code}` | {weight} | {} {} |\n", code.words(), code.advice()).replace("  |", " |")
        });
        let (before, _) = PAGE.split_once("| code |").unwrap();
        let page = format!(
            "{before}| code | weight | what it says, and what to do |\n|---|---|---|\n{}",
            rows.collect::<String>()
        );
        expect_file!["../../../../docs/doctor.md"].assert_eq(&page);
    }

    #[test]
    fn codes_are_unique_and_whoever_has_a_problem_is_told_what_to_do() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.words().ends_with('.') && !code.words().contains("  "), "{code}");
            let to_do = code.severity() >= Severity::Warning;
            assert_eq!(
                to_do,
                !code.advice().is_empty(),
                "{code}: advice where there is something to do, and only there"
            );
        }
    }
}
