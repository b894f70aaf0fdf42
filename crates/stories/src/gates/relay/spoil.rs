//! What can go wrong between a core and its issuer, and how the relay makes it go wrong.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Shared;
use super::message::{self, Reply, Request};

/// A fault on the way to the token endpoint or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset before the issuer hears of the request.
    ResetBefore,
    /// Nothing is handed on, and nothing answered.
    StallBefore(Until),
    /// The issuer is not asked: something before it answers with this status and a page.
    Page(u16),
    /// The same: too many requests, come again in a second.
    TooMany,
    /// The issuer has answered, and the connection is reset.
    ResetAfter,
    /// The issuer has answered, and nothing of it comes.
    StallAfter(Until),
    /// Half of its answer comes.
    HalfOfIt,
    /// Its answer comes with one byte a second.
    Trickle(Until),
    /// The issuer has done as it was asked, and something before it answers with this status and a page instead.
    PageInstead(u16),
    /// Its answer comes under another media type.
    WrongType,
    /// The request goes to the issuer twice, and the second answer comes back.
    AskedTwice,
    /// Its answer comes twice.
    AnsweredTwice,
}

/// How long a connection hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// For as long as the other side waits.
    TheyGiveUp,
    /// For a moment; then it is reset.
    Reset(Duration),
}

/// Every kind of fault; those that hang do so for ever.
pub const ALL: [Fault; 15] = [
    Fault::ResetBefore,
    Fault::StallBefore(Until::TheyGiveUp),
    Fault::Page(500),
    Fault::Page(503),
    Fault::Page(200),
    Fault::TooMany,
    Fault::ResetAfter,
    Fault::StallAfter(Until::TheyGiveUp),
    Fault::HalfOfIt,
    Fault::Trickle(Until::TheyGiveUp),
    Fault::PageInstead(502),
    Fault::PageInstead(200),
    Fault::WrongType,
    Fault::AskedTwice,
    Fault::AnsweredTwice,
];

impl Fault {
    /// The same fault with a hang of this length, if it hangs at all.
    pub fn lasting(mut self, until: Until) -> Self {
        if let Self::StallBefore(lasts) | Self::StallAfter(lasts) | Self::Trickle(lasts) = &mut self {
            *lasts = until;
        }
        self
    }

    /// Whether the issuer is asked all the same, so that the refresh token is spent.
    pub fn spends(self) -> bool {
        !matches!(self, Self::ResetBefore | Self::StallBefore(_) | Self::Page(_) | Self::TooMany)
    }
}

impl Shared {
    /// Hands one use of a refresh token on, spoilt as it was told; false if the connection is at its end.
    pub(super) fn relay_use(&self, stream: &mut TcpStream, request: &Request, token: &str) -> bool {
        let (number, fault) = self.note(|book| book.open(token, stream));
        if fault == Some(Fault::AskedTwice) {
            self.ask(request);
        }
        let reply = fault.is_none_or(Fault::spends).then(|| self.ask(request)).flatten();
        if let Some(reply) = &reply {
            self.note(|book| {
                book.uses[number].status = Some(reply.status);
                book.uses[number].given = reply.refresh_token.clone();
            });
        }
        let on_its_way = self.book.lock().unwrap().answers_take;
        std::thread::park_timeout(on_its_way);
        let goes_on = answer(stream, reply.as_ref(), fault);
        self.note(|book| {
            book.close(number);
            if goes_on {
                book.uses[number].delivered = Some(Instant::now());
            }
        });
        goes_on
    }
}

fn answer(stream: &mut TcpStream, reply: Option<&Reply>, fault: Option<Fault>) -> bool {
    let whole = reply.map_or(&[][..], |reply| &reply.bytes);
    match fault {
        None | Some(Fault::AskedTwice) => reply.is_some() && message::write(stream, whole),
        Some(Fault::AnsweredTwice) => message::write(stream, &[whole, whole].concat()),
        Some(Fault::WrongType) => {
            let text = String::from_utf8_lossy(whole).replacen("application/json", "text/html", 1);
            message::write(stream, text.as_bytes())
        }
        Some(Fault::Page(status) | Fault::PageInstead(status)) => message::write(stream, page(status, "").as_bytes()),
        Some(Fault::TooMany) => message::write(stream, page(429, "Retry-After: 1\r\n").as_bytes()),
        Some(Fault::HalfOfIt) => {
            message::write(stream, &whole[..whole.len() / 2]);
            false
        }
        Some(Fault::ResetBefore | Fault::ResetAfter) => reset(stream),
        Some(Fault::StallBefore(until) | Fault::StallAfter(until)) => {
            hangs_for(stream, until);
            reset(stream)
        }
        Some(Fault::Trickle(until)) => trickle(stream, whole, until),
    }
}

fn page(status: u16, fields: &str) -> String {
    let body = "<!doctype html><title>One moment</title>";
    let length = body.len();
    format!("HTTP/1.1 {status} No\r\nContent-Type: text/html\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// Whoever waits is told that the connection is gone, not that it has ended.
fn reset(stream: &TcpStream) -> bool {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    false
}

fn trickle(stream: &mut TcpStream, whole: &[u8], until: Until) -> bool {
    let end = match until {
        Until::TheyGiveUp => None,
        Until::Reset(after) => Some(Instant::now() + after),
    };
    for byte in whole {
        let left = end.map_or(Duration::from_secs(1), |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() || stream.write_all(&[*byte]).is_err() {
            return reset(stream);
        }
        if hangs_for(stream, Until::Reset(left.min(Duration::from_secs(1)))) == Waiter::Gone {
            return false;
        }
    }
    true
}

#[derive(Debug, PartialEq, Eq)]
enum Waiter {
    Waits,
    Gone,
}

/// Waits until the other side hangs up, or the time is over.
fn hangs_for(stream: &mut TcpStream, until: Until) -> Waiter {
    let limit = match until {
        Until::TheyGiveUp => None,
        Until::Reset(after) => Some(after.max(Duration::from_millis(1))),
    };
    stream.set_read_timeout(limit).unwrap();
    // Nobody sends a second request before the first is answered; what came would be lost, and the connection is reset.
    let came = stream.read(&mut [0; 1]);
    let _ = stream.set_read_timeout(None);
    match came {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Waiter::Waits,
        Ok(_) | Err(_) => Waiter::Gone,
    }
}
