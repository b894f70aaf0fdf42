use std::future::poll_fn;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, timeout};

use super::*;

/// A connection that is being answered, its other end, and the answer to whether somebody holds that.
fn answering() -> (Ear<DuplexStream>, DuplexStream, Arc<AtomicU8>) {
    let (here, there) = duplex(64);
    let (progress, gone) = (Progress::default(), Arc::new(AtomicU8::new(0)));
    progress.becomes(ANSWERING);
    let asked = Arc::clone(&gone);
    (Ear::new(here, progress, move || asked.load(Ordering::Acquire) == 1), there, gone)
}

async fn flush(ear: &mut Ear<DuplexStream>) -> io::Result<()> {
    poll_fn(|context| Pin::new(&mut *ear).poll_flush(context)).await
}

/// Listens until something comes of it.
async fn ends(ear: &mut Ear<DuplexStream>) -> io::Error {
    poll_fn(|context| match Pin::new(&mut *ear).poll_flush(context) {
        Poll::Ready(Err(error)) => Poll::Ready(error),
        Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
    })
    .await
}

#[tokio::test]
async fn what_comes_while_it_is_answered_is_read_afterwards_whole_and_in_order() {
    let (mut ear, mut there, _) = answering();
    there.write_all(b"next").await.unwrap();
    for _ in 0..3 {
        flush(&mut ear).await.unwrap();
    }
    there.write_all(b" one").await.unwrap();
    flush(&mut ear).await.unwrap();
    drop(there);
    ear.progress.becomes(IDLE);
    let mut heard = String::new();
    ear.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "next one");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_listens_is_answered_until_nobody_is_there() {
    let (mut ear, mut there, gone) = answering();
    there.shutdown().await.unwrap();
    timeout(10 * LOOK, ends(&mut ear)).await.unwrap_err();
    gone.store(1, Ordering::Release);
    let since = Instant::now();
    assert_eq!(ends(&mut ear).await.kind(), io::ErrorKind::ConnectionAborted);
    assert!(since.elapsed() <= LOOK);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_is_missed_at_once_and_only_while_it_is_answered() {
    let (mut ear, there, gone) = answering();
    gone.store(1, Ordering::Release);
    assert!(timeout(LOOK, ends(&mut ear)).await.is_err(), "it is still there");
    drop(there);
    for step in [IDLE, BEGUN] {
        ear.progress.becomes(step);
        flush(&mut ear).await.unwrap();
    }
    ear.progress.becomes(ANSWERING);
    let since = Instant::now();
    assert_eq!(ends(&mut ear).await.kind(), io::ErrorKind::ConnectionAborted);
    assert_eq!(since.elapsed(), Duration::ZERO);
}
