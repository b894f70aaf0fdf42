//! What an owner keeps and forgets: the grant in the key store, the credential in memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use keybearer_model::grant::{Account, Bearer, Grant};
use keybearer_model::secret::Secret;

use super::owner::Owner;
use super::{CredentialError, Held, Standing};
use crate::config::AuthConfig;
use crate::ports::{KeyStoreError, KeyStoreKind};
use crate::sign_in::SignInError;

impl Owner {
    /// Stores a new grant; false means that it lives in memory only.
    pub(super) async fn save(&self, grant: &Grant) -> bool {
        if grant.refresh_token.is_none() {
            return false;
        }
        let stored = self.parts.custody.put_grant(grant).await;
        if let Err(error) = &stored {
            tracing::warn!(server = %self.parts.server, %error, "the sign-in was not saved");
        }
        let (store, server, facts) = (Arc::clone(&self.parts.store), self.parts.server.clone(), grant.facts.clone());
        let noted = tokio::task::spawn_blocking(move || store.put_grant(&server, &facts)).await;
        stored.is_ok() && matches!(noted, Ok(Ok(()))) && self.parts.custody.kind() == KeyStoreKind::System
    }
    pub(super) async fn forget(&mut self, grant: &Grant) {
        self.shared.held.store(None);
        let custody = &self.parts.custody;
        if let Err(error) = custody.delete_grant(&grant.facts.id, grant.generation).await {
            tracing::warn!(server = %self.parts.server, %error, "the ended sign-in could not be removed from the keychain");
        }
        let (store, server) = (Arc::clone(&self.parts.store), self.parts.server.clone());
        let _ = tokio::task::spawn_blocking(move || store.remove_grant(&server)).await;
    }

    /// Looks for what is kept from before: a grant, or the secret of a static header.
    pub(super) async fn load(&mut self) {
        match &self.parts.config.auth {
            AuthConfig::None => {
                self.loaded = true;
                self.stand(Standing::Ready);
            }
            AuthConfig::Header { name } => {
                let name = name.clone();
                match self.parts.custody.header(&self.parts.server).await {
                    Err(error) => self.key_store_failed(&error),
                    Ok(None) => {
                        self.loaded = true;
                        self.stand(Standing::Needed("Its secret header is not set.".to_owned()));
                    }
                    Ok(Some(secret)) => self.hold_header(name, &secret),
                }
            }
            AuthConfig::OAuth(_) => self.load_grant().await,
        }
    }

    pub(super) async fn load_grant(&mut self) {
        let (store, server) = (Arc::clone(&self.parts.store), self.parts.server.clone());
        let facts = match tokio::task::spawn_blocking(move || store.grant(&server)).await {
            Ok(Ok(Some(facts))) => facts,
            _ => {
                self.loaded = true;
                return;
            }
        };
        match self.parts.custody.grant(&facts.id).await {
            Ok(Some(grant)) => {
                self.loaded = true;
                self.show(Standing::SignedIn { saved: self.parts.custody.kind() == KeyStoreKind::System }, &grant);
                self.grant = Some(grant);
            }
            Ok(None) => {
                self.loaded = true;
                self.challenged = true;
                self.stand(Standing::Needed("Your sign-in was not kept.".to_owned()));
            }
            Err(error) => self.key_store_failed(&error),
        }
    }

    pub(super) fn key_store_failed(&mut self, error: &KeyStoreError) {
        self.stand(Standing::KeyStore(error.to_string()));
        self.answer_waiters(&Err(CredentialError::KeyStore(error.to_string())));
        for waiter in self.sign_in_waiters.drain(..) {
            let _ = waiter.send(Err(Arc::new(SignInError::CalledOff)));
        }
    }

    pub(super) fn hold_header(&mut self, name: http::HeaderName, secret: &Secret) {
        self.loaded = true;
        let Ok(mut value) = HeaderValue::from_str(secret.expose()) else {
            self.stand(Standing::Needed("Its secret header has characters that a header cannot hold.".to_owned()));
            return;
        };
        value.set_sensitive(true);
        self.serial += 1;
        self.shared.held.store(Some(Arc::new(Held { name, value, bearer: None, email: None, serial: self.serial })));
        self.stand(Standing::Ready);
    }

    pub(super) fn hold(&mut self, token: Secret, expires_in: Option<Duration>, account: &Account) {
        let now = self.parts.ports.clock.boot();
        self.serial += 1;
        self.shared.renewing_ahead.store(false, Ordering::Relaxed);
        let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) else {
            tracing::warn!(server = %self.parts.server, "the issuer gave a token that no header can carry");
            return;
        };
        value.set_sensitive(true);
        let bearer = Bearer { token, expires_at: expires_in.map(|life| now + life), received_at: now };
        let email = account.email.as_deref().map(Into::into);
        let held = Held { name: AUTHORIZATION, value, bearer: Some(bearer), email, serial: self.serial };
        self.shared.held.store(Some(Arc::new(held)));
    }
}
