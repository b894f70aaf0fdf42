//! What becomes of a line: it goes upstream, or is answered here while the server is out of reach.

use std::sync::Arc;

use bytes::Bytes;
use keybearer_mcp::contact;
use keybearer_mcp::modern;
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::reply;
use keybearer_model::call::MethodClass;

use super::contact::Contact;
use super::lines::Line;
use super::requests::Cancelled;
use super::talk::{Talk, Waiting};

impl Talk {
    /// Takes the client's next line.
    pub(super) async fn take(self: &Arc<Self>, line: Line) {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => {
                let text = "the message is longer than 4 MiB";
                return self.out.message(&reply::error("null", -32600, "too_large", text)).await;
            }
        };
        if line.trim_ascii().is_empty() {
            return;
        }
        match peek(&line) {
            Err(refused) => self.out.message(&reply::refused(&refused)).await,
            Ok(message) => match &message.kind {
                Kind::Batch(messages) => self.take_batch(messages.len(), &line).await,
                Kind::Notification | Kind::Response { .. } => self.take_notice(&message, &line).await,
                Kind::Request { id } => self.take_request(&message, id, &line).await,
            },
        }
    }

    /// A message that wants no answer. Notices keep their order.
    async fn take_notice(self: &Arc<Self>, message: &Peeked<'_>, line: &Bytes) {
        if message.method.as_deref() == Some("notifications/cancelled") {
            let taken_back = contact::aside(line).request_id.map(|id| self.requests.cancel(id.get()));
            if taken_back == Some(Cancelled::Done) {
                return;
            }
        }
        self.said().note(message, line);
        if !self.is_passing() {
            return;
        }
        if message.method.as_deref() == Some("notifications/initialized") {
            let unsaid = self.said().claim_initialized();
            if let Some(line) = unsaid {
                self.tell(&line).await;
                self.opened.send_modify(|count| *count += 1);
                self.listen_always();
            }
        } else {
            self.tell(line).await;
        }
    }

    async fn take_request(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes) {
        let method = message.method.as_deref().unwrap_or_default();
        let passing = self.is_passing();
        let is_first_list = self.is_first() && self.call_of(message).class == MethodClass::List;
        // A handshake must be over before what follows it.
        if method == "initialize" || (passing && (method == "server/discover" || is_first_list)) {
            return self.greet(message, id, line).await;
        }
        let mut under_way = self.requests.begin(id, modern::is_modern(message));
        let (talk, line) = (Arc::clone(self), line.clone());
        self.tasks.request(async move {
            let sent = Arc::clone(&under_way.sent);
            tokio::select! {
                biased;
                () = under_way.taken_back() => {}
                () = talk.serve(&line, passing, &sent) => {}
            }
        });
    }

    async fn serve(self: &Arc<Self>, line: &Bytes, passing: bool, sent: &std::sync::atomic::AtomicBool) {
        let Ok(message) = peek(line) else { return };
        let Some(id) = message.request_id() else { return };
        if passing && !self.is_offer_called(&message) {
            self.said().note(&message, line);
            let waiting = Waiting { progress: contact::aside(line).progress_token, ..self.waiting_for(&message) };
            self.exchange(&message, id, line, waiting, sent).await;
        } else {
            self.stand_in(&message, id, line, sent).await;
        }
    }

    fn waiting_for(&self, message: &Peeked<'_>) -> Waiting<'static> {
        Waiting::of(self.call_of(message).class)
    }

    /// The tool that was offered for the sign-in is called a moment too late, or once more.
    fn is_offer_called(&self, message: &Peeked<'_>) -> bool {
        message.tool.as_deref() == Some(contact::SIGN_IN) && self.said().offered
    }

    pub(super) fn is_passing(&self) -> bool {
        *self.contact.borrow() == Contact::Passing
    }
}
