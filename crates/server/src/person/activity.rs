//! The audit trail as it grows.

use keybearer_control::activity::Record;
use keybearer_control::error::{Code, Error};
use keybearer_control::wire::Reply;
use keybearer_core::audit;

use crate::control::{Control, Replies, say};

/// The most records that are told at a time: a window shows no more.
const MOST: usize = 1_000;

impl Control {
    /// Tells the last records, and then each that follows, until the peer hangs up.
    pub(crate) async fn activity(&self, last: u32, replies: &mut Replies) -> std::io::Result<()> {
        let mut recorded = self.broker.recorded();
        recorded.mark_unchanged();
        let mut wanted = usize::try_from(last).unwrap_or(MOST).min(MOST);
        let mut told = 0;
        loop {
            let records = match self.records(wanted).await {
                Ok(records) => records,
                Err(error) => return say(replies, &Reply::Failed { error }).await,
            };
            let records: Vec<Record> = records.into_iter().filter(|record| record.seq > told || told == 0).collect();
            let newest = records.last().map(|record| record.seq);
            // The first answer comes even if it is empty: the window then knows that there is nothing.
            if newest.is_some() || told == 0 {
                say(replies, &Reply::Activity { records }).await?;
            }
            told = newest.unwrap_or(told);
            if recorded.changed().await.is_err() {
                return Ok(());
            }
            let newest = *recorded.borrow_and_update();
            wanted = usize::try_from(newest.saturating_sub(told)).unwrap_or(MOST).min(MOST);
        }
    }

    async fn records(&self, last: usize) -> Result<Vec<Record>, Error> {
        let folder = self.broker.places().audit.clone();
        let read = tokio::task::spawn_blocking(move || audit::tail(&folder, last)).await;
        let failed = |cause: String| Error::new(Code::Internal, format!("the audit trail cannot be read: {cause}"));
        let lines = read.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        Ok(lines.into_iter().filter_map(Record::read).collect())
    }
}

#[cfg(test)]
mod tests {
    use keybearer_control::activity::{Happening, Record};
    use keybearer_core::audit::{About, Event};

    /// What the window calls an event: a new kind of event does not compile until the window knows it.
    fn happening(event: &Event) -> Happening {
        match event {
            Event::SignIn { .. } => Happening::SignIn,
            Event::SignInEnds { .. } => Happening::SignInEnds,
            Event::SignOut { .. } => Happening::SignOut,
            Event::Renewed { .. } => Happening::Renewed,
            Event::ClientAdded { .. } => Happening::ClientAdded,
            Event::Answered { .. } => Happening::Answered,
            Event::AnswerRefused { .. } => Happening::AnswerRefused,
            Event::PrompterAttached { .. } => Happening::PrompterAttached,
            Event::PrompterRefused { .. } => Happening::PrompterRefused,
            Event::PermissionGiven { .. } => Happening::PermissionGiven,
            Event::PermissionEnded { .. } => Happening::PermissionEnded,
            Event::ProgramChanged { .. } => Happening::ProgramChanged,
            Event::ClientRevoked { .. } => Happening::ClientRevoked,
            Event::ServerAdded { .. } => Happening::ServerAdded,
            Event::ServerRemoved { .. } => Happening::ServerRemoved,
            Event::AccessStopped => Happening::AccessStopped,
            Event::AccessResumed => Happening::AccessResumed,
            Event::Repaired { .. } => Happening::Repaired,
            Event::Discontinued { .. } => Happening::Discontinued,
            Event::TurnedAway { .. } => Happening::TurnedAway,
            Event::InspectionBegun { .. } => Happening::InspectionBegun,
            Event::InspectionEnded => Happening::InspectionEnded,
            Event::Lost { .. } => Happening::Lost,
        }
    }

    fn every() -> Vec<Event> {
        let (client, server) = (|| "chat-app".parse().unwrap(), || "crm".parse().unwrap());
        let (program, about) = (|| Some("/usr/bin/chat".to_owned()), About::default);
        let issuer = || "https://idp.test".to_owned();
        vec![
            Event::SignIn {
                server: server(),
                issuer: issuer(),
                account: None,
                deviations: Vec::new(),
                shares_with: Vec::new(),
            },
            Event::SignInEnds { servers: vec![server()], issuer: issuer(), account: None, at: "t".to_owned() },
            Event::SignOut { server: server() },
            Event::Renewed { server: server(), account: None },
            Event::ClientAdded { client: client() },
            Event::Answered { about: about(), answer: "once" },
            Event::AnswerRefused { program: program(), why: "too_early" },
            Event::PrompterAttached { program: "/usr/bin/keybearer-desktop".to_owned() },
            Event::PrompterRefused { program: program(), why: "not_the_shell" },
            Event::PermissionGiven { permission: 1, about: about(), lasts: "today" },
            Event::PermissionEnded { permission: 1, about: about(), why: "ran_out" },
            Event::ProgramChanged { client: client(), sha256: None },
            Event::ClientRevoked { client: client() },
            Event::ServerAdded { server: server() },
            Event::ServerRemoved { server: server() },
            Event::AccessStopped,
            Event::AccessResumed,
            Event::Repaired { torn_bytes: 1 },
            Event::Discontinued { found: "a gap".to_owned() },
            Event::TurnedAway { door: "http", reason: "no_key", client: None, times: 2 },
            Event::InspectionBegun { program: program() },
            Event::InspectionEnded,
            Event::Lost { records: 3 },
        ]
    }

    #[test]
    fn the_window_knows_every_event_that_the_core_writes() {
        for event in every() {
            let mut line = serde_json::to_value(&event).unwrap();
            line["seq"] = 1.into();
            line["time"] = "2026-11-30T10:42:00.000Z".into();
            let record = Record::read(line.clone()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(record.event, happening(&event), "{line}");
            assert_eq!(record.why.is_some(), line.get("why").is_some(), "{line}");
        }
    }
}
