//! The person leaves for good: every sign-in ends, and nothing of ours stays in the key store.

use std::collections::BTreeMap;
use std::sync::Arc;

use keybearer_model::name::ServerName;

use super::{Broker, ChangeError};
use crate::keeper::SignedOut;

impl Broker {
    /// Signs out of everything, and removes every secret of ours from the key store; the settings stay. Tells for each
    /// server, by name, what came of it.
    ///
    /// # Errors
    /// If the key store does not let go of something: what went before is done, and it can be tried again.
    pub async fn leave_for_good(&self) -> Result<Vec<(ServerName, SignedOut)>, ChangeError> {
        let _changing = self.0.changing.lock().await;
        let mut ends = Vec::new();
        let servers: BTreeMap<_, _> =
            self.0.servers.load().iter().map(|(name, server)| (name.clone(), Arc::clone(server))).collect();
        for server in servers.into_values() {
            ends.push((server.name.clone(), server.keeper.sign_out().await));
            self.0.custody.forget_server(&server.name).await?;
        }
        // What belongs to servers that are in no settings any more.
        self.0.grants.forget_all().await?;
        self.0.registrations.forget_all().await?;
        Ok(ends)
    }
}
