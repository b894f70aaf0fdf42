//! Values for the tests of this folder.

use keybearer_control::snapshot::{
    Auth, Client, ClientBy, ContainerDoor, HttpDoor, KeyStore, Server, SignIn, Snapshot,
};
use keybearer_model::time::Timestamp;

/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Text without colour, as it is written where there is no terminal.
pub(crate) fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A server of Dana's.
pub(crate) fn server(name: &str, state: SignIn) -> Server {
    Server {
        name: name.into(),
        url: format!("https://{name}.example.com/mcp"),
        auth: Auth::Oauth,
        state,
        account: Some("dana@example.com".into()),
        issuer: Some("https://login.example.com".into()),
        ends: None,
        shares_with: Vec::new(),
        deviations: Vec::new(),
    }
}

/// One client of each kind.
pub(crate) fn clients() -> Vec<Client> {
    vec![
        Client {
            name: "librechat".into(),
            by: ClientBy::Key,
            servers: vec!["crm".into(), "wiki".into()],
            since: "2023-11-01T08:00:00Z".into(),
            last_seen: Some("2023-11-14T22:00:00Z".into()),
        },
        Client {
            name: "claude-desktop".into(),
            by: ClientBy::Program { path: "/opt/Claude/claude".into() },
            servers: Vec::new(),
            since: "2023-11-01T08:00:00Z".into(),
            last_seen: None,
        },
    ]
}

/// A core with these servers and nothing else.
pub(crate) fn snapshot(servers: Vec<Server>) -> Snapshot {
    Snapshot {
        version: "0.1.0".into(),
        pid: 4711,
        servers,
        clients: Vec::new(),
        key_store: KeyStore::System,
        http_door: HttpDoor::Closed,
        container_door: ContainerDoor::Closed,
        socket_door: None,
        stopped: false,
        permissions: Vec::new(),
        problems: Vec::new(),
    }
}
