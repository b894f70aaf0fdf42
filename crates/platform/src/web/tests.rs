use keybearer_core::ports::MayBePrivate;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server of one connection: reads the head of a request, then does what the test wants.
async fn serve<F: Future<Output = ()> + Send>(act: impl FnOnce(TcpStream, String) -> F + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap_or(b'\n'));
        }
        act(stream, String::from_utf8_lossy(&head).into_owned()).await;
    });
    format!("http://{address}")
}

async fn answer(mut stream: TcpStream, text: String) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

fn get(url: &str) -> http::Request<Vec<u8>> {
    let request = http::Request::get(url).extension(MayBePrivate { like: "127.0.0.1".into() });
    request.body(Vec::new()).unwrap()
}

async fn failure(request: http::Request<Vec<u8>>) -> HttpError {
    PlainHttp::new().unwrap().send(request).await.unwrap_err()
}

#[tokio::test]
async fn a_small_answer_comes_whole() {
    let url = serve(|stream, head| async move {
        assert!(head.starts_with("GET /token?code=cAnArY HTTP/1.1\r\n"), "{head}");
        answer(stream, format!("HTTP/1.1 418 No\r\nx-seen: 1\r\ncontent-length: {}\r\n\r\n{head}", head.len())).await;
    })
    .await;
    let response = PlainHttp::new().unwrap().send(get(&format!("{url}/token?code=cAnArY"))).await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers()["x-seen"], "1");
    let head = String::from_utf8(response.into_body()).unwrap().to_lowercase();
    assert!(head.contains("user-agent: keybearer/") && !head.contains("cookie") && !head.contains("accept-encoding"));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let url = serve(|stream, _| {
        answer(stream, "HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".into())
    })
    .await;
    assert_eq!(PlainHttp::new().unwrap().send(get(&url)).await.unwrap().status(), 307);
}

#[tokio::test]
async fn without_the_mark_this_machine_is_not_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let request = http::Request::get(format!("http://{host}:{port}/")).body(Vec::new()).unwrap();
        let refusal = failure(request).await;
        assert!(matches!(&refusal, HttpError::Forbidden { cause, .. } if cause.contains("private")), "{refusal}");
    }
    let asked = listener.into_std().unwrap().accept();
    assert!(asked.is_err_and(|cause| cause.kind() == std::io::ErrorKind::WouldBlock), "it was asked");
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let url = serve(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let piece = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        while stream.write_all(piece.as_bytes()).await.is_ok() {}
    })
    .await;
    let refusal = failure(get(&url)).await;
    assert!(matches!(&refusal, HttpError::Interrupted { cause, .. } if cause.contains("1 MiB")), "{refusal}");
}

#[tokio::test]
async fn what_broke_off_is_not_called_unsent() {
    for half in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let url = serve(move |stream, _| answer(stream, half.to_owned())).await;
        let refusal = failure(get(&format!("{url}/?code=cAnArY"))).await;
        assert!(matches!(&refusal, HttpError::Interrupted { .. }), "{refusal}");
        assert!(!refusal.to_string().contains("cAnArY"), "{refusal}");
    }
}

#[tokio::test]
async fn silence_ends_after_ten_seconds() {
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let url = serve(|stream, _| async move {
        tokio::time::pause();
        let _ = held.await;
        drop(stream);
    })
    .await;
    let refusal = failure(get(&url)).await;
    assert!(matches!(&refusal, HttpError::Interrupted { cause, .. } if cause.contains("too long")), "{refusal}");
    drop(release);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?code=cAnArY", listener.local_addr().unwrap());
    drop(listener);
    let refusal = failure(get(&url)).await;
    assert!(matches!(&refusal, HttpError::Unreachable { cause, .. } if cause.contains("refused")), "{refusal}");
    assert!(!refusal.to_string().contains("cAnArY"), "{refusal}");
}

mod tls {
    use std::sync::Arc;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    #[tokio::test]
    async fn a_strange_certificate_is_told_from_a_dead_host() {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            assert!(TlsAcceptor::from(Arc::new(config)).accept(stream).await.is_err());
        });
        let refusal = failure(get(&format!("https://{address}/"))).await;
        assert!(matches!(&refusal, HttpError::Certificate { cause, .. } if cause.contains("issuer")), "{refusal}");
    }

    #[tokio::test]
    async fn a_server_without_tls_is_no_question_of_certificates() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            answer(stream, "HTTP/1.1 400 Bad Request\r\n\r\n".into()).await;
        });
        let refusal = failure(get(&format!("https://{address}/"))).await;
        assert!(matches!(&refusal, HttpError::Unreachable { .. }), "{refusal}");
    }
}
