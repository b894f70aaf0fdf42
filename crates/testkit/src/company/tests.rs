//! The company's servers work for a bearer of their own, and for nothing else.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Company;
use crate::client::http::HttpClient;
use crate::ports::ManualClock;

async fn open() -> Company {
    Company::open(Arc::new(ManualClock::default()), Duration::ZERO).await.unwrap()
}

#[tokio::test]
async fn without_a_bearer_of_its_own_a_server_says_where_to_get_one() {
    let company = open().await;
    let foreign = company.idp.bearer(&company.dana, company.wiki.verifier()).unwrap();
    for (bearer, error) in
        [(None, ""), (Some("invented"), "unknown token"), (Some(foreign.as_str()), "another resource")]
    {
        let answer = HttpClient::new("test", company.crm.url(), bearer).initialize().await.unwrap();
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert_eq!(answer.status, 401);
        assert!(
            challenge.contains("resource_metadata=\"http://127.0.0.1:") && challenge.contains(error),
            "{challenge}"
        );
    }
    assert_eq!((company.crm.requests(), company.crm.refused(), company.crm.bearers()), (3, 3, 0));
    assert!(company.crm.heard("Bearer invented"));
}

#[tokio::test]
async fn the_crm_finds_changes_and_exports_with_progress() {
    let company = open().await;
    let bearer = company.idp.bearer(&company.dana, company.crm.verifier()).unwrap();
    let client = HttpClient::new("test", company.crm.url(), Some(&bearer));
    let hello = client.initialize().await.unwrap();
    assert_eq!(hello.result().unwrap()["serverInfo"]["name"], "example-crm");
    let tools = client.list_tools().await.unwrap();
    let names = tools.result().unwrap()["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["export_report", "find_accounts", "get_account", "update_account"]);
    let found = client.call("find_accounts", json!({ "query": "initech" })).await.unwrap();
    assert_eq!(found.result().unwrap()["structuredContent"]["accounts"][0]["id"], "A-1002");
    client.call("update_account", json!({ "id": "A-1002", "owner": "dana@example.com" })).await.unwrap();
    let changed = client.call("get_account", json!({ "id": "A-1002" })).await.unwrap();
    assert_eq!(changed.result().unwrap()["structuredContent"]["owner"], "dana@example.com");
    let report = client.call("export_report", json!({ "quarter": "2026-Q4" })).await.unwrap();
    assert_eq!(report.progress().len(), 8);
    assert!(report.text().unwrap().contains("A-1005,Pellworm Shipping,renewal,52500"));
    assert!(!report.mentions(crate::CANARY));
}

#[tokio::test]
async fn the_wiki_searches_reads_and_writes() {
    let company = open().await;
    let bearer = company.idp.bearer(&company.dana, company.wiki.verifier()).unwrap();
    let client = HttpClient::new("test", company.wiki.url(), Some(&bearer));
    client.initialize().await.unwrap();
    let found = client.call("search", json!({ "query": "receipt trains" })).await.unwrap();
    assert_eq!(found.result().unwrap()["structuredContent"]["pages"], json!(["expenses"]));
    let written = client.call("edit_page", json!({ "page": "lunch", "text": "Soup." })).await.unwrap();
    assert_eq!(written.text(), Some("`lunch` is written"));
    let read = client.call("read_page", json!({ "page": "lunch" })).await.unwrap();
    assert_eq!(read.text(), Some("Soup."));
    let missing = client.call("read_page", json!({ "page": "dinner" })).await.unwrap();
    assert_eq!(missing.result().unwrap()["isError"], true);
}
