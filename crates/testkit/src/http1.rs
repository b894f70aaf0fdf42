//! Plain HTTP/1.1 to loopback: one request, one connection, nothing added and nothing followed.

use std::io;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Sends a request to the authority of its URI and returns the answer as soon as its head is there.
pub async fn send(request: Request<Vec<u8>>) -> io::Result<Response<Incoming>> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().cloned().ok_or_else(|| invalid("the request names no host"))?;
    if parts.uri.scheme_str() != Some("http") {
        return Err(invalid("only plain http to this machine is spoken here"));
    }
    let stream = TcpStream::connect((host(authority.host()), authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    if !parts.headers.contains_key(header::HOST) {
        parts.headers.insert(header::HOST, authority.as_str().parse().map_err(io::Error::other)?);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse().map_err(io::Error::other)?;
    sender.send_request(Request::from_parts(parts, Full::new(Bytes::from(body)))).await.map_err(io::Error::other)
}

/// Sends a request and reads the whole answer.
pub async fn fetch(request: Request<Vec<u8>>) -> io::Result<Response<Vec<u8>>> {
    let (parts, body) = send(request).await?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Response::from_parts(parts, body.to_vec()))
}

/// A GET of `url`.
pub fn get(url: &str) -> io::Result<Request<Vec<u8>>> {
    Request::get(url).body(Vec::new()).map_err(io::Error::other)
}

/// A POST of a form to `url`.
pub fn post_form(url: &str, fields: &[(&str, &str)]) -> io::Result<Request<Vec<u8>>> {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.into_bytes())
        .map_err(io::Error::other)
}

fn host(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
