//! Comments in an event stream that would be silent for long: programs between a client and a server give up otherwise.
//!
//! They stand between two events, never inside one, and change no byte of what the server sends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a stream may be silent before a comment is sent in it.
pub const SILENCE: Duration = Duration::from_secs(25);

/// Nobody's event: clients skip it.
const COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// Watches one stream.
pub(crate) struct KeepAlive {
    silence: Duration,
    border: Border,
    spoke: Instant,
    /// Made at the first wait: most streams end without any.
    timer: Option<Pin<Box<Sleep>>>,
}

impl KeepAlive {
    /// A watch over the answer with this head; `None` where comments have no place in it.
    pub(crate) fn over(head: &HeaderMap, silence: Duration) -> Option<Self> {
        let fits = is_event_stream(head) && !head.contains_key(CONTENT_LENGTH) && !head.contains_key(CONTENT_ENCODING);
        fits.then(|| Self { silence, border: Border::default(), spoke: Instant::now(), timer: None })
    }

    /// Notes what the server has sent.
    pub(crate) fn passes(&mut self, chunk: &[u8]) {
        self.border.passes(chunk);
        self.spoke = Instant::now();
    }

    /// The comment, once the stream has been silent long enough and stands between two events.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        let due = self.spoke + self.silence;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        loop {
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let (now, due) = (Instant::now(), self.spoke + self.silence);
            if now < due {
                timer.as_mut().reset(due);
                continue;
            }
            self.spoke = now;
            timer.as_mut().reset(now + self.silence);
            if self.border.stands() {
                return Poll::Ready(COMMENT);
            }
        }
    }
}

/// Whether an answer is a stream of events.
pub(crate) fn is_event_stream(head: &HeaderMap) -> bool {
    let essence = head.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Knows whether a stream stands between two events: after an empty line, or at its beginning.
///
/// Lines that end with a bare return never count: a feed may still belong to it.
struct Border([u8; 3]);

impl Default for Border {
    fn default() -> Self {
        Self(*b"\n\n\n")
    }
}

impl Border {
    fn passes(&mut self, chunk: &[u8]) {
        for byte in chunk.iter().skip(chunk.len().saturating_sub(self.0.len())) {
            self.0.rotate_left(1);
            self.0[2] = *byte;
        }
    }

    fn stands(&self) -> bool {
        self.0[1..] == *b"\n\n" || self.0 == *b"\n\r\n" || self.0 == *b"\r\r\n"
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn stands(chunks: &[&str]) -> bool {
        let mut border = Border::default();
        chunks.iter().for_each(|chunk| border.passes(chunk.as_bytes()));
        border.stands()
    }

    #[test]
    fn a_border_is_an_empty_line_wherever_chunks_end() {
        for between in [&[][..], &["data: x\n\n"], &["data: x\n", "\n"], &["data: x\r\n\r\n"], &["x\r", "\n\r", "\n"]] {
            assert!(stands(between), "{between:?}");
        }
        for within in
            [&["data: x\n\ndata: y\n"][..], &["d"], &["data: x\r\n"], &["x\r\n\r"], &["x\r\r"], &["\n\n", "i"]]
        {
            assert!(!stands(within), "{within:?}");
        }
    }

    #[test]
    fn a_stream_is_never_silent_for_longer_than_clients_bear() {
        assert_eq!(SILENCE, Duration::from_secs(25));
    }

    #[test]
    fn only_event_streams_of_open_length_are_watched() {
        let watched = |fields: &[(&'static str, &'static str)]| {
            let head = fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            KeepAlive::over(&head, SILENCE).is_some()
        };
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            assert!(watched(&[("content-type", "text/event-stream")]));
            assert!(watched(&[("content-type", "Text/Event-Stream; charset=utf-8")]));
            assert!(!watched(&[("content-type", "application/json")]) && !watched(&[]));
            assert!(!watched(&[("content-type", "text/event-stream"), ("content-length", "9")]));
            assert!(!watched(&[("content-type", "text/event-stream"), ("content-encoding", "gzip")]));
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_comment_comes_after_each_silence_and_waits_for_the_event_s_end() {
        let head = [(CONTENT_TYPE, "text/event-stream".parse().unwrap())].into_iter().collect();
        let mut watch = KeepAlive::over(&head, SILENCE).unwrap();
        let begun = Instant::now();
        assert_eq!(poll_fn(|context| watch.poll(context)).await, COMMENT);
        assert_eq!(poll_fn(|context| watch.poll(context)).await, COMMENT);
        assert!(begun.elapsed() >= 2 * SILENCE && begun.elapsed() < 2 * SILENCE + Duration::from_secs(1));
        watch.passes(b"data: half");
        tokio::time::timeout(4 * SILENCE, poll_fn(|context| watch.poll(context))).await.unwrap_err();
        watch.passes(b"\n\n");
        let ended = Instant::now();
        assert_eq!(poll_fn(|context| watch.poll(context)).await, COMMENT);
        assert!(ended.elapsed() >= SILENCE, "the silence counts from the last byte");
    }
}
