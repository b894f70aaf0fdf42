//! An event stream that is silent gets comments, between its events, and is otherwise what the server sent.

use std::time::Duration;

use http_body_util::BodyExt as _;
use keybearer_testkit::upstream::Reply;
use keybearer_testkit::world::World;

const COMMENT: &str = ": keep-alive\n\n";

/// What has come of a body until `enough` of it has.
async fn read(body: &mut hyper::body::Incoming, came: &mut String, enough: impl Fn(&str) -> bool) {
    while !enough(came) {
        let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.unwrap();
        let Some(frame) = frame else { return };
        came.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_gets_comments_between_its_events() {
    let mut world = World::that_allows_all().await;
    world.silence = Duration::from_millis(100);
    world.restart().await;
    let client = world.client("chat-app").await;
    world.login("raw").await.unwrap();
    let (reply, stream) = Reply::sse();
    world.upstream.will(reply);
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account"}}"#;
    let answer = client.at("raw").open(http::Method::POST, &[], message).await.unwrap();
    let (mut body, mut came) = (answer.into_body(), String::new());
    // The server has answered with a stream and says nothing.
    read(&mut body, &mut came, |came| came.matches(COMMENT).count() >= 2).await;
    assert_eq!(came.replace(COMMENT, ""), "");
    stream.send("id: 1\nda");
    read(&mut body, &mut came, |came| came.ends_with("da")).await;
    let before = came.len();
    stream.send("ta: {}\n\n");
    read(&mut body, &mut came, |came| came.len() > before).await;
    assert!(came.ends_with("id: 1\ndata: {}\n\n"), "{came}");
    let after = came.len();
    read(&mut body, &mut came, |came| came.len() > after).await;
    assert!(came.ends_with(COMMENT));
    stream.send("data: 2\n\n");
    stream.finish();
    read(&mut body, &mut came, |_| false).await;
    assert_eq!(came.replace(COMMENT, ""), "id: 1\ndata: {}\n\ndata: 2\n\n", "every byte of the server's, and no other");
}
