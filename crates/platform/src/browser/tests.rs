use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;

struct Waiting {
    surface: Box<dyn PreparedSurface>,
    host: String,
}

async fn waiting() -> Waiting {
    let surface = SystemBrowser.prepare().await.unwrap();
    let uri = surface.redirect_uri();
    let host = uri.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/callback")).unwrap().to_owned();
    Waiting { surface, host }
}

async fn exchange(host: String, request: String) -> io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A browser that is redirected: what it shows comes when the sign-in is over.
fn browse(host: &str, target: &str) -> JoinHandle<io::Result<String>> {
    let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nsec-fetch-dest: document\r\n\r\n");
    tokio::spawn(exchange(host.to_owned(), request))
}

#[tokio::test]
async fn the_browser_waits_for_how_it_ended() {
    for (ending, status, words) in [
        (SurfaceEnding::SignedIn, "HTTP/1.1 200 OK", "You are signed in"),
        (SurfaceEnding::Failed, "HTTP/1.1 400 Bad Request", "You are not signed in"),
    ] {
        let mut waiting = waiting().await;
        let browser = browse(&waiting.host, "/callback?code=cAnArY%20x&state=a");
        assert_eq!(waiting.surface.callback().await.unwrap(), "code=cAnArY%20x&state=a");
        assert!(!browser.is_finished());
        waiting.surface.finish(ending).await;
        let shown = browser.await.unwrap().unwrap();
        assert!(shown.starts_with(status) && shown.contains(words), "{shown}");
        for header in
            ["cache-control: no-store", "content-security-policy: default-src 'none'", "referrer-policy: no-referrer"]
        {
            assert!(shown.contains(header), "{header} is missing: {shown}");
        }
        assert!(!shown.contains("cAnArY"), "the page repeats what it was sent");
        let refused = TcpStream::connect(&waiting.host).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn wrong_redirects_are_handed_out_and_told_apart() {
    let mut waiting = waiting().await;
    let stray = browse(&waiting.host, "/callback?state=wrong");
    assert_eq!(waiting.surface.callback().await.unwrap(), "state=wrong");
    let right = tokio::spawn(exchange(
        waiting.host.clone(),
        format!("GET /callback HTTP/1.1\r\nhost: {}\r\n\r\n", waiting.host),
    ));
    assert_eq!(waiting.surface.callback().await.unwrap(), "");
    assert!(stray.await.unwrap().unwrap().contains("does not belong to a sign-in"));
    waiting.surface.finish(SurfaceEnding::SignedIn).await;
    assert!(right.await.unwrap().unwrap().contains("You are signed in"));
}

#[tokio::test]
async fn only_the_redirect_is_answered() {
    let waiting = waiting().await;
    let own = format!("host: {}\r\n", waiting.host);
    let long = format!("GET /callback?{} HTTP/1.1", "a".repeat(9_000));
    for (line, headers, want) in [
        ("GET / HTTP/1.1", own.as_str(), "404"),
        ("GET /callback/ HTTP/1.1", own.as_str(), "404"),
        ("GET //callback HTTP/1.1", own.as_str(), "404"),
        ("GET /favicon.ico HTTP/1.1", own.as_str(), "404"),
        ("POST /callback HTTP/1.1", own.as_str(), "405"),
        ("HEAD /callback HTTP/1.1", own.as_str(), "405"),
        ("OPTIONS /callback HTTP/1.1", own.as_str(), "405"),
        ("GET /callback?code=a HTTP/1.1", "host: evil.example\r\n", "421"),
        ("GET /callback?code=a HTTP/1.1", "host: localhost\r\n", "421"),
        ("GET /callback?code=a HTTP/1.1", &format!("{own}{own}"), "421"),
        ("GET /callback?code=a HTTP/1.1", "", "421"),
        ("GET /callback?code=a HTTP/1.1", &format!("{own}sec-fetch-dest: image\r\n"), "403"),
        ("GET /callback?code=a HTTP/1.1", &format!("{own}sec-fetch-dest: iframe\r\n"), "403"),
        (&long, own.as_str(), "414"),
        ("nonsense", "", "400"),
    ] {
        let answer = exchange(waiting.host.clone(), format!("{line}\r\n{headers}\r\n")).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {want} ")), "{line} {headers}: {answer}");
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        assert!(body == Some("") && !answer.to_lowercase().contains("access-control"), "{answer}");
    }
    let mut surface = waiting.surface;
    let none = tokio::time::timeout(Duration::ZERO, surface.callback()).await;
    assert!(none.is_err(), "something of it was handed out");
}

#[tokio::test]
async fn a_sign_in_that_is_given_up_says_so() {
    let mut waiting = waiting().await;
    let browser = browse(&waiting.host, "/callback?state=a");
    waiting.surface.callback().await.unwrap();
    drop(waiting.surface);
    assert!(browser.await.unwrap().unwrap().contains("You are not signed in"));
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let waiting = waiting().await;
    let mut idle = TcpStream::connect(&waiting.host).await.unwrap();
    let begun = std::time::Instant::now();
    waiting.surface.finish(SurfaceEnding::SignedIn).await;
    assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_browser_is_not_held_for_ever() {
    let mut waiting = waiting().await;
    let browser = browse(&waiting.host, "/callback?state=a");
    waiting.surface.callback().await.unwrap();
    tokio::time::pause();
    assert!(browser.await.unwrap().unwrap().contains("Almost there"));
    waiting.surface.finish(SurfaceEnding::SignedIn).await;
}

#[tokio::test]
async fn an_address_that_must_not_be_opened_is_told_to_nobody() {
    let mut waiting = waiting().await;
    for hostile in ["javascript:alert(1)", "file:///etc/passwd", "http://10.0.0.1/", "https://a b/"] {
        assert!(matches!(waiting.surface.present(hostile).await, Err(SurfaceError::RefusedUrl)), "{hostile}");
    }
}

#[tokio::test]
async fn two_sign_ins_have_two_ways_back() {
    let (one, two) = (waiting().await, waiting().await);
    assert_ne!(one.host, two.host);
    assert!(one.host.starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn the_way_back_is_open_under_the_machines_name_too() {
    let mut waiting = waiting().await;
    let port = waiting.host.rsplit_once(':').unwrap().1.to_owned();
    let request = format!("GET /callback?code=b HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n");
    // As browsers do it: whichever of the name's addresses answers.
    let browser = tokio::spawn(exchange(format!("localhost:{port}"), request));
    assert_eq!(waiting.surface.callback().await.unwrap(), "code=b");
    waiting.surface.finish(SurfaceEnding::SignedIn).await;
    assert!(browser.await.unwrap().unwrap().starts_with("HTTP/1.1 200 OK"));
}
