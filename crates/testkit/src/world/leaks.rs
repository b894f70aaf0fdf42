//! What a world looks for when it ends: secrets where none may be.

use std::sync::PoisonError;

use super::{World, log};
use crate::canary::Canary;

/// Every place in which a secret was found; empty if all is well.
pub(super) fn find(world: &World) -> Vec<String> {
    let keys = world.client_keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let canary = Canary::default().and_for(world.company.idp.id_tokens());
    let mut leaks = Vec::new();
    // Keys belong to their clients, tokens to nobody: at rest there is neither.
    match canary.clone().and_for(keys.iter().cloned()).files(world.home.path()) {
        Ok(files) => leaks.extend(files.iter().map(|file| format!("in `{}`", file.display()))),
        Err(cause) => leaks.push(format!("the home cannot be searched: {cause}")),
    }
    if canary.clone().and_for(keys.iter().cloned()).sings_in(&log::logged()) {
        leaks.push("in the log".to_owned());
    }
    if canary.sings_in(&world.heard.lock().unwrap_or_else(PoisonError::into_inner)) {
        leaks.push("in what clients and control peers were sent".to_owned());
    }
    let requests = world.upstream.requests();
    for key in &keys {
        let raw = requests.iter().any(|request| request.mentions(key));
        if raw || world.company.crm.heard(key) || world.company.wiki.heard(key) {
            leaks.push("a client's key at a server".to_owned());
        }
    }
    leaks
}
