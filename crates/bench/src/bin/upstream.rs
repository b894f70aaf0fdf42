//! A fast MCP server: `upstream http` on a free port of loopback, or `upstream stdio`.
//!
//! Over HTTP it wants `Authorization: Bearer $TOKEN`, as every server behind Keybearer does (without a `TOKEN` it wants
//! nothing), and prints its URL in one line of JSON. Tools: `echo`, `big`, `events`.

#![allow(clippy::print_stdout, reason = "a program that others start speaks on standard output")]
#![allow(clippy::disallowed_methods, reason = "a tool of the benchmark reads its own settings")]

use std::io::{BufRead as _, Write as _};

use anyhow::{Result, bail};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Frame, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use keybearer_bench::message::{self, Answer};
use tokio::net::TcpListener;

/// What `Either` makes of two bodies that cannot fail.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("http") => http().await,
        Some("stdio") => stdio(),
        _ => bail!("the way is `http` or `stdio`"),
    }
}

async fn http() -> Result<()> {
    let token = std::env::var("TOKEN").ok();
    let expected: Option<&'static str> = token.map(|token| &*format!("Bearer {token}").leak());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!(r#"{{"url":"http://{}/mcp"}}"#, listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service_fn(move |request| respond(request, expected));
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
    }
}

async fn respond(
    request: Request<Incoming>,
    expected: Option<&str>,
) -> Result<Response<impl Body<Data = Bytes, Error = Failure> + use<>>, hyper::Error> {
    let empty = |status| Response::builder().status(status).body(Either::Left(Full::default()));
    let authorized = |wanted| request.headers().get(AUTHORIZATION).is_some_and(|value| value == wanted);
    let response = if !expected.is_none_or(authorized) {
        empty(StatusCode::UNAUTHORIZED)
    } else if request.method() == Method::DELETE {
        empty(StatusCode::OK)
    } else if request.method() != Method::POST {
        empty(StatusCode::METHOD_NOT_ALLOWED)
    } else {
        let body = request.into_body().collect().await?.to_bytes();
        match serde_json::from_slice(&body).map(|request| message::answer(&request)) {
            Err(_) => empty(StatusCode::BAD_REQUEST),
            Ok(Answer::Accepted) => empty(StatusCode::ACCEPTED),
            Ok(Answer::One(message)) => Response::builder()
                .header(CONTENT_TYPE, "application/json")
                .body(Either::Left(Full::new(Bytes::from(message)))),
            Ok(Answer::Many { count, token, last }) => {
                let steps = (1..=count).map(move |step| message::progress(&token, step, count));
                let events = steps.chain([last]).map(|message| format!("event: message\ndata: {message}\n\n"));
                let frames = stream::iter(events.map(|event| Ok::<_, Failure>(Frame::data(Bytes::from(event)))));
                Response::builder()
                    .header(CONTENT_TYPE, "text/event-stream")
                    .body(Either::Right(StreamBody::new(frames)))
            }
        }
    };
    Ok(response.unwrap_or_else(|_| Response::new(Either::Left(Full::default()))))
}

fn stdio() -> Result<()> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match message::answer(&serde_json::from_str(&line)?) {
            Answer::Accepted => {}
            Answer::One(message) => writeln!(output, "{message}")?,
            Answer::Many { count, token, last } => {
                for step in 1..=count {
                    writeln!(output, "{}", message::progress(&token, step, count))?;
                }
                writeln!(output, "{last}")?;
            }
        }
        output.flush()?;
    }
    Ok(())
}
