//! The check in front of a company server: a bearer for this very server, else a challenge that says where to get one.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::idp::Verifier;

/// How many requests' heads are remembered.
const REMEMBERED: usize = 2000;

/// What stands in front of one server.
#[derive(Clone)]
pub(super) struct Guard {
    origin: Arc<str>,
    document: Arc<Value>,
    scopes: Arc<str>,
    verifier: Verifier,
    log: Arc<Mutex<Log>>,
}

/// What came to the server.
#[derive(Default)]
pub(super) struct Log {
    pub(super) requests: usize,
    pub(super) refused: usize,
    pub(super) bearers: HashSet<[u8; 32]>,
    pub(super) heads: VecDeque<String>,
}

impl Guard {
    pub(super) fn new(name: &str, origin: &str, verifier: Verifier, scopes: &[&str]) -> Self {
        let document = json!({
            "resource": verifier.resource(),
            "resource_name": name,
            "authorization_servers": [verifier.issuer()],
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
        });
        Self {
            origin: origin.into(),
            document: Arc::new(document),
            scopes: scopes.join(" ").into(),
            verifier,
            log: Arc::default(),
        }
    }

    /// Puts the check in front of `mcp` and the metadata (RFC 9728) beside it.
    pub(super) fn protect(&self, mcp: Router) -> Router {
        let metadata = Arc::clone(&self.document);
        let metadata = get(move || async move { Json(Value::clone(&metadata)) });
        mcp.layer(middleware::from_fn_with_state(self.clone(), check))
            .route("/.well-known/oauth-protected-resource/mcp", metadata.clone())
            .route("/.well-known/oauth-protected-resource", metadata)
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &Request, refused: bool) {
        let mut log = self.log();
        log.requests += 1;
        log.refused += usize::from(refused);
        if let Some(token) = bearer(request.headers()).filter(|_| !refused) {
            log.bearers.insert(keybearer_model::secret::digest(token));
        }
        if log.heads.len() == REMEMBERED {
            log.heads.pop_front();
        }
        let fields = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        log.heads.push_back(format!("{} {}\n{}", request.method(), request.uri(), fields.collect::<String>()));
    }

    fn challenge(&self, error: Option<&str>) -> Response {
        let error =
            error.map_or_else(String::new, |why| format!("error=\"invalid_token\", error_description=\"{why}\", "));
        let (origin, scopes) = (&self.origin, &self.scopes);
        let metadata = format!("{origin}/.well-known/oauth-protected-resource/mcp");
        let challenge = format!("Bearer {error}scope=\"{scopes}\", resource_metadata=\"{metadata}\"");
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let verdict = match bearer(request.headers()) {
        None => Err(None),
        Some(token) => guard.verifier.judge(token).map(drop).map_err(Some),
    };
    guard.note(&request, verdict.is_err());
    match verdict {
        Ok(()) => next.run(request).await,
        Err(why) => guard.challenge(why.map(|why| why.to_string()).as_deref()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
