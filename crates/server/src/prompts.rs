//! The prompter lease over the control socket: questions go to the shell, answers come back, on one connection.

use keybearer_control::error::{Code, Error, Exactly};
use keybearer_control::prompt::{Answer, Prompts};
use keybearer_control::wire::{Reply, Request};
use keybearer_core::broker::Broker;
use keybearer_core::consent::desk::Desk;
use keybearer_core::consent::lease::Lease;
use keybearer_core::consent::question::{Change, NotAnswered, Said};
use keybearer_os::local::Stream;
use keybearer_os::peer;
use keybearer_os::shell::Shell;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, ReadHalf};

use crate::control::{LONGEST_REQUEST, Replies, say};

mod shown;

pub(crate) use shown::permission;

/// Who is at the other end of a control connection.
pub(crate) struct Peer {
    identified: Option<peer::Peer>,
    is_shell: bool,
}

impl Peer {
    /// Asks the system. Where it does not tell, the peer is nobody in particular.
    pub(crate) fn of(stream: &Stream, shell: &Shell) -> Self {
        let identified = peer::identify(stream).ok();
        let is_shell = identified.as_ref().is_some_and(|peer| shell.is(&peer.itself));
        Self { identified, is_shell }
    }

    /// As the system has named it.
    pub(crate) fn identified(&self) -> Option<&peer::Peer> {
        self.identified.as_ref()
    }

    /// Whether it is our desktop shell.
    pub(crate) fn is_shell(&self) -> bool {
        self.is_shell
    }

    /// Its program, where the system named it.
    pub(crate) fn program(&self) -> Option<&std::path::Path> {
        self.identified.as_ref()?.itself.executable.as_deref()
    }

    /// Asks the person for a change that lets more in. What is clicked in our own window needs no second question.
    pub(crate) async fn permit(&self, broker: &Broker, change: Change) -> Result<(), Error> {
        if self.is_shell {
            return Ok(());
        }
        let chain = self.identified.clone().map(peer::Peer::whole_chain).unwrap_or_default();
        let (caller, _) = broker.caller_by_chain(chain);
        let asked = broker.permit_change(change, caller).await;
        asked.map_err(|cause| {
            let error = Error::new(Code::NotAllowed, cause.to_string()).exactly(Exactly::NobodyAllowed);
            error.hint("nothing was changed; answer in the Keybearer window")
        })
    }

    /// Whether what it asks for may let more in without a question: it is our own window, or there is none to ask in.
    pub(crate) fn may_loosen(&self, broker: &Broker) -> bool {
        self.is_shell || !broker.desk().is_attended()
    }

    /// Why this peer cannot answer: it does not hold the lease.
    pub(crate) fn cannot_answer(&self, desk: &Desk) -> Error {
        desk.refuse_answer(NotAnswered::NotTheShell, self.program());
        Error::new(Code::NotAllowed, NotAnswered::NotTheShell.to_string()).hint("answer the question in that window")
    }

    /// Gives the lease, if this is the shell and nobody has it.
    pub(crate) fn lease(&self, broker: &Broker) -> Result<Lease, Error> {
        if !self.is_shell {
            broker.record_prompter(self.program(), Some("not_the_shell"));
            return Err(Error::new(Code::NotAllowed, "only the Keybearer window can answer questions"));
        }
        let Some(lease) = broker.desk().lease() else {
            broker.record_prompter(self.program(), Some("taken"));
            return Err(Error::new(Code::NotAllowed, "another Keybearer window answers the questions already"));
        };
        broker.record_prompter(self.program(), None);
        Ok(lease)
    }
}

/// Shows the questions and takes the answers until the peer hangs up.
pub(crate) async fn serve(
    broker: &Broker,
    mut lease: Lease,
    reader: &mut BufReader<ReadHalf<Stream>>,
    replies: &mut Replies,
) -> std::io::Result<()> {
    // Half a line that has come stays here when a question comes in between.
    let mut line = Vec::new();
    loop {
        let room = LONGEST_REQUEST.saturating_sub(line.len() as u64);
        let mut limited = (&mut *reader).take(room);
        tokio::select! {
            () = lease.changed() => say(replies, &prompts(broker, &mut lease)).await?,
            read = limited.read_until(b'\n', &mut line) => {
                if read? == 0 || line.last() != Some(&b'\n') {
                    return Ok(());
                }
                let reply = obey(&lease, &line);
                line.clear();
                say(replies, &reply).await?;
            }
        }
    }
}

fn prompts(broker: &Broker, lease: &mut Lease) -> Reply {
    let (shown, all) = lease.look();
    let waiting = u32::try_from(all.saturating_sub(shown.len())).unwrap_or(u32::MAX);
    let questions = shown.iter().map(|question| shown::question(question, broker)).collect();
    Reply::Prompts { prompts: Prompts { questions, waiting } }
}

fn obey(lease: &Lease, line: &[u8]) -> Reply {
    let (question, done) = match serde_json::from_slice(line) {
        Ok(Request::Answer { question, answer }) => {
            let said = match answer {
                Answer::Deny => Said::Deny,
                Answer::Allow { lasting } => Said::Allow(shown::of_wire(lasting)),
            };
            let done = question.parse().and_then(|id| lease.answer(id, said));
            (question, done)
        }
        Ok(Request::MoreTime { question }) => {
            let done = question.parse().and_then(|id| lease.more_time(id));
            (question, done)
        }
        Ok(_) => return failed("on this connection questions are answered, and nothing else is asked"),
        Err(cause) => return failed(&format!("the request is not understood: {cause}")),
    };
    let refused = done.err().map(|why| Error::new(Code::NotAnswered, why.to_string()));
    Reply::Answered { question, refused }
}

fn failed(message: &str) -> Reply {
    Reply::Failed { error: Error::new(Code::BadRequest, message) }
}
