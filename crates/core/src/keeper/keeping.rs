//! What an owner keeps and forgets: the grant in the key store, the credential in memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use keybearer_model::grant::{Account, Bearer, Grant};
use keybearer_model::secret::Secret;
use keybearer_model::time::BootTime;

use super::owner::Owner;
use super::{CredentialError, Held, Standing};
use crate::config::AuthConfig;
use crate::ports::{KeyStoreError, KeyStoreKind};
use crate::sign_in::SignInError;

impl Owner {
    /// Stores a new grant, or notes that it lives in memory only.
    pub(super) async fn save(&mut self, grant: &Grant) {
        (self.saved, self.save_again) = (false, false);
        if grant.refresh_token.is_none() {
            return;
        }
        let stored = self.parts.custody.put_grant(grant).await;
        self.note_saving(&stored);
        let (store, server, facts) = (Arc::clone(&self.parts.store), self.parts.server.clone(), grant.facts.clone());
        let noted = tokio::task::spawn_blocking(move || store.put_grant(&server, &facts)).await;
        self.saved &= matches!(noted, Ok(Ok(())));
    }

    /// Notes whether the key store took the grant. One that hangs is asked again; one that is locked would ask the
    /// person for a password each time, and has to wait for the next renewal.
    pub(super) fn note_saving(&mut self, stored: &Result<(), KeyStoreError>) {
        if let Err(error) = stored {
            tracing::warn!(server = %self.parts.server, %error, "the sign-in was not saved");
        }
        self.saved = stored.is_ok() && self.parts.custody.kind() == KeyStoreKind::System;
        self.save_again = matches!(stored, Err(KeyStoreError::Timeout));
    }

    /// Asks a key store that did not answer once more to take the grant.
    pub(super) async fn save_again(&mut self) {
        self.save_again = false;
        let Some(grant) = self.grant.take() else { return };
        let stored = self.parts.custody.put_grant(&grant).await;
        self.note_saving(&stored);
        if matches!(self.state().standing, Standing::SignedIn { .. }) {
            self.show(Standing::SignedIn { saved: self.saved }, &grant);
        }
        self.grant = Some(grant);
    }

    pub(super) async fn forget(&mut self, grant: &Grant) {
        self.shared.held.store(None);
        (self.saved, self.save_again) = (false, false);
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
                self.note_saving(&Ok(()));
                self.show(Standing::SignedIn { saved: self.saved }, &grant);
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
        self.key_store_failed_at = Some(self.parts.ports.clock.boot());
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
        self.shared.held.store(Some(Arc::new(Held { name, value, bearer: None, account: None, serial: self.serial })));
        self.stand(Standing::Ready);
    }

    /// Holds a bearer whose life began at `received_at`.
    pub(super) fn hold(
        &mut self,
        token: Secret,
        received_at: BootTime,
        expires_in: Option<Duration>,
        account: &Account,
    ) {
        self.serial += 1;
        self.shared.renewing_ahead.store(false, Ordering::Relaxed);
        let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) else {
            tracing::warn!(server = %self.parts.server, "the issuer gave a token that no header can carry");
            return;
        };
        value.set_sensitive(true);
        let bearer = Bearer { token, expires_at: expires_in.map(|life| received_at + life), received_at };
        let account = Some(Arc::new(account.clone()));
        let held = Held { name: AUTHORIZATION, value, bearer: Some(bearer), account, serial: self.serial };
        self.shared.held.store(Some(Arc::new(held)));
    }
}
