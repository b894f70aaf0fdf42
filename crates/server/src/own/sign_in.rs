//! The tool `sign_in`: it opens the sign-in in the person's browser and waits a while for them.

use std::sync::Arc;
use std::time::Duration;

use keybearer_core::admission::{Asking, Initiative, Refusal, Session};
use keybearer_core::audit::Outcome;
use keybearer_core::keeper::Standing;
use keybearer_core::ports::SurfaceError;
use keybearer_core::sign_in::{Opening, SignInError};
use keybearer_mcp::reply::{Obstacle, sentence, sign_in_in_a_terminal};
use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::name::ServerName;
use rmcp::model::{ProgressNotificationParam, RequestMetaObject};
use rmcp::service::{RequestContext, RoleServer};
use tokio::time::{Instant, MissedTickBehavior};

use super::hub::{Hub, needs_sign_in};
use super::words::Told;
use crate::answer;

/// Well-known clients give up after 60 seconds.
const PATIENCE: Duration = Duration::from_secs(45);

/// How often a client that wants to know is told that we still wait.
const BEAT: Duration = Duration::from_secs(5);

pub(super) async fn sign_in(hub: &Hub, wanted: Option<&str>, context: &RequestContext<RoleServer>) -> Told {
    let servers = hub.servers();
    let server = match wanted {
        Some(name) => name.parse().ok().filter(|name: &ServerName| servers.contains_key(name)),
        None => {
            let mut needed =
                servers.iter().filter(|(_, standing)| needs_sign_in(standing)).map(|(name, _)| name.clone());
            match (needed.next(), needed.next()) {
                (Some(server), None) => Some(server),
                (None, _) => return Told::good("Keybearer: no server needs a sign-in."),
                (Some(_), Some(_)) => {
                    return Told::bad("Keybearer: several servers need a sign-in; name one of them.");
                }
            }
        }
    };
    let Some(server) = server else {
        return Told::bad("Keybearer: there is no server of this name; `status` tells the names.");
    };
    if let Some(Standing::Ready | Standing::SignedIn { .. } | Standing::Renewing) = servers.get(&server) {
        return Told::good(format!("Keybearer: {server} is ready; no sign-in is needed."));
    }
    match judge(hub, &server).await {
        Ok(()) => wait(hub, server, context).await,
        Err(refusal) => Told::bad(sentence(answer::obstacle(&refusal), &server)),
    }
}

/// A window is opened for those alone who may shake hands with the server, and it is recorded as theirs.
async fn judge(hub: &Hub, server: &ServerName) -> Result<(), Refusal> {
    let call = Call {
        caller: Arc::clone(&hub.caller),
        server: server.clone(),
        method: "initialize".into(),
        class: MethodClass::Session,
        risk: RiskClass::Read,
        tool: None,
        argument_names: Vec::new(),
    };
    let asking = Asking {
        registered: hub.registered.as_deref(),
        arguments: "",
        patience: PATIENCE,
        session: Session::Unasked,
        initiative: Initiative::Waits,
    };
    match hub.broker().admit(call, asking).await {
        Ok(permit) => permit.settle(Outcome::SignInNeeded),
        Err(Refusal::Credential(_)) => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(())
}

async fn wait(hub: &Hub, server: ServerName, context: &RequestContext<RoleServer>) -> Told {
    let (broker, name) = (hub.broker().clone(), server.clone());
    // It goes on when the client stops waiting.
    let mut signing_in = tokio::spawn(async move { broker.sign_in(&name, Opening::browser()).await });
    let begun = Instant::now();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        tokio::select! {
            ended = &mut signing_in => break ended.ok().flatten(),
            () = tokio::time::sleep_until(begun + PATIENCE) => {
                return Told::bad(format!(
                    "Keybearer: the sign-in to {server} is open in the browser. Finish it there, then try again."
                ));
            }
            _ = beat.tick() => tell(context, begun.elapsed()).await,
        }
    };
    match ended {
        Some(Ok(())) => Told::good(format!("Keybearer: signed in to {server}. Its tools are here now.")),
        Some(Err(error)) if matches!(*error, SignInError::Surface(SurfaceError::NoBrowser)) => {
            Told::bad(sign_in_in_a_terminal(&server))
        }
        Some(Err(error)) => {
            tracing::info!(%server, %error, "a sign-in that a client asked for did not succeed");
            Told::bad(format!(
                "Keybearer: the sign-in to {server} did not succeed. The person can try again in Keybearer."
            ))
        }
        None => Told::bad(sentence(Obstacle::UnknownServer, &server)),
    }
}

async fn tell(context: &RequestContext<RoleServer>, waited: Duration) {
    if let Some(token) = RequestMetaObject::get_progress_token(&context.meta) {
        let progress = ProgressNotificationParam::new(token, waited.as_secs_f64())
            .with_total(PATIENCE.as_secs_f64())
            .with_message("waiting for the person to sign in");
        // A client that is gone reads nothing.
        let _ = context.peer.notify_progress(progress).await;
    }
}
