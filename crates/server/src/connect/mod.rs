//! Connecting clients: their files are looked at and changed here, beside the core that registers them.
//!
//! What is known of a client, and how a text is changed, is `keybearer_core::connect`.

use keybearer_control::connect::{Connected, Disconnected, KnownClient, Preview, Wish, Written};
use keybearer_control::error::{Code, Error, Exactly};
use keybearer_control::snapshot::{ContainerDoor, HttpDoor};
use keybearer_control::wire::Reply;
use keybearer_core::connect::catalog::Transport;
use keybearer_core::connect::plan::Record;
use keybearer_core::connect::template;
use keybearer_core::consent::question::Change;
use keybearer_model::name::ClientName;

use crate::control::Control;
use crate::prompts::Peer;
use crate::view;

mod refusal;
mod remembered;
mod survey;
mod switches;
mod told;
mod writing;

use remembered::Records;
use survey::{Ground, Survey};
use writing::Taken;

/// How long a door may take to open.
const OPENING: std::time::Duration = std::time::Duration::from_secs(5);

impl Control {
    /// The clients that can be connected, and how they stand.
    pub(crate) async fn known_clients(&self) -> Result<Reply, Error> {
        let ground = self.ground(None)?;
        let clients: Vec<KnownClient> = blocking(move || survey::known_clients(&ground)).await?;
        Ok(Reply::KnownClients { clients })
    }

    /// What connecting would do.
    pub(crate) async fn connect_preview(&self, wish: Wish) -> Result<Reply, Error> {
        let preview: Preview = told::preview(&self.survey(wish).await?);
        Ok(Reply::ConnectPreview { preview })
    }

    /// Registers the client and writes its files, if nothing has changed since the preview.
    pub(crate) async fn connect(&self, peer: &Peer, wish: Wish, token: &str) -> Result<Reply, Error> {
        let _connecting = self.connecting.lock().await;
        let survey = self.survey(wish).await?;
        if survey.token != token {
            return Err(refusal::drifted());
        }
        peer.permit(&self.broker, change(&survey)?).await?;
        if let Some(address) = survey.container_address {
            let set = self.broker.set_container_door(address).await;
            set.map_err(|error| view::change_error(&self.broker, &error))?;
        }
        let (registered, key) = self.register(&survey).await?;
        match self.write(survey, key, registered.clone()).await {
            Ok(connected) => Ok(Reply::Connected { connected }),
            Err(error) => {
                if let Some(name) = registered {
                    // Nothing holds its key now.
                    let _ = self.broker.revoke_client(&name).await;
                }
                Err(error)
            }
        }
    }

    /// Takes a connection back and revokes the client.
    pub(crate) async fn disconnect(&self, client: &str) -> Result<Reply, Error> {
        let _connecting = self.connecting.lock().await;
        let (ground, client) = (self.ground(None)?, client.to_owned());
        let taken: Taken = blocking(move || writing::take_back(&ground, &client)).await??;
        if let Some(name) = &taken.registered {
            match self.broker.revoke_client(name).await {
                // The person has revoked it already.
                Ok(()) | Err(keybearer_core::broker::ChangeError::UnknownClient(_)) => {}
                Err(error) => return Err(view::change_error(&self.broker, &error)),
            }
        }
        let Taken { id, name, files, afterwards, .. } = taken;
        Ok(Reply::Disconnected { disconnected: Disconnected { client: id, name, files, afterwards } })
    }

    async fn survey(&self, wish: Wish) -> Result<Survey, Error> {
        for server in &wish.servers {
            let known = server.parse().is_ok_and(|name| self.broker.knows(&name));
            if !known {
                return Err(refusal::unknown_server(server));
            }
        }
        let ground = self.ground(Some(&wish))?;
        blocking(move || Survey::of(&wish, ground)).await?
    }

    /// What has to be known of this machine and of this core.
    fn ground(&self, wish: Option<&Wish>) -> Result<Ground, Error> {
        let clients = self.broker.clients();
        let name = wish.and_then(|wish| wish.client.parse::<ClientName>().ok());
        let chosen = self.broker.config().http_port;
        let port = |setting| self.broker.store().setting(setting).ok().flatten().and_then(|port| port.parse().ok());
        Ok(Ground {
            places: survey::places()?,
            folders: self.folders.clone(),
            records: Records::of(&self.folders),
            socket: self.doors.socket.as_deref().map(template::socket_address).unwrap_or_default(),
            port: chosen.or_else(|| port("http_port")),
            container_port: port("container_port"),
            container_door: self.broker.config().container_door,
            name_taken: name.is_some_and(|name| clients.by_name(&name).is_some()),
        })
    }

    /// Registers the client anew; its older registration by us goes.
    async fn register(&self, survey: &Survey) -> Result<(Option<ClientName>, Option<Opened>), Error> {
        if let Some(name) = survey.record.as_ref().and_then(|record| record.registered.clone()) {
            let _ = self.broker.revoke_client(&name).await;
        }
        let program = survey.program.clone();
        if survey.way.transport != Transport::Http && program.is_none() {
            return Ok((None, None));
        }
        let (id, container) = (&survey.known.id, survey.way.container);
        let Reply::ClientAdded { client, key, .. } = self.add_client(id, &survey.servers, program, container).await?
        else {
            return Err(refusal::internal("the client was not registered"));
        };
        let name = client.name.parse().map_err(|_| refusal::internal("the client has no name"))?;
        let Some(key) = key else { return Ok((Some(name), None)) };
        let opened = if survey.way.container_door { self.container_port().await } else { self.http_port() };
        match opened {
            Ok(port) => Ok((Some(name), Some(Opened { key, port }))),
            Err(error) => {
                let _ = self.broker.revoke_client(&name).await;
                Err(error)
            }
        }
    }

    fn http_port(&self) -> Result<u16, Error> {
        let door = self.doors.http.borrow().clone();
        match door {
            HttpDoor::Open { addresses } => addresses.first().and_then(|address| port_of(address)).ok_or_else(no_port),
            HttpDoor::Blocked { port } => {
                Err(Error::new(Code::PortTaken, format!("the HTTP door is closed: another program has port {port}"))
                    .exactly(Exactly::Port { port })
                    .hint("set `http_port` in config.toml to another one"))
            }
            HttpDoor::Closed => Err(no_port()),
        }
    }

    async fn container_port(&self) -> Result<u16, Error> {
        let mut door = self.doors.container.clone();
        let decided = tokio::time::timeout(OPENING, door.wait_for(|door| *door != ContainerDoor::Closed)).await;
        match decided {
            Ok(Ok(door)) => match &*door {
                ContainerDoor::Open { address } => port_of(address).ok_or_else(no_port),
                ContainerDoor::Blocked { detail } => {
                    Err(Error::new(Code::PortTaken, format!("the container door is closed: {detail}"))
                        .hint("set `container_door` in config.toml to the address of the engine's bridge"))
                }
                ContainerDoor::Closed => Err(no_port()),
            },
            Ok(Err(_)) | Err(_) => Err(no_port()),
        }
    }

    async fn write(
        &self,
        survey: Survey,
        opened: Option<Opened>,
        registered: Option<ClientName>,
    ) -> Result<Connected, Error> {
        let since = self.broker.now();
        let name = registered.clone();
        let record = blocking(move || writing::put(survey, opened, registered, since)).await??;
        tracing::info!(client = %name.map_or_else(|| record.client.clone(), |name| name.to_string()), "connected");
        Ok(connected(&record))
    }
}

/// What connecting lets in.
fn change(survey: &Survey) -> Result<Change, Error> {
    let name = survey.known.id.parse().map_err(|_| refusal::internal("the client has no name"))?;
    let servers = survey.servers.iter().filter_map(|server| server.parse().ok()).collect();
    Ok(Change::AddClient { name, program: survey.program.clone().map(Into::into), servers })
}

/// A door that is open for a new key.
pub(crate) struct Opened {
    key: String,
    port: u16,
}

fn connected(record: &Record) -> Connected {
    let (name, afterwards) = survey::afterwards(record);
    let files = record.files.iter().map(|file| Written {
        path: file.path.display().to_string(),
        backup: file.backup.as_ref().map(|path| path.display().to_string()),
    });
    Connected {
        client: record.client.clone(),
        name,
        transport: record.transport.clone(),
        servers: record.servers.clone(),
        files: files.collect(),
        afterwards,
    }
}

fn port_of(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

fn no_port() -> Error {
    refusal::internal("the door did not open")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| refusal::internal("looking at the client's files broke off"))
}
