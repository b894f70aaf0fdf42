//! What connecting a client needs of the broker besides registering it.

use std::net::Ipv4Addr;

use keybearer_model::time::{BootTime, Timestamp};

use super::{Broker, ChangeError};
use crate::config::{Config, edit};

impl Broker {
    /// Opens the container door at this address from now on: written into `config.toml`.
    ///
    /// # Errors
    /// If the settings are broken or could not be written.
    pub async fn set_container_door(&self, address: Ipv4Addr) -> Result<(), ChangeError> {
        let _changing = self.0.changing.lock().await;
        let changed = edit::set_container_door(&self.settings_text()?, address).map_err(ChangeError::Config)?;
        let parsed = Config::parse(&changed).map_err(ChangeError::Config)?;
        self.write_settings(&changed)?;
        self.adopt(parsed);
        Ok(())
    }

    /// The time of day, by the core's clock.
    pub fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
    }

    /// The time since the machine started, by the core's clock.
    pub fn boot(&self) -> BootTime {
        self.0.ports.clock.boot()
    }
}
