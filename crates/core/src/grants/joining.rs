//! A server that needs a sign-in, at an issuer whose refresh tokens give bearers for every server of its: the sign-in that
//! is there serves it, too.

use std::sync::Arc;

use keybearer_model::grant::{Account, GrantFacts, Target};
use keybearer_model::name::ServerName;
use keybearer_model::url::Upstream;
use keybearer_oauth::login::Asks;

use crate::store::Served;

use super::{Demand, Grants, Handle, Life, Minted, Wish};

/// A sign-in of before that serves one more server.
pub(crate) struct Joined {
    pub(crate) handle: Arc<Handle>,
    /// Its first bearer for that server.
    pub(crate) minted: Minted,
}

impl Grants {
    /// A bearer of the sign-in that is there for what a page would be asked for now, by its owner, as any renewal. `None`
    /// where there is no such sign-in, where several people are signed in, where the last one at this server was somebody
    /// else, and where the issuer gives none: then the page is shown.
    ///
    /// The refresh token goes where it was pinned to go (SEC-27), and only where that is the place that the issuer of this
    /// server names.
    pub(crate) async fn join(&self, asks: &Asks, upstream: &Upstream, before: Option<&Account>) -> Option<Joined> {
        let store = Arc::clone(&self.0.store);
        let known = tokio::task::spawn_blocking(move || store.grants()).await.ok()?.ok()?;
        let kin: Vec<_> = known.into_iter().filter(|facts| gives(facts, asks) && is_of(facts, before)).collect();
        let sign_in = kin.first()?.sign_in();
        if kin.iter().any(|facts| facts.sign_in() != sign_in) {
            return None;
        }
        let handle = self.good_one(&kin).await?;
        let wish = Wish { target: asks.target.clone(), upstream: upstream.clone(), demand: Demand::Waiting };
        // One is asked, once: whoever is refused there would be refused with its kin, too.
        match handle.mint(wish).await {
            Ok(minted) => Some(Joined { handle, minted }),
            Err(error) => {
                tracing::info!(?error, "the sign-in that is there does not serve another server");
                None
            }
        }
    }

    /// Writes down that a grant serves this server for this target. Returns whom it serves besides.
    pub(crate) async fn serve_also(
        &self,
        handle: &Handle,
        server: &ServerName,
        upstream: &Upstream,
        target: &Target,
    ) -> Vec<ServerName> {
        let id = handle.facts().id.clone();
        let served = Served { grant: id.clone(), url: upstream.to_string(), target: target.clone() };
        let name = server.clone();
        self.0.note(move |store| store.put_served(&name, &served)).await;
        let mut others = self.0.servers_of(&id).await;
        others.retain(|other| other != server);
        others
    }

    async fn good_one(&self, kin: &[GrantFacts]) -> Option<Arc<Handle>> {
        for facts in kin {
            if let Ok(Some(handle)) = self.open(&facts.id).await
                && matches!(handle.watch().borrow().life, Life::Good { renewable: true, .. })
            {
                return Some(handle);
            }
        }
        None
    }
}

/// Whether a grant is one of the client that asks, at the issuer that is asked.
fn gives(facts: &GrantFacts, asks: &Asks) -> bool {
    facts.client_id == asks.client_id
        && facts.token_endpoint == asks.token_endpoint
        && facts.issuer.as_url().origin() == asks.issuer.as_url().origin()
}

fn is_of(facts: &GrantFacts, before: Option<&Account>) -> bool {
    before.is_none_or(|before| before.subject == facts.account.subject)
}
