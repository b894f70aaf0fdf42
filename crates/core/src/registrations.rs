//! The clients that we are at issuers: what we registered ourselves, and where a client from IT was seen to be known.
//!
//! Written after a sign-in that succeeded, and never before (SEC-32); each is for one issuer, and shown to no other. What
//! is no secret lies in the state database; a client's secret, where it has one, in the key store.

use std::sync::Arc;

use keybearer_model::grant::{ClientAuth, Grant, Registration};
use keybearer_model::url::{Issuer, Upstream};
use keybearer_oauth::registration::KnownClient;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::custody::Custody;
use crate::ports::KeyStoreError;
use crate::store::Store;

/// The names under which the database has them.
const REGISTERED: &str = "registrations";
const SEEN: &str = "clients_seen";

/// What is remembered of registrations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registrations {
    store: Arc<Store>,
    custody: Custody,
    /// Held while a list is read, changed and written: two sign-ins that end together must not overtake each other.
    changing: Arc<Mutex<()>>,
}

#[derive(Serialize, Deserialize)]
struct Registered {
    issuer: Issuer,
    client_id: String,
    auth: ClientAuth,
    redirect_uri: String,
}

/// A client from IT, and who took it.
#[derive(Serialize, Deserialize)]
struct Seen {
    server: String,
    client_id: String,
    issuer: Issuer,
}

impl Registrations {
    pub(crate) fn new(store: Arc<Store>, custody: Custody) -> Self {
        Self { store, custody, changing: Arc::default() }
    }

    /// The clients that we registered ourselves. One whose secret cannot be had is none.
    pub(crate) async fn known(&self) -> Vec<KnownClient> {
        let mut known = Vec::new();
        for Registered { issuer, client_id, auth, redirect_uri } in self.read::<Registered>(REGISTERED).await {
            let secret = match auth {
                ClientAuth::None => None,
                ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost => {
                    match self.custody.registration_secret(&issuer, &client_id).await {
                        Ok(Some(secret)) => Some(secret),
                        Ok(None) | Err(_) => continue,
                    }
                }
            };
            known.push(KnownClient { issuer, client_id, secret, auth, redirect_uri });
        }
        known
    }

    /// Which issuer has taken this client for this server before.
    pub(crate) async fn seen(&self, server: &Upstream, client_id: &str) -> Option<Issuer> {
        let seen = self.read::<Seen>(SEEN).await;
        let same = |seen: &Seen| seen.server == server.to_string() && seen.client_id == client_id;
        seen.into_iter().find(same).map(|seen| seen.issuer)
    }

    /// Remembers the client of a sign-in that succeeded.
    pub(crate) async fn remember(&self, server: &Upstream, grant: &Grant) {
        let facts = &grant.facts;
        let (issuer, client_id) = (facts.issuer.clone(), facts.client_id.clone());
        match &facts.registration {
            Registration::Dynamic { redirect_uri } => {
                if let Some(secret) = &grant.client_secret
                    && let Err(error) = self.custody.put_registration_secret(&issuer, &client_id, secret).await
                {
                    tracing::warn!(%issuer, %error, "the registration's secret was not saved");
                    return;
                }
                let (auth, redirect_uri) = (facts.client_auth, redirect_uri.clone());
                self.change(REGISTERED, move |all: &mut Vec<Registered>| {
                    // The newest counts; an older one at the same issuer has no use any more.
                    all.retain(|one| one.issuer != issuer);
                    all.push(Registered { issuer, client_id, auth, redirect_uri });
                })
                .await;
            }
            Registration::Hand => {
                let server = server.to_string();
                self.change(SEEN, move |all: &mut Vec<Seen>| {
                    all.retain(|one| one.server != server || one.client_id != client_id);
                    all.push(Seen { server, client_id, issuer });
                })
                .await;
            }
            Registration::Document => {}
        }
    }

    /// Forgets a client that its issuer may not know any more: the next sign-in registers anew.
    pub(crate) async fn forget(&self, client_id: &str) {
        let gone = client_id.to_owned();
        self.change(REGISTERED, move |all: &mut Vec<Registered>| all.retain(|one| one.client_id != gone)).await;
    }

    /// Forgets every client that we registered, with its secret.
    pub(crate) async fn forget_all(&self) -> Result<(), KeyStoreError> {
        for Registered { issuer, client_id, .. } in self.read::<Registered>(REGISTERED).await {
            self.custody.forget_registration(&issuer, &client_id).await?;
            self.forget(&client_id).await;
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned + Send + 'static>(&self, name: &'static str) -> Vec<T> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || list(&store, name)).await.unwrap_or_default()
    }

    async fn change<T>(&self, name: &'static str, change: impl FnOnce(&mut Vec<T>) + Send + 'static)
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let _changing = self.changing.lock().await;
        let store = Arc::clone(&self.store);
        let changed = tokio::task::spawn_blocking(move || {
            let mut all = list::<T>(&store, name);
            change(&mut all);
            store.set(name, &serde_json::to_string(&all).unwrap_or_default())
        });
        if !matches!(changed.await, Ok(Ok(()))) {
            tracing::warn!("what is known of registrations could not be written down");
        }
    }
}

/// What the database has under a name; nothing where it cannot be read, for it can be found out again.
fn list<T: DeserializeOwned>(store: &Store, name: &str) -> Vec<T> {
    let text = store.setting(name).ok().flatten().unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
