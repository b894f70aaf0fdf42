//! What an owner finds and holds: the grant that serves its server, the credential in memory.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderValue};
use keybearer_model::grant::{Account, Bearer, GrantFacts, Target};
use keybearer_model::secret::Secret;

use super::owner::{Attached, Owner};
use super::{Because, CredentialError, Held, Standing};
use crate::config::AuthConfig;
use crate::grants::{Demand, Ending, Handle, Life, Minted};
use crate::ports::KeyStoreError;
use crate::sign_in::SignInError;
use crate::store::{Served, StoreError, StoredGrant};

impl Owner {
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
                        self.stand(Standing::Needed(Because::NoHeader));
                    }
                    Ok(Some(secret)) => self.hold_header(name, &secret),
                }
            }
            AuthConfig::OAuth(_) => self.load_grant().await,
        }
    }

    async fn load_grant(&mut self) {
        let Some((served, StoredGrant { facts, ending })) = self.stored().await else {
            self.loaded = true;
            return;
        };
        self.account = Some(facts.account.clone());
        match ending {
            // The key store did not do as it was told then.
            Some(Ending::SignedOut) => {
                self.parts.grants.forget(&facts.id).await;
                self.need_sign_in(&facts, Because::SignedOut);
            }
            Some(ending) => self.need_sign_in(&facts, ending.into()),
            None => match self.parts.grants.open(&facts.id).await {
                Ok(Some(handle)) => {
                    self.follow(&facts).await;
                    self.found(handle, served.target);
                }
                Ok(None) => self.need_sign_in(&facts, Because::NotKept),
                Err(error) => self.key_store_failed(&error),
            },
        }
    }

    fn need_sign_in(&mut self, facts: &GrantFacts, because: Because) {
        (self.loaded, self.challenged) = (true, true);
        self.show(Standing::Needed(because), facts);
    }

    fn found(&mut self, handle: Arc<Handle>, target: Target) {
        let facts = handle.facts();
        let attached = Attached::new(handle, target);
        match attached.life() {
            Life::Over(ending) => self.need_sign_in(&facts, ending.into()),
            Life::Good { saved, .. } => {
                self.loaded = true;
                let interrupted = attached.handle.was_interrupted();
                self.attached = Some(attached);
                // Where a renewal was broken off, nobody is told that all is well before the issuer has answered.
                let renews = interrupted && self.renew(Demand::Waiting);
                self.show(if renews { Standing::Renewing } else { Standing::SignedIn { saved } }, &facts);
            }
        }
    }

    /// What the database knows of this server's grant, unless the server has another address now (SEC-26).
    pub(super) async fn stored(&self) -> Option<(Served, StoredGrant)> {
        let (store, server, url) =
            (Arc::clone(&self.parts.store), self.parts.server.clone(), self.parts.config.url.to_string());
        let looking = move || -> Result<Option<(Served, StoredGrant)>, StoreError> {
            let Some(served) = store.served(&server)?.filter(|served| served.url == url) else { return Ok(None) };
            Ok(store.grant(&served.grant)?.map(|grant| (served, grant)))
        };
        tokio::task::spawn_blocking(looking).await.ok()?.ok()?
    }

    pub(super) fn key_store_failed(&mut self, error: &KeyStoreError) {
        self.key_store_failed_at = Some(self.parts.ports.clock.boot());
        self.stand(Standing::KeyStore(error.clone()));
        self.answer_waiters(&Err(CredentialError::KeyStore(error.to_string())));
        self.answer_sign_in(&Err(Arc::new(SignInError::CalledOff)));
    }

    fn hold_header(&mut self, name: http::HeaderName, secret: &Secret) {
        self.loaded = true;
        let Ok(mut value) = HeaderValue::from_str(secret.expose()) else {
            self.stand(Standing::Needed(Because::UnusableHeader));
            return;
        };
        value.set_sensitive(true);
        self.serial += 1;
        self.put_at_hand(Held {
            name,
            value,
            bearer: None,
            account: None,
            serial: self.serial,
            accepted: false.into(),
        });
        self.stand(Standing::Ready);
    }

    /// Holds a bearer that came.
    pub(super) fn hold(&mut self, minted: Minted, account: &Account) {
        let Minted { token, expires_in, received_at } = minted;
        self.serial += 1;
        let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) else {
            tracing::warn!(server = %self.parts.server, "the issuer gave a token that no header can carry");
            return;
        };
        value.set_sensitive(true);
        let bearer = Bearer { token, expires_at: expires_in.map(|life| received_at + life), received_at };
        let account = Some(Arc::new(account.clone()));
        let (name, accepted) = (AUTHORIZATION, false.into());
        self.put_at_hand(Held { name, value, bearer: Some(bearer), account, serial: self.serial, accepted });
    }
}
