//! Registered clients.

use keybearer_control::snapshot::{Client, ClientBy};
use keybearer_model::time::Timestamp;

use crate::plain::clean;
use crate::show::table::{Cell, columns};
use crate::show::time::ago_text;
use crate::show::tone::Tone;

/// One sentence and one thing to do, for a core without clients.
pub(crate) const NONE: &str = "  No clients yet. Register one with `keybearer clients add NAME`.\n";

/// The clients, one a line: name, what it may use, when it was last seen, what identifies it.
pub(crate) fn list(clients: &[Client], now: Timestamp) -> String {
    if clients.is_empty() {
        return NONE.to_owned();
    }
    columns(&clients.iter().map(|client| row(client, now)).collect::<Vec<_>>())
}

/// What to tell once a client is registered. The key is in it: this is the one time that it is shown.
pub(crate) fn added(client: &Client, key: Option<&str>, urls: &[String]) -> String {
    let name = Tone::Strong.paint(&clean(&client.name));
    let mut text = format!("{} {name} is registered for {}.\n", Tone::Good.paint("✓"), may_use(client));
    if let ClientBy::Program { path } = &client.by {
        text.push_str(&format!("\nIt is known by its program {}.\n", clean(path)));
        text.push_str("Let it start `keybearer stdio NAME`, with a server's name.\n");
    }
    if let Some(key) = key {
        text.push_str(&format!(
            "\nIts key, shown this once:\n\n  {key}\n\nIt sends it as `Authorization: Bearer KEY` to\n\n"
        ));
        for url in urls {
            text.push_str(&format!("  {}\n", clean(url)));
        }
        if urls.is_empty() {
            text.push_str("  nothing yet: the HTTP door is closed, `keybearer status` says why\n");
        }
    }
    text
}

fn row(client: &Client, now: Timestamp) -> Vec<Cell> {
    let seen = client.last_seen.as_deref().and_then(|time| ago_text(time, now));
    vec![
        Cell::new(Tone::Strong, clean(&client.name)),
        Cell::plain(may_use(client)),
        Cell::soft(seen.map_or_else(|| "not used since the start".to_owned(), |seen| format!("seen {seen}"))),
        Cell::soft(match &client.by {
            ClientBy::Key => "by its key".to_owned(),
            ClientBy::Program { path } => clean(path),
        }),
    ]
}

fn may_use(client: &Client) -> String {
    if client.servers.is_empty() { "all servers".to_owned() } else { clean(&client.servers.join(", ")) }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::show::samples::{NOW, bare, clients};

    #[test]
    fn a_key_is_shown_with_all_that_it_takes_to_use_it() {
        let urls = ["http://127.0.0.1:41234/mcp/crm".to_owned(), "http://127.0.0.1:41234/mcp/wiki".to_owned()];
        expect![[r"
            ✓ librechat is registered for crm, wiki.

            Its key, shown this once:

              kb_cAnArY

            It sends it as `Authorization: Bearer KEY` to

              http://127.0.0.1:41234/mcp/crm
              http://127.0.0.1:41234/mcp/wiki
        "]]
        .assert_eq(&bare(&added(&clients()[0], Some("kb_cAnArY"), &urls)));
    }

    #[test]
    fn a_program_needs_no_key() {
        expect![[r"
            ✓ claude-desktop is registered for all servers.

            It is known by its program /opt/Claude/claude.
            Let it start `keybearer stdio NAME`, with a server's name.
        "]]
        .assert_eq(&bare(&added(&clients()[1], None, &[])));
    }

    #[test]
    fn clients_line_up() {
        expect![[r#"
            Clients
              librechat       crm, wiki    seen 13 minutes ago       by its key
              claude-desktop  all servers  not used since the start  /opt/Claude/claude
        "#]]
        .assert_eq(&format!("Clients\n{}", bare(&list(&clients(), NOW))));
    }
}
