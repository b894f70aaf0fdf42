//! What the relay remembers: each use of a refresh token, and whether one was used twice at the same time.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::net::RecvFlags;

use super::spoil::Fault;

/// The relay's memory.
#[derive(Default)]
pub struct Book {
    /// Every use of a refresh token, in order.
    pub uses: Vec<Exchange>,
    /// How often a refresh token came while the reply to an earlier request with it was still to come.
    pub overlaps: usize,
    pub(super) faults: VecDeque<Fault>,
    /// Whose reply is still to come: the number of the use, and the connection it came over.
    open: Vec<(usize, TcpStream)>,
    /// How long a whole answer is on its way: no network takes no time.
    pub answers_take: Duration,
}

/// One use of a refresh token.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The token that was used.
    pub token: String,
    /// When its request was there.
    pub came: Instant,
    /// What was done to it.
    pub fault: Option<Fault>,
    /// What the issuer answered; `None` if it was not asked, or has not answered yet.
    pub status: Option<u16>,
    /// The refresh token that the issuer gave for it.
    pub given: Option<String>,
    /// When the whole reply had been handed to the network.
    pub delivered: Option<Instant>,
}

impl Book {
    pub(super) fn open(&mut self, token: &str, stream: &TcpStream) -> (usize, Option<Fault>) {
        let waits = |(number, stream): &(usize, TcpStream)| self.uses[*number].token == token && is_open(stream);
        if self.open.iter().any(waits) {
            self.overlaps += 1;
        }
        let fault = self.faults.pop_front();
        let number = self.uses.len();
        self.uses.push(Exchange {
            token: token.to_owned(),
            came: Instant::now(),
            fault,
            status: None,
            given: None,
            delivered: None,
        });
        self.open.extend(stream.try_clone().ok().map(|stream| (number, stream)));
        (number, fault)
    }

    pub(super) fn close(&mut self, number: usize) {
        self.open.retain(|(open, _)| *open != number);
    }
}

/// Whether whoever opened this connection still waits at its other end.
fn is_open(stream: &TcpStream) -> bool {
    let looked = rustix::net::recv(stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    !matches!(looked, Ok((_, 0)) | Err(rustix::io::Errno::CONNRESET))
}
