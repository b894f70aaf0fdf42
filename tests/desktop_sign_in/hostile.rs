//! A page that tries every way out of the window.

use std::path::Path;

use keybearer_control::sign_in_window::WindowSaid;
use serde_json::{Value, json};

use crate::is_inside;
use crate::lone::Lone;
use crate::screen::{Screen, patiently};
use crate::session_files;
use crate::web::{self, Answer, Site};

/// What the page tries, one after the other; it tells its own server what came of each.
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>nothing to see</title><body><script>
const told = {};
const tell = (name, value) => { told[name] = String(value); };
const send = (path, text) => fetch(path, { method: 'POST', body: text });
const soon = (promise, name) => promise.then(value => tell(name, value), () => tell(name, 'failed'));
const steps = ['file:///etc/passwd', 'tauri://localhost/index.html', 'ipc://localhost/view', 'data:text/html,<h1>out</h1>',
  'javascript:void send("/javascript", "")', 'view-source:' + location, 'ftp://127.0.0.1/', 'mailto:a@b.test',
  'http://out.test/', 'http://127.0.0.1:9/'];

addEventListener('message', event => send('/frame', event.data));
addEventListener('unload', () => navigator.sendBeacon('/left'));
(async () => {
  for (const name of ['__TAURI__', '__TAURI_INTERNALS__', '__TAURI_INVOKE__', 'ipc', 'chrome']) tell(name, typeof window[name]);
  tell('handlers', Object.keys(window.webkit?.messageHandlers ?? {}).length);
  tell('ipc handler', typeof window.webkit?.messageHandlers?.ipc);
  tell('ours in window', Object.keys(window).filter(name => /tauri|wry|keybearer/i.test(name)));
  for (const url of steps.slice(0, 4)) {
    await soon(fetch(url).then(reply => reply.text()).then(text => text.includes('<h1>out') ? 'its own text' : text), 'fetch ' + url.slice(0, 5));
    await soon(new Promise((done, failed) => {
      const asked = new XMLHttpRequest();
      asked.onload = () => done(asked.responseText); asked.onerror = failed; asked.open('GET', url); asked.send();
    }).then(text => text.includes('<h1>out') ? 'its own text' : text), 'ask ' + url.slice(0, 5));
  }
  await soon(new Promise((done, failed) => navigator.geolocation.getCurrentPosition(done, failed)), 'place');
  await soon(Notification.requestPermission().then(said => said === 'granted' ? 'granted' : Promise.reject()), 'notices');
  await soon(navigator.clipboard?.readText?.() ?? Promise.reject(), 'clipboard');
  await soon(navigator.mediaDevices?.getUserMedia?.({ audio: true }) ?? Promise.reject(), 'microphone');
  await soon(document.documentElement.requestFullscreen?.() ?? Promise.reject(), 'whole screen');
  alert('look here'); tell('confirm', confirm('sure?')); tell('prompt', prompt('your password?'));
  print();

  const out = 'parent.postMessage("frame ran", "*")';
  const blob = URL.createObjectURL(new Blob(['<script>' + out + '</' + 'script>'], { type: 'text/html' }));
  for (const url of [...steps.slice(0, 4), blob, 'data:text/html,<script>' + out + '</' + 'script>']) {
    const frame = document.body.appendChild(document.createElement('iframe'));
    frame.src = url;
  }
  for (const [name, url] of [['a.txt', blob], ['b.txt', 'data:application/octet-stream,abc'], ['c.bin', '/download']]) {
    const link = document.body.appendChild(document.createElement('a'));
    link.href = url; link.download = name; link.click();
  }
  const frame = document.body.appendChild(document.createElement('iframe'));
  frame.src = '/download';
  for (const url of [...steps, blob]) {
    const opened = window.open(url);
    tell('window ' + url.slice(0, 12), opened === null);
    location.href = url;
    await new Promise(done => setTimeout(done, 30));
  }
  await send('/told', JSON.stringify(told));
  location.href = '/here-still';
})();
</script>"#;

fn answer(path: &str) -> Answer {
    match path {
        "/page" => ("200 OK\r\ncontent-type: text/html", PAGE.to_owned()),
        "/download" => (
            "200 OK\r\ncontent-type: application/octet-stream\r\ncontent-disposition: attachment; filename=c.bin",
            "bytes".to_owned(),
        ),
        _ => ("200 OK\r\ncontent-type: text/html", "here still".to_owned()),
    }
}

#[test]
fn sec_50_a_page_that_tries_every_way_out_gets_nothing() {
    if !is_inside("hostile::sec_50_a_page_that_tries_every_way_out_gets_nothing") {
        return;
    }
    let site = Site::open(|asked| answer(&asked.path));
    let before = session_files();
    let listening = web::listening();
    let lone = Lone::open(&site.url("/page"), &[]);
    patiently("the page has tried everything", || !site.asked("/here-still").is_empty());
    let window = Screen.window(&format!("{} – Sign in – Keybearer", site.address));
    assert_eq!(Screen.title(&window), format!("{} – Sign in – Keybearer", site.address));

    let told: Value = serde_json::from_str(&site.asked("/told")[0].body).unwrap();
    for (tried, came_of_it) in told.as_object().unwrap() {
        let want = match tried.as_str() {
            "__TAURI__" | "__TAURI_INTERNALS__" | "__TAURI_INVOKE__" | "ipc" | "ipc handler" | "chrome" => {
                json!("undefined")
            }
            "handlers" => json!("0"),
            "ours in window" => json!(""),
            "confirm" => json!("false"),
            "prompt" => json!("null"),
            // Its own text is no way out.
            "fetch data:" | "ask data:" => json!("its own text"),
            name if name.starts_with("window ") => json!("true"),
            _ => json!("failed"),
        };
        assert_eq!(*came_of_it, want, "{tried}");
    }
    assert!(told.as_object().unwrap().len() > 30, "{told}");
    assert_eq!(site.asked("/frame").len(), 0, "a frame with what it made itself has run");

    lone.is_silent();
    assert_eq!(web::listening(), listening);
    let saved = |file: &&std::path::PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !before.contains(file) && ["a.txt", "b.txt", "c.bin"].iter().any(|saved| name.starts_with(saved))
    };
    let now = session_files();
    assert_eq!(now.iter().find(saved), None, "a download was kept");
    assert!(!Path::new("a.txt").exists() && !Path::new("c.bin").exists());
}

#[test]
fn sec_51_a_host_that_cannot_prove_itself_is_not_shown() {
    if !is_inside("hostile::sec_51_a_host_that_cannot_prove_itself_is_not_shown") {
        return;
    }
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let config = std::sync::Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
            let heard = heard.clone();
            // Each by itself: a browser opens connections that it may never use.
            std::thread::spawn(move || {
                let mut request = [0; 1024];
                // A peer that does not trust the certificate hangs up before it asks for anything.
                let read = std::io::Read::read(&mut rustls::Stream::new(&mut connection, &mut stream), &mut request);
                if matches!(read, Ok(read) if read > 0) {
                    let _ = heard.send(String::from_utf8_lossy(&request).into_owned());
                }
            });
        }
    });
    let mut lone = Lone::open(&format!("https://localhost:{port}/authorize?state=s"), &[]);
    let said = lone.hears();
    assert!(matches!(&said, WindowSaid::Untrusted { host } if *host == format!("localhost:{port}")), "{said:?}");
    Screen.window("^Sign in – Keybearer$");
    assert!(asked.try_recv().is_err(), "something was sent there");
    assert!(lone.window.0.try_wait().unwrap().is_none(), "it says why");
}
