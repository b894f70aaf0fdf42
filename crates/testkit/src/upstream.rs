//! `FakeUpstream`: a remote MCP server that keeps every byte it was sent and answers with the bytes that a test wrote.
//!
//! It speaks HTTP/1.1 by itself, so that no library tidies a request up before it is recorded. Where nothing is
//! scripted it has the manners of a small MCP server. Absent: TLS, keep-alive after a cut, any check of the MCP itself.

mod manners;
mod reply;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::reply::{Release, Reply, Stream};
pub use self::wire::Seen;
use crate::idp::{FakeIdp, Verifier};
use crate::serving;

const PATIENCE: Duration = Duration::from_secs(20);

/// Who may come in.
enum Check {
    Anybody,
    Bearer(Verifier, Vec<String>),
    Header { name: String, value: String },
}

/// A raw MCP server on loopback, running while this value lives.
pub struct FakeUpstream {
    shared: Arc<Shared>,
    read: AtomicUsize,
    accepting: JoinHandle<()>,
}

struct Shared {
    origin: String,
    check: Check,
    script: Mutex<VecDeque<Reply>>,
    /// The methods that need no bearer.
    open: Mutex<Vec<&'static str>>,
    seen: watch::Sender<Vec<Arc<Seen>>>,
}

impl FakeUpstream {
    /// One that everybody may use.
    pub async fn open() -> io::Result<Self> {
        let (listener, address) = serving::bind().await?;
        Ok(Self::start(listener, format!("http://{address}"), Check::Anybody))
    }

    /// One that takes bearers of `idp` for its own URL, and says where to get them.
    pub async fn protected_by(idp: &FakeIdp, scopes: &[&str]) -> io::Result<Self> {
        let (listener, address) = serving::bind().await?;
        let verifier = idp.protect(&format!("http://{address}/mcp"), scopes);
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Ok(Self::start(listener, format!("http://{address}"), Check::Bearer(verifier, scopes)))
    }

    /// One that wants this header with this value.
    pub async fn wanting_header(name: &str, value: &str) -> io::Result<Self> {
        let (listener, address) = serving::bind().await?;
        let check = Check::Header { name: name.to_owned(), value: value.to_owned() };
        Ok(Self::start(listener, format!("http://{address}"), check))
    }

    fn start(listener: TcpListener, origin: String, check: Check) -> Self {
        let seen = watch::Sender::new(Vec::new());
        let shared = Arc::new(Shared { origin, check, script: Mutex::default(), open: Mutex::default(), seen });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, read: AtomicUsize::new(0), accepting }
    }

    /// Where it listens: `http://127.0.0.1:…/mcp`.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.shared.origin)
    }

    /// The next request that may come in and has no answer yet gets this one.
    pub fn will(&self, reply: Reply) -> &Self {
        self.shared.script().push_back(reply);
        self
    }

    /// These methods need no bearer: some servers ask for one first when a tool is called.
    pub fn lets_in(&self, methods: &[&'static str]) -> &Self {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(methods);
        self
    }

    /// Every MCP request so far, those that were turned away too.
    pub fn requests(&self) -> Vec<Arc<Seen>> {
        self.shared.seen.borrow().clone()
    }

    /// The next MCP request that this method has not returned yet; waits for it, twenty seconds at most.
    pub async fn next(&self) -> io::Result<Arc<Seen>> {
        let place = self.read.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.shared.seen.subscribe();
        let arrived = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| seen.len() > place)).await;
        let request = match arrived {
            Ok(Ok(seen)) => seen.get(place).cloned(),
            Ok(Err(_)) | Err(_) => None,
        };
        request.ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "no further request arrived"))
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, VecDeque<Reply>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, mut seen: Seen) -> Reply {
        if let Some(document) = self.metadata(&seen) {
            return document;
        }
        let challenge = self.challenge(&seen);
        seen.turned_away = challenge.is_some();
        let reply = challenge.or_else(|| self.script().pop_front()).unwrap_or_else(|| manners::answer(&seen));
        self.seen.send_modify(|all| all.push(Arc::new(seen)));
        reply
    }

    fn metadata(&self, seen: &Seen) -> Option<Reply> {
        let Check::Bearer(verifier, scopes) = &self.check else { return None };
        seen.target.starts_with("/.well-known/oauth-protected-resource").then(|| {
            let document = serde_json::json!({
                "resource": verifier.resource(),
                "authorization_servers": [verifier.issuer()],
                "scopes_supported": scopes,
                "bearer_methods_supported": ["header"],
            });
            Reply::json(document.to_string())
        })
    }

    fn is_open(&self, seen: &Seen) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        manners::method(seen).is_some_and(|method| open.contains(&method.as_str()))
    }

    fn challenge(&self, seen: &Seen) -> Option<Reply> {
        let problem = match &self.check {
            Check::Anybody => return None,
            Check::Header { name, value } if seen.header(name) == Some(value) => return None,
            Check::Header { .. } => return Some(Reply::status(401)),
            Check::Bearer(..) if self.is_open(seen) => return None,
            Check::Bearer(verifier, _) => match seen.header("authorization").and_then(|v| v.strip_prefix("Bearer ")) {
                None => "",
                Some(token) => match verifier.judge(token) {
                    Ok(_) => return None,
                    Err(_) => "error=\"invalid_token\", ",
                },
            },
        };
        let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", self.origin);
        let challenge = format!("Bearer {problem}resource_metadata=\"{metadata}\"");
        Some(Reply::status(401).header("WWW-Authenticate", &challenge))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A peer that hangs up in the middle is nothing to report: the test sees it in what was recorded.
        tokio::spawn(async move { drop(converse(stream, &shared).await) });
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = tokio::io::BufReader::new(reader);
    while let Some(seen) = wire::read_request(&mut reader).await? {
        let reply = shared.answer(seen);
        reply.write(&mut reader, &mut writer).await?;
    }
    Ok(())
}
