use expect_test::{Expect, expect};

use keybearer_oauth::exceptions::{Exceptions, ResourceException};
use keybearer_oauth::profile::{PkceSupport, RefreshReach};

use super::*;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that a table row reads `expect![...]`")]
fn check(text: &str, want: Expect) {
    let told = match Config::parse(text) {
        Ok(config) => format!("{config:#?}"),
        Err(problems) => problems.iter().map(told).collect::<Vec<_>>().join("\n"),
    };
    want.assert_eq(&told);
}

fn told(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{problem} ({hint})"),
        None => problem.to_string(),
    }
}

/// A file with everything in it.
const WHOLE: &str = r#"# ours
unknown = "deny"
keystore = "memory"
http_port = 41_234
ask_timeout = 30
sign_in_surface = "browser"

[servers.crm]
url = "https://crm.example.com/mcp?tenant=${HOME}"   # not expanded
client_id = "our-app"
client_auth = "client_secret_basic"
scopes = ["a", "b:c"]
sign_in_life = 72
sign_in_surface = "webview"

[servers.wiki]
url = "http://127.0.0.1:9/mcp"
auth = "header"
header = "X-API-Key"

[servers.open]
url = "https://open.example.com/"
auth = "none"

[[rules]]
effect = "allow"
client = "claude-desktop"
server = "crm"
tool = ["get_*", "find_*"]
except = [{ tool = "get_salaries" }]

[[rules]]
effect = "deny"
client = ["/usr/bin/*", 'C:\Apps\x.exe']
"#;

#[test]
fn our_own_name_is_no_server_s() {
    check(
        "[servers.keybearer]\nurl = \"https://x.example.com/\"\n",
        expect!["line 1: `keybearer` is kept for Keybearer's own tools"],
    );
}

#[test]
fn a_whole_file() {
    let config = Config::parse(WHOLE).unwrap();
    let names = config.servers.keys().map(ServerName::as_str).collect::<Vec<_>>();
    assert_eq!(names, ["crm", "open", "wiki"]);
    let crm = &config.servers["crm"];
    assert_eq!(crm.url.as_url().query(), Some("tenant=${HOME}"));
    let oauth = OAuthConfig {
        client_id: Some("our-app".into()),
        client_auth: Some(ClientAuth::ClientSecretBasic),
        scopes: vec!["a".into(), "b:c".into()],
        sign_in_life: Some(Duration::from_secs(72 * 3600)),
        surface: Some(SurfaceChoice::Window),
        ..OAuthConfig::default()
    };
    assert_eq!(config.surface, SurfaceChoice::Browser);
    assert_eq!(crm.auth, AuthConfig::OAuth(oauth));
    let wiki = &config.servers["wiki"];
    assert_eq!(wiki.auth, AuthConfig::Header { name: HeaderName::from_static("x-api-key") });
    assert_eq!((config.key_store, config.http_port), (KeyStoreChoice::Memory, Some(41234)));
    assert_eq!(config.ask_timeout, Duration::from_secs(30));
    assert_eq!(config.policy.unknown, keybearer_policy::Unknown::Deny);
    let ids = config.policy.rules.iter().map(|rule| rule.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids, ["rule 1 (config.toml line 25)", "rule 2 (config.toml line 32)"]);
    assert_eq!(config.policy.rules[0].except[0].tools[0].as_str(), "get_salaries");
    assert_eq!(config.policy.rules[1].clients.len(), 2);
}

#[test]
fn a_file_that_ends_or_breaks_anywhere_is_judged() {
    for end in 0..WHOLE.len() {
        let _ = Config::parse(&WHOLE[..end]);
        let broken = format!("{}\"{}", &WHOLE[..end], &WHOLE[end..]);
        if let Err(problems) = Config::parse(&broken) {
            let lines = broken.lines().count();
            assert!(problems.iter().all(|problem| problem.line.is_some_and(|line| line <= lines + 1)), "{broken}");
        }
    }
}

#[test]
fn an_empty_file_is_good() {
    assert_eq!(Config::parse(""), Ok(Config::default()));
    assert_eq!(Config::parse("# nothing yet\n"), Ok(Config::default()));
}

#[test]
fn every_syntax_error_is_told_at_once() {
    check(
        "unknown = ask\n[servers.crm\nurl = \"https://a.test\"\nhttp_port = \nx = 1\n",
        expect![[r#"
            line 1: string values must be quoted, expected literal string
            line 2: unclosed table, expected `]`
            line 5: unknown key `x` (there are `unknown`, `keystore`, `http_port`, `container_door`, `open_calls`, `calls_per_second`, `ask_timeout`, `client_metadata_url`, `sign_in_surface`, `servers`, `rules`)"#]],
    );
    check(
        "a = 1\na = 2\nunknown = \"no\"\nhttp_port =\n",
        expect![[r#"
            line 1: unknown key `a` (there are `unknown`, `keystore`, `http_port`, `container_door`, `open_calls`, `calls_per_second`, `ask_timeout`, `client_metadata_url`, `sign_in_surface`, `servers`, `rules`)
            line 2: duplicate key
            line 3: `unknown` must be "ask" or "deny"
            line 4: a value is missing"#]],
    );
}

#[test]
fn unknown_keys_are_problems_with_a_guess() {
    check(
        "unkown = \"ask\"\ncolour = 1\n[server.crm]\nurl = \"https://a.test\"\n",
        expect![[r#"
            line 1: unknown key `unkown` (did you mean `unknown`?)
            line 2: unknown key `colour` (there are `unknown`, `keystore`, `http_port`, `container_door`, `open_calls`, `calls_per_second`, `ask_timeout`, `client_metadata_url`, `sign_in_surface`, `servers`, `rules`)
            line 3: unknown key `server` (did you mean `servers`?)"#]],
    );
    check(
        "[servers.crm]\nurl = \"https://a.test\"\nscope = \"x\"\n[[rules]]\nefect = \"allow\"\nclients = \"x\"\n",
        expect![[r#"
            line 3: unknown key `scope` of server `crm` (did you mean `scopes`?)
            line 4: rule 1 has no `effect`
            line 5: unknown key `efect` of rule 1 (did you mean `effect`?)
            line 6: unknown key `clients` of rule 1 (did you mean `client`?)"#]],
    );
}

#[test]
fn secrets_are_sent_to_the_keychain_and_never_repeated() {
    let text = "token = \"cAnArY\"\n[servers.crm]\nurl = \"https://joe:cAnArY@a.test\"\nclient_secret = \"cAnArY\"\nAuthorization = \"Bearer cAnArY\"\nheader = \"X-Key: cAnArY\"\n";
    check(
        text,
        expect![[r#"
        line 1: `token` must not be in this file: secrets are kept in the keychain (use `keybearer servers add NAME URL --header HEADER --secret-stdin`)
        line 3: `url` must have no user name, password or `#` part
        line 4: `client_secret` of server `crm` must not be in this file: secrets are kept in the keychain (use `keybearer servers add NAME URL --client-id ID --client-secret-stdin`)
        line 5: `Authorization` of server `crm` must not be in this file: secrets are kept in the keychain (use `keybearer servers add NAME URL --header HEADER --secret-stdin`)
        line 6: `header` is not the name of a header (write its name alone, its value is kept in the keychain)
        line 6: `header` needs `auth = "header"`"#]],
    );
    let told = Config::parse(text).unwrap_err().iter().map(told).collect::<String>();
    assert!(!told.contains("cAnArY"), "{told}");
}

#[test]
fn servers_are_judged() {
    check("servers = 1", expect!["line 1: `servers` must be tables such as `[servers.crm]`, not of type integer"]);
    check(
        "[servers]\ncrm = \"https://a.test\"",
        expect!["line 2: `crm` must be a table: `[servers.crm]`, not of type string"],
    );
    check(
        "[servers.CRM]\nurl = 7\n[servers.a]\n[servers.b]\nurl = \"http://b.test\"\nauth = \"magic\"\n",
        expect![[r#"
            line 1: `CRM` is not a server name: use 1 to 48 of `a-z`, `0-9`, `-`, `_`, beginning with a letter or digit
            line 2: `url` must be a text in quotes, not of type integer
            line 3: server `a` has no `url`
            line 5: `url` must begin with `https://`, or with `http://` for a server on this machine
            line 6: `auth` must be "oauth" or "header" or "none""#]],
    );
    check(
        "[servers.a]\nurl = \"ftp://a.test\"\nauth = \"header\"\nclient_id = \"x\"\n[servers.b]\nurl = \"b\"\nauth = \"none\"\nheader = \"X-A\"\n",
        expect![[r#"
            line 1: server `a` has no `header`
            line 2: `url` must begin with `https://`, or with `http://` for a server on this machine
            line 6: `url` is not a URL
            line 8: `header` needs `auth = "header"`"#]],
    );
    check(
        "[servers.a]\nurl = \"https://a.test\"\nclient_auth = \"client_secret_post\"\nscopes = [\"a b\", 1, \"\"]\n",
        expect![[r#"
            line 3: `client_auth` needs a `client_id`
            line 4: `scopes` must be a list of texts in quotes, not of type integer
            line 4: a scope is one word of visible characters (write several as a list: `scopes = ["a", "b"]`)
            line 4: a scope is one word of visible characters (write several as a list: `scopes = ["a", "b"]`)"#]],
    );
}

#[test]
fn what_a_sign_in_may_deviate_in_is_set_and_written_back() {
    let text = "client_metadata_url = \"https://apps.test/k.json\"\n[servers.a]\nurl = \"https://a.test\"\nclient_id = \"x\"\n\
        issuer = \"https://login.test/t1\"\nresource = \"api://4711\"\ntrusted_issuers = \"https://other.test\"\n\
        pkce = \"assume\"\nrefresh_reach = \"every_server\"\n[servers.b]\nurl = \"https://b.test\"\nresource = \"omit\"\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.client_metadata_url.map(|url| url.to_string()).as_deref(), Some("https://apps.test/k.json"));
    let AuthConfig::OAuth(a) = &config.servers["a"].auth else { panic!("no sign-in") };
    assert_eq!(a.issuer.as_ref().map(Issuer::as_str), Some("https://login.test/t1"));
    let exceptions = Exceptions {
        resource: Some(ResourceException::Send("api://4711".into())),
        trusted_issuers: vec!["https://other.test".parse().unwrap()],
        pkce: Some(PkceSupport::Known),
        refresh_reach: Some(RefreshReach::EveryServer),
    };
    assert_eq!(a.exceptions, exceptions);
    let AuthConfig::OAuth(b) = &config.servers["b"].auth else { panic!("no sign-in") };
    assert_eq!(b.exceptions.resource, Some(ResourceException::Omit));
    // What is written down is read again, or the change is refused.
    for name in ["a", "b"] {
        let name = name.parse().unwrap();
        edit::add_server("", &name, &config.servers[&name]).unwrap();
    }
    check(
        "client_metadata_url = \"http://a.test/k\"\n[servers.a]\nurl = \"https://a.test\"\nissuer = \"https://l.test\"\n\
         resource = \"nothing\"\ntrusted_issuers = [\"other.test\"]\npkce = \"off\"\nrefresh_reach = \"all\"\n",
        expect![[r#"
            line 1: `client_metadata_url` cannot be used: it must begin with `https://`
            line 4: `issuer` needs a `client_id`
            line 5: `resource` must be "omit" or a URI without a `#` part
            line 6: `trusted_issuers` must be the address of a sign-in, as its metadata writes it
            line 7: `pkce` must be "assume"
            line 8: `refresh_reach` must be "its_server" or "every_server""#]],
    );
    check(
        "[servers.a]\nurl = \"https://a.test\"\nauth = \"none\"\npkce = \"assume\"\n",
        expect!["line 4: `pkce` needs `auth = \"oauth\"`"],
    );
}

#[test]
fn headers_that_are_ours_cannot_be_set() {
    for name in
        ["Host", "cookie", "Connection", "Mcp-Session-Id", "Proxy-Authorization", "Content-Length", "TE", "Origin"]
    {
        let text = format!("[servers.a]\nurl = \"https://a.test\"\nauth = \"header\"\nheader = \"{name}\"\n");
        let problems = Config::parse(&text).unwrap_err();
        assert_eq!(told(&problems[0]), format!("line 4: header `{}` cannot be set", name.to_lowercase()));
    }
    for name in ["Authorization", "X-API-Key", "PRIVATE-TOKEN"] {
        let text = format!("[servers.a]\nurl = \"https://a.test\"\nauth = \"header\"\nheader = \"{name}\"\n");
        assert!(Config::parse(&text).is_ok(), "{name}");
    }
}

#[test]
fn rules_are_judged() {
    check("rules = 1", expect!["line 1: `rules` must be tables: `[[rules]]`, not of type integer"]);
    check(
        "rules = [1]\nhttp_port = 70000\nask_timeout = \"long\"\n",
        expect![[r#"
        line 1: `rules` must be tables: `[[rules]]`, not of type integer
        line 2: `http_port` must be from 0 to 65535
        line 3: `ask_timeout` must be a number, not of type string"#]],
    );
    check(
        "[servers.crm]\nurl = \"https://a.test\"\n[[rules]]\neffect = \"permit\"\nserver = \"cmr\"\n[[rules]]\nclient = \"Claude Desktop\"\ntool = []\n[[rules]]\neffect = \"deny\"\nserver = [\"c*\", 2]\nexcept = [{}, { tol = \"x\" }, 3]\n",
        expect![[r#"
            line 4: `effect` must be "allow" or "ask" or "ask_per_session" or "ask_each_time" or "deny"
            line 5: there is no server `cmr` (did you mean `crm`?)
            line 6: rule 2 has no `effect`
            line 7: `Claude Desktop` is not a client name: use 1 to 48 of `a-z`, `0-9`, `-`, `_`, beginning with a letter or digit (a program is named by its path)
            line 8: `tool` must not be empty (leave `tool` out to name all of them)
            line 11: `server` must be a list of texts in quotes, not of type integer
            line 12: an exception of rule 3 names nothing
            line 12: unknown key `tol` of an exception of rule 3 (did you mean `tool`?)
            line 12: `except` must be a list of tables such as `[{ tool = "delete_*" }]`, not of type integer"#]],
    );
}

#[test]
fn headers_that_could_carry_a_credential_are_not_passed_on() {
    check(
        "[servers.a]\nurl = \"https://a.test\"\nforward_headers = [\"X-User-*\", \"Cookie\", \"*\"]\nidentity_header = { name = \"X-*\", value = \"phone\" }\n[servers.b]\nurl = \"https://b.test\"\nidentity_header = \"X-Who\"\n",
        expect![[r#"
            line 3: header `Cookie` cannot be passed on: it could carry a credential, or belongs to the connection
            line 3: header `*` cannot be passed on: it is neither a header's name nor the beginning of one with `*` behind it
            line 4: `value` must be "email" or "subject"
            line 4: header `X-*` cannot be passed on: it could carry a credential, or belongs to the connection
            line 7: `identity_header` must be a table such as `{ name = "X-User-Email", value = "email" }`, not of type string"#]],
    );
}

#[test]
fn what_an_app_may_ask_has_bounds() {
    assert_eq!(Config::default().limits, CallLimits { open: 256, per_second: 1000 });
    let config = Config::parse("open_calls = 4\ncalls_per_second = 50").unwrap();
    assert_eq!(config.limits, CallLimits { open: 4, per_second: 50 });
    check(
        "open_calls = 0\ncalls_per_second = \"many\"\n",
        expect![[r#"
        line 1: `open_calls` must be from 1 to 10000
        line 2: `calls_per_second` must be a number, not of type string"#]],
    );
}

#[test]
fn ports_and_patience_have_bounds() {
    assert_eq!(Config::parse("http_port = 0").unwrap().http_port, Some(0));
    assert_eq!(Config::parse("http_port = 0xffff").unwrap().http_port, Some(65535));
    check(
        "http_port = -1\nask_timeout = 4\n",
        expect![[r#"
        line 1: `http_port` must be from 0 to 65535
        line 2: `ask_timeout` must be from 5 to 600"#]],
    );
}

#[test]
fn the_container_door_is_one_private_address() {
    let door = |text: &str| Config::parse(&format!("container_door = \"{text}\"")).map(|config| config.container_door);
    assert_eq!(door("172.17.0.1").unwrap(), Some("172.17.0.1".parse().unwrap()));
    for text in ["127.0.0.1", "0.0.0.0", "8.8.8.8", "169.254.1.1", "::1", "fd00::1", "host.docker.internal", ""] {
        assert!(door(text).is_err(), "{text} is taken");
    }
}

mod edits {
    use super::*;

    fn server(text: &str) -> ServerConfig {
        let config = Config::parse(&format!("[servers.x]\n{text}")).unwrap();
        config.servers.into_values().next().unwrap()
    }

    #[test]
    fn a_server_is_added_behind_the_others_and_nothing_else_moves() {
        let oauth = server(
            "url = \"https://new.test/mcp\"\nclient_id = \"a\\\"b\"\nclient_auth = \"client_secret_post\"\nscopes = [\"s\", \"t\"]",
        );
        let text =
            "# mine\n\n[servers.crm] # the CRM\nurl   = 'https://a.test'\n\n[[rules]]   # careful\neffect = \"ask\"\n";
        let changed = edit::add_server(text, &"new".parse().unwrap(), &oauth).unwrap();
        expect![[r##"
            # mine

            [servers.crm] # the CRM
            url   = 'https://a.test'

            [servers.new]
            url = "https://new.test/mcp"
            client_id = 'a"b'
            client_auth = "client_secret_post"
            scopes = ["s", "t"]

            [[rules]]   # careful
            effect = "ask"
        "##]]
        .assert_eq(&changed);
    }

    #[test]
    fn into_an_empty_file_and_into_an_inline_table() {
        let header = server("url = \"http://127.0.0.1:7/\"\nauth = \"header\"\nheader = \"X-Key\"");
        let none = server(
            "url = \"https://a.test\"\nauth = \"none\"\nforward_headers = [\"X-User-*\"]\nidentity_header = { name = \"X-Who\", value = \"subject\" }",
        );
        let once = edit::add_server("", &"one".parse().unwrap(), &header).unwrap();
        let twice = edit::add_server(&once, &"two".parse().unwrap(), &none).unwrap();
        let inline = "servers = { crm = { url = \"https://a.test\" } } # all\n";
        let inline = edit::add_server(inline, &"two".parse().unwrap(), &none).unwrap();
        let comment = edit::add_server("# only this\n", &"two".parse().unwrap(), &none).unwrap();
        expect![[r#"
            [servers.one]
            url = "http://127.0.0.1:7/"
            auth = "header"
            header = "x-key"

            [servers.two]
            url = "https://a.test/"
            auth = "none"
            forward_headers = ["x-user-*"]
            identity_header = { name = "x-who", value = "subject" }
            ---
            servers = { crm = { url = "https://a.test" } , two = { url = "https://a.test/", auth = "none", forward_headers = ["x-user-*"], identity_header = { name = "x-who", value = "subject" } } } # all
            ---
            # only this

            [servers.two]
            url = "https://a.test/"
            auth = "none"
            forward_headers = ["x-user-*"]
            identity_header = { name = "x-who", value = "subject" }
        "#]]
        .assert_eq(&[twice, inline, comment].join("---\n"));
    }

    #[test]
    fn a_removed_server_takes_its_rules_along() {
        let text = "[servers.a] # first\nurl = \"https://a.test\"\n\n# about b\n[servers.b]\nurl = \"https://b.test\"\n\n# both\n[[rules]]\neffect = \"allow\"\nserver = [\"a\", \"b\"]\nexcept = [{ server = \"a\" }, { tool = \"x\" }]\n\n[[rules]]\neffect = \"deny\"\nserver = \"a\"\n\n[[rules]]\neffect = \"deny\"\nserver = \"*\"\n";
        let changed = edit::remove_server(text, &"a".parse().unwrap()).unwrap();
        expect![[r#"

            # about b
            [servers.b]
            url = "https://b.test"

            # both
            [[rules]]
            effect = "allow"
            server = [ "b"]
            except = [ { tool = "x" }]

            [[rules]]
            effect = "deny"
            server = "*"
        "#]]
        .assert_eq(&changed);
    }

    #[test]
    fn broken_settings_and_impossible_changes_change_nothing() {
        let any = server("url = \"https://a.test\"");
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        let text = "[servers.a]\nurl = \"https://a.test\"\n";
        let told =
            |result: Result<String, Vec<Problem>>| result.unwrap_err().iter().map(told).collect::<Vec<_>>().join(", ");
        expect!["there is a server `a` already"].assert_eq(&told(edit::add_server(text, &a, &any)));
        expect!["there is no server `b`"].assert_eq(&told(edit::remove_server(text, &b)));
        expect!["line 1: unknown key `colour` (there are `unknown`, `keystore`, `http_port`, `container_door`, `open_calls`, `calls_per_second`, `ask_timeout`, `client_metadata_url`, `sign_in_surface`, `servers`, `rules`)"].assert_eq(&told(edit::add_server("colour = 1", &a, &any)));
    }

    #[test]
    fn removing_what_was_added_gives_the_settings_back() {
        let any = server("url = \"https://n.test\"\nscopes = [\"x\"]");
        let changed = edit::add_server(WHOLE, &"zz".parse().unwrap(), &any).unwrap();
        let back = edit::remove_server(&changed, &"zz".parse().unwrap()).unwrap();
        assert_eq!(Config::parse(&back), Config::parse(WHOLE));
    }
}
