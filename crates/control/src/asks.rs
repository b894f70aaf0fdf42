//! What the window's pages ask of a core: one request each, one answer.

use keybearer_os::local::Stream;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::activity::Record;
use crate::client::{Client, Exchange, unexpected};
use crate::connect::{Connected, Disconnected, KnownClient, Preview, Wish};
use crate::error::{Code, Error};
use crate::inspector;
use crate::pages::{Found, Settings, Tool};
use crate::wire::{Reply, Request};

impl Client {
    /// The last `last` records of the audit trail, and then each that follows.
    pub async fn activity(&self, last: u32) -> Result<Activity<Stream>, Error> {
        Ok(Activity { exchange: self.send(&Request::Activity { last }).await? })
    }

    /// The messages of calls from now on, for the desktop shell. Dropping it ends the look.
    pub async fn inspect(&self) -> Result<Exchanges<Stream>, Error> {
        Ok(Exchanges { exchange: self.send(&Request::Inspect).await? })
    }

    /// The tools of a server, as it lists them now.
    pub async fn tools(&self, server: &str) -> Result<Vec<Tool>, Error> {
        let reply = self.ask(&Request::Tools { server: server.to_owned() }).await?;
        let Reply::Tools { tools } = reply else { return Err(unexpected(&reply)) };
        Ok(tools)
    }

    /// What is at an address.
    pub async fn look(&self, url: &str) -> Result<Found, Error> {
        let reply = self.ask(&Request::Look { url: url.to_owned() }).await?;
        let Reply::Found { found } = reply else { return Err(unexpected(&reply)) };
        Ok(found)
    }

    /// Declares a server that is signed in to as it says itself.
    pub async fn add_server(&self, name: &str, url: &str) -> Result<(), Error> {
        let request = Request::AddServer {
            name: name.to_owned(),
            url: url.to_owned(),
            header: None,
            client_id: None,
            issuer: None,
            client_secret: None,
            scopes: Vec::new(),
        };
        let reply = self.ask(&request).await?;
        if let Reply::Server { .. } = reply { Ok(()) } else { Err(unexpected(&reply)) }
    }

    /// Removes a server and its sign-in.
    pub async fn remove_server(&self, name: &str) -> Result<(), Error> {
        self.done(&Request::RemoveServer { name: name.to_owned() }).await
    }

    /// The apps that can be connected, and how they stand.
    pub async fn known_clients(&self) -> Result<Vec<KnownClient>, Error> {
        let reply = self.ask(&Request::KnownClients).await?;
        let Reply::KnownClients { clients } = reply else { return Err(unexpected(&reply)) };
        Ok(clients)
    }

    /// What connecting an app would do; nothing is written.
    pub async fn connect_preview(&self, wish: Wish) -> Result<Preview, Error> {
        let reply = self.ask(&Request::ConnectPreview { wish }).await?;
        let Reply::ConnectPreview { preview } = reply else { return Err(unexpected(&reply)) };
        Ok(preview)
    }

    /// Connects an app as the preview said.
    pub async fn connect(&self, wish: Wish, token: String) -> Result<Connected, Error> {
        let reply = self.ask(&Request::Connect { wish, token }).await?;
        let Reply::Connected { connected } = reply else { return Err(unexpected(&reply)) };
        Ok(connected)
    }

    /// Takes an app's connection back and revokes it.
    pub async fn disconnect(&self, client: &str) -> Result<Disconnected, Error> {
        let reply = self.ask(&Request::Disconnect { client: client.to_owned() }).await?;
        let Reply::Disconnected { disconnected } = reply else { return Err(unexpected(&reply)) };
        Ok(disconnected)
    }

    /// Revokes an app.
    pub async fn revoke(&self, client: &str) -> Result<(), Error> {
        self.done(&Request::RevokeClient { name: client.to_owned() }).await
    }

    /// Takes a permission back: the next call asks again.
    pub async fn revoke_permission(&self, number: u64) -> Result<(), Error> {
        self.done(&Request::RevokePermission { number }).await
    }

    /// The settings in force.
    pub async fn settings(&self) -> Result<Settings, Error> {
        let reply = self.ask(&Request::Settings).await?;
        let Reply::Settings { settings } = reply else { return Err(unexpected(&reply)) };
        Ok(settings)
    }

    /// Refuses every call from now on.
    pub async fn stop_access(&self) -> Result<(), Error> {
        self.done(&Request::StopAccess).await
    }

    /// Judges calls again as before.
    pub async fn resume_access(&self) -> Result<(), Error> {
        self.done(&Request::ResumeAccess).await
    }

    /// Says that the machine has come back from sleep or to a network.
    pub async fn come_back(&self) -> Result<(), Error> {
        self.done(&Request::ComeBack).await
    }

    /// Ends the core in good order.
    pub async fn stop(&self) -> Result<(), Error> {
        self.done(&Request::Stop).await
    }

    async fn ask(&self, request: &Request) -> Result<Reply, Error> {
        self.send(request).await?.last().await
    }

    async fn done(&self, request: &Request) -> Result<(), Error> {
        let reply = self.ask(request).await?;
        if let Reply::Done = reply { Ok(()) } else { Err(unexpected(&reply)) }
    }
}

/// The records of the audit trail, as they come.
#[derive(Debug)]
pub struct Activity<S> {
    exchange: Exchange<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Activity<S> {
    /// The next records, the oldest first. [`Code::NoCore`] when the core went away.
    pub async fn next(&mut self) -> Result<Vec<Record>, Error> {
        match self.exchange.next().await? {
            Some(Reply::Activity { records }) => Ok(records),
            Some(other) => Err(unexpected(&other)),
            None => Err(Error::new(Code::NoCore, "keybearer stopped while it was asked")),
        }
    }
}

/// The messages of calls, as they end.
#[derive(Debug)]
pub struct Exchanges<S> {
    exchange: Exchange<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchanges<S> {
    /// The next ones; none at first, which says that the look has begun. [`Code::NoCore`] when the core went away.
    pub async fn next(&mut self) -> Result<Vec<inspector::Exchange>, Error> {
        match self.exchange.next().await? {
            Some(Reply::Exchanges { exchanges }) => Ok(exchanges),
            Some(other) => Err(unexpected(&other)),
            None => Err(Error::new(Code::NoCore, "keybearer stopped while it was asked")),
        }
    }
}
