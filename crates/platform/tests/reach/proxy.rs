//! Behind a proxy, which resolves names: names and literals are judged all the same.

use keybearer_platform::web::PlainHttp;

use crate::encodings::{self, Place};
use crate::machine::Machine;
use crate::{SERVERS, ask};

#[tokio::test]
async fn sec_20_a_proxy_is_asked_for_nothing_that_is_private() {
    let proxy = "http://9.9.9.9:3128";
    let variables = [("https_proxy", proxy), ("http_proxy", proxy)];
    let test = "proxy::sec_20_a_proxy_is_asked_for_nothing_that_is_private";
    let Some(machine) = Machine::inside(test, &variables) else { return };
    let http = PlainHttp::new().unwrap();
    let public = SERVERS[0].upstream();
    for way in encodings::all().filter(|way| way.place != Place::Public) {
        ask(&http, &public, &way.text).await;
    }
    for host in ["localhost", "idp.corp", "intranet", "printer.local", "metadata.google.internal"] {
        ask(&http, &public, &format!("https://{host}/")).await;
    }
    assert_eq!(machine.heard(), [] as [String; 0]);
    // This machine itself is never asked for through a proxy.
    ask(&http, &SERVERS[2].upstream(), "http://127.0.0.1/").await;
    assert!(machine.heard().iter().all(|said| said.starts_with("GET / HTTP/1.1")));
    ask(&http, &public, "https://idp.example.com/").await;
    assert!(machine.heard().iter().any(|said| said.starts_with("CONNECT idp.example.com:443")));
}
