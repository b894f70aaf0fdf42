//! Asks a core over its control socket: one connection for each request.
//!
//! Nothing here retries: a caller that wants to wait for a core decides how long and how often.

use keybearer_os::folders::Folders;
use keybearer_os::local::{self, ConnectError, Name, Stream};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};

use crate::error::{Code, Error};
use crate::prompt::{Answer, Prompts};
use crate::sign_in_window::{WindowOrder, WindowSaid};
use crate::snapshot::{Server, Snapshot};
use crate::wire::{Reply, Request, Revocation};

/// The longest line that is read: far more than a core with a hundred servers says.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// Where a core is asked. It holds no connection, so that a core may come and go.
#[derive(Clone, Debug)]
pub struct Client {
    folders: Folders,
}

impl Client {
    /// The core of these folders.
    pub fn new(folders: Folders) -> Self {
        Self { folders }
    }

    /// Whose core it is.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Connects and sends one request; its replies are read from the exchange.
    pub async fn send(&self, request: &Request) -> Result<Exchange<Stream>, Error> {
        let stream = local::connect(&self.folders, Name::Control).await.map_err(|error| not_connected(&error))?;
        Exchange::open(stream, request).await
    }

    /// The core's state, once.
    pub async fn status(&self) -> Result<Snapshot, Error> {
        let reply = self.send(&Request::Status).await?.last().await?;
        let Reply::Snapshot { snapshot } = reply else { return Err(unexpected(&reply)) };
        Ok(snapshot)
    }

    /// The core's state now and whenever it changes.
    pub async fn watch(&self) -> Result<Watch<Stream>, Error> {
        Ok(Watch { exchange: self.send(&Request::Watch).await? })
    }

    /// Signs in to a server in the system browser and waits for the end.
    pub async fn login(&self, server: &str) -> Result<Server, Error> {
        let request = Request::Login { server: server.to_owned(), open_browser: true, by_code: false };
        let reply = self.send(&request).await?.last().await?;
        let Reply::Server { server } = reply else { return Err(unexpected(&reply)) };
        Ok(server)
    }

    /// Offers to open sign-in windows: what is ordered of them, and where to say what they say.
    pub async fn offer_windows(&self) -> Result<(WindowOrders, WindowWords), Error> {
        let exchange = self.send(&Request::OfferWindows).await?;
        // Nothing of an answer has been read yet, so nothing is lost with the buffer.
        let (reader, writer) = tokio::io::split(exchange.stream.into_inner());
        let orders = Exchange { stream: BufReader::new(reader), line: Vec::new() };
        Ok((WindowOrders { exchange: orders }, WindowWords { writer }))
    }

    /// Signs out of a server; tells what became of the sign-in at its issuer.
    pub async fn logout(&self, server: &str) -> Result<Revocation, Error> {
        let reply = self.send(&Request::Logout { server: server.to_owned() }).await?.last().await?;
        let Reply::SignedOut { revocation, .. } = reply else { return Err(unexpected(&reply)) };
        Ok(revocation)
    }

    /// Has the core keep what it can, and tells the servers that the person would have to sign in to again if it ended
    /// now. A core that does not know the question is of before, and keeps what it can at its end.
    pub async fn save_all(&self) -> Result<Vec<String>, Error> {
        match self.send(&Request::SaveAll).await?.last().await {
            Ok(Reply::Unsaved { servers }) => Ok(servers),
            Ok(other) => Err(unexpected(&other)),
            Err(error) if error.code == Code::BadRequest => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Takes the prompter lease. [`Code::NotAllowed`] for everybody but the desktop shell, and while another one has it.
    pub async fn take_prompts(&self) -> Result<Prompter<Stream>, Error> {
        Ok(Prompter { exchange: self.send(&Request::TakePrompts).await? })
    }
}

/// The prompter lease: questions come, answers go. It ends when it is dropped.
#[derive(Debug)]
pub struct Prompter<S> {
    exchange: Exchange<S>,
}

/// What comes to whoever holds the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What waits for an answer now.
    Prompts(Prompts),
    /// What became of an answer.
    Answered {
        /// To which question.
        question: String,
        /// Why it does not count, if it does not.
        refused: Option<Error>,
    },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Prompter<S> {
    /// What comes next. Cancel-safe.
    pub async fn next(&mut self) -> Result<Told, Error> {
        match self.exchange.next().await? {
            Some(Reply::Prompts { prompts }) => Ok(Told::Prompts(prompts)),
            Some(Reply::Answered { question, refused }) => Ok(Told::Answered { question, refused }),
            Some(other) => Err(unexpected(&other)),
            None => Err(gone()),
        }
    }

    /// Brings an answer; what becomes of it comes with [`Self::next`].
    pub async fn answer(&mut self, question: String, answer: Answer) -> Result<(), Error> {
        self.exchange.say(&Request::Answer { question, answer }).await
    }

    /// Asks for more time for a question.
    pub async fn more_time(&mut self, question: String) -> Result<(), Error> {
        self.exchange.say(&Request::MoreTime { question }).await
    }
}

/// One request and the replies to it.
#[derive(Debug)]
pub struct Exchange<S> {
    stream: BufReader<S>,
    // A line that has arrived in part stays here when a caller stops waiting for its end.
    line: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    /// Sends the request.
    pub async fn open(stream: S, request: &Request) -> Result<Self, Error> {
        let mut exchange = Self { stream: BufReader::new(stream), line: Vec::new() };
        exchange.say(request).await?;
        Ok(exchange)
    }

    async fn say(&mut self, request: &Request) -> Result<(), Error> {
        ask(&mut self.stream, request).await
    }
}

impl<S: AsyncRead + Unpin> Exchange<S> {
    /// The next reply; `None` once the core has said all. [`Reply::Failed`] comes as the error that it carries.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Reply>, Error> {
        let room = LONGEST_LINE.saturating_sub(self.line.len() as u64);
        (&mut self.stream).take(room).read_until(b'\n', &mut self.line).await.map_err(|_| gone())?;
        if self.line.is_empty() {
            return Ok(None);
        }
        if !self.line.ends_with(b"\n") {
            return Err(gone());
        }
        let reply = serde_json::from_slice(&self.line).map_err(|error| unreadable(&error));
        self.line.clear();
        let reply = reply?;
        if let Reply::Failed { error } = reply { Err(error) } else { Ok(Some(reply)) }
    }

    /// The reply that ends the exchange; what comes before it (a sign-in page's address, a code) is passed over.
    pub async fn last(mut self) -> Result<Reply, Error> {
        loop {
            match self.next().await? {
                Some(Reply::Open { .. } | Reply::Code { .. }) => {}
                Some(reply) => return Ok(reply),
                None => return Err(gone()),
            }
        }
    }
}

/// The states of a core, as they come.
#[derive(Debug)]
pub struct Watch<S> {
    exchange: Exchange<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watch<S> {
    /// The next state. [`Code::NoCore`] when the core went away; whether to connect again is the caller's choice.
    pub async fn next(&mut self) -> Result<Snapshot, Error> {
        match self.exchange.next().await? {
            Some(Reply::Snapshot { snapshot }) => Ok(snapshot),
            Some(other) => Err(unexpected(&other)),
            None => Err(gone()),
        }
    }
}

/// The orders for sign-in windows, as they come.
pub struct WindowOrders {
    exchange: Exchange<ReadHalf<Stream>>,
}

impl WindowOrders {
    /// The next order, and for which window. [`Code::NoCore`] when the core went away.
    pub async fn next(&mut self) -> Result<(u64, WindowOrder), Error> {
        match self.exchange.next().await? {
            Some(Reply::Window { window, order }) => Ok((window, order)),
            Some(other) => Err(unexpected(&other)),
            None => Err(gone()),
        }
    }
}

/// Where to say what sign-in windows say.
pub struct WindowWords {
    writer: WriteHalf<Stream>,
}

impl WindowWords {
    /// Passes on what a window says.
    pub async fn say(&mut self, window: u64, said: WindowSaid) -> Result<(), Error> {
        ask(&mut self.writer, &Request::WindowSaid { window, said }).await
    }
}

async fn ask<W: AsyncWrite + Unpin>(stream: &mut W, request: &Request) -> Result<(), Error> {
    let mut line = serde_json::to_vec(request).map_err(|error| unreadable(&error))?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(|_| gone())?;
    stream.flush().await.map_err(|_| gone())
}

fn not_connected(error: &ConnectError) -> Error {
    let said = error.to_string();
    match error {
        ConnectError::NotRunning => Error::new(Code::NoCore, said).hint("start it with `keybearer start`"),
        ConnectError::Failed { .. } => Error::new(Code::NoCore, said),
        ConnectError::Folders(folders) => Error::new(Code::NotAllowed, said).hint(folders.hint()),
        ConnectError::Foreign { .. } => {
            Error::new(Code::NotAllowed, said).hint("set `KEYBEARER_HOME` to a folder that only you can write to")
        }
    }
}

fn gone() -> Error {
    Error::new(Code::NoCore, "keybearer stopped while it was asked").hint("start it with `keybearer start`")
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(Code::Internal, format!("a message between two parts of keybearer makes no sense: {error}"))
        .hint("the parts may be of different versions: restart keybearer with `keybearer stop`, `keybearer start`")
}

pub(crate) fn unexpected(reply: &Reply) -> Error {
    let kind = match reply {
        Reply::Snapshot { .. } => "snapshot",
        Reply::Server { .. } => "server",
        Reply::ClientAdded { .. } => "client_added",
        Reply::Open { .. } => "open",
        Reply::Code { .. } => "code",
        Reply::SignedOut { .. } => "signed_out",
        Reply::LeftForGood { .. } => "left_for_good",
        Reply::Diagnosis { .. } => "diagnosis",
        Reply::KnownClients { .. } => "known_clients",
        Reply::ConnectPreview { .. } => "connect_preview",
        Reply::Connected { .. } => "connected",
        Reply::Disconnected { .. } => "disconnected",
        Reply::Prompts { .. } => "prompts",
        Reply::Answered { .. } => "answered",
        Reply::Window { .. } => "window",
        Reply::Unsaved { .. } => "unsaved",
        Reply::Draining { .. } => "draining",
        Reply::Activity { .. } => "activity",
        Reply::Exchanges { .. } => "exchanges",
        Reply::Tools { .. } => "tools",
        Reply::Found { .. } => "found",
        Reply::Settings { .. } => "settings",
        Reply::Done => "done",
        Reply::Failed { .. } => "failed",
    };
    Error::new(Code::Internal, format!("keybearer answered with `{kind}`, which is not what was asked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};

    async fn asked(request: &Request) -> (Exchange<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(4096);
        (Exchange::open(ours, request).await.unwrap(), theirs)
    }

    #[tokio::test]
    async fn a_request_is_one_line() {
        let (exchange, mut core) = asked(&Request::Logout { server: "crm".into() }).await;
        drop(exchange);
        let mut sent = String::new();
        core.read_to_string(&mut sent).await.unwrap();
        assert_eq!(sent, "{\"do\":\"logout\",\"server\":\"crm\"}\n");
    }

    #[tokio::test]
    async fn a_failure_is_the_error_that_it_carries() {
        let (exchange, mut core) = asked(&Request::Status).await;
        core.write_all(b"{\"reply\":\"failed\",\"error\":{\"code\":\"unknown_server\",\"message\":\"m\"}}\n")
            .await
            .unwrap();
        assert_eq!(exchange.last().await.unwrap_err(), Error::new(Code::UnknownServer, "m"));
    }

    #[tokio::test]
    async fn the_address_of_the_sign_in_page_does_not_end_a_login() {
        let (exchange, mut core) = asked(&Request::Status).await;
        core.write_all(b"{\"reply\":\"open\",\"url\":\"u\"}\n{\"reply\":\"done\"}\n").await.unwrap();
        assert!(matches!(exchange.last().await, Ok(Reply::Done)));
    }

    #[tokio::test]
    async fn a_core_that_hangs_up_early_is_gone() {
        for said in ["", "{\"reply\":\"do"] {
            let (exchange, mut core) = asked(&Request::Status).await;
            core.write_all(said.as_bytes()).await.unwrap();
            drop(core);
            assert_eq!(exchange.last().await.unwrap_err().code, Code::NoCore, "{said:?}");
        }
    }

    #[tokio::test]
    async fn half_a_line_is_kept_when_the_waiting_ends() {
        let (mut exchange, mut core) = asked(&Request::Status).await;
        core.write_all(b"{\"reply\":").await.unwrap();
        tokio::select! { biased; _ = exchange.next() => unreachable!(), () = tokio::task::yield_now() => {} }
        core.write_all(b"\"done\"}\n").await.unwrap();
        assert!(matches!(exchange.next().await, Ok(Some(Reply::Done))));
    }

    #[tokio::test]
    async fn nonsense_is_an_error_and_no_panic() {
        let (exchange, mut core) = asked(&Request::Status).await;
        core.write_all(b"\xff{}\n").await.unwrap();
        assert_eq!(exchange.last().await.unwrap_err().code, Code::Internal);
    }
}
