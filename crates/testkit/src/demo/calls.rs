//! The middle: signing in, calling over stdio and over HTTP, and what is not allowed.

use anyhow::Context as _;
use keybearer_testkit::client::answer::Answer;
use serde_json::{Value, json};

use super::opening;
use super::stage::{Kept, Stage};
use super::telling::Teller;

/// The person signs in, in the browser.
pub(crate) async fn sign_in(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("Dana signs in to the CRM");
    if stage.stand_in.is_none() {
        teller.says("The company's sign-in page opens in the browser. This is what Dana types there:");
        teller.fact("user name", &stage.company.dana.user);
        teller.fact("password", &stage.company.dana.password);
    } else {
        teller
            .says("`keybearer login crm` opens the company's page; a small program stands in for browser and person.");
    }
    let before = stage.company.idp.counts();
    stage.house.run(&["login", "crm"]).await?;
    let (after, server) = (stage.company.idp.counts(), stage.server("crm").await?);
    teller.check("she typed her password on the company's own page, once", after.sign_ins == before.sign_ins + 1);
    let email = server["account"] == stage.company.dana.email.as_str();
    teller.check("Keybearer knows who signed in", server["state"]["kind"] == "signed_in" && email);
    let saved = server["state"]["saved"] == true;
    match stage.kept {
        Kept::Keychain => teller.check("the sign-in is in the keychain", saved),
        Kept::Memory => teller.check("the sign-in is in memory, and Keybearer does not pretend otherwise", !saved),
    }
    teller.stayed("the access token, the refresh token, and the proof that redeemed the code (PKCE)");
    Ok(())
}

/// The app on the other side of a pipe.
pub(crate) async fn over_stdio(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("`desk-app` asks the CRM, over stdio");
    opening::desk_app(stage)?;
    let desk = &mut stage.desk()?.crm;
    let hello = desk.initialize().await.context("the desk app says hello")?;
    let name = hello.result().map(|result| result["serverInfo"]["name"].clone());
    teller.check("it speaks with the CRM itself", name == Some(json!("example-crm")));
    let tools = tool_names(&desk.list_tools().await?);
    teller.fact("tools", &tools.join(", "));
    let found = desk.call("find_accounts", json!({ "query": "initech" })).await?;
    let account = found.result().map_or(Value::Null, |result| result["structuredContent"]["accounts"][0].clone());
    teller.fact("it asks", "find_accounts { query: \"initech\" }");
    teller.fact("it gets", &describe(&account));
    teller.check("the answer is the CRM's", account["id"] == "A-1002");
    let report = desk.call("export_report", json!({ "quarter": "2026-Q4" })).await?;
    let steps = report.progress().len();
    teller.check(&format!("a long export told its progress {steps} times on the way"), steps == 8);
    let received = stage.desk()?.crm.received().to_vec();
    teller.check("in all that the app received there is no token", !stage.canary().sings_in(&received));
    teller.stayed("the access token that the CRM wanted with each of these calls");
    Ok(())
}

/// The app with a key; the Wiki's sign-in opens by itself because a call needs it.
pub(crate) async fn over_http(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("`chat-app` asks CRM and Wiki, over HTTP");
    let before = stage.company.idp.counts();
    let chat = stage.chat()?;
    chat.crm.initialize().await.context("the chat app says hello to the CRM")?;
    let account = chat.crm.call("get_account", json!({ "id": "A-1005" })).await?;
    let account = account.result().map_or(Value::Null, |result| result["structuredContent"].clone());
    teller.fact("it gets", &describe(&account));
    teller.check("the CRM answers it, too, on the same sign-in", account["id"] == "A-1005");
    if stage.stand_in.is_none() {
        teller.says("The Wiki has a sign-in of its own; its page opens now.");
        stage.house.run(&["login", "wiki"]).await?;
    } else {
        teller.says("Nobody has signed in to the Wiki yet. The call waits, the sign-in page opens, the call goes on.");
    }
    let chat = stage.chat()?;
    chat.wiki.initialize().await.context("the chat app says hello to the Wiki")?;
    let page = chat.wiki.call("read_page", json!({ "page": "holiday-calendar" })).await?;
    let text = page.text().unwrap_or_default().to_owned();
    teller.fact("it reads", text.lines().next().unwrap_or_default());
    teller.check("the Wiki answers", text.contains("24 to 26 December"));
    let opened = stage.company.idp.counts().sign_ins - before.sign_ins;
    teller.check("for that, one sign-in was opened", opened == 1);
    let chat = stage.chat()?;
    let heard = stage.company.crm.heard(&chat.key) || stage.company.wiki.heard(&chat.key);
    teller.check("the app's key never arrived at the company", !heard);
    teller.check("in all that the app received there is no token", !stage.canary().sings_in(&chat.received()));
    teller.stayed("both access tokens");
    Ok(())
}

/// What the settings forbid does not happen.
pub(crate) async fn not_allowed(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("A model tries to change a page");
    let requests = stage.company.wiki.requests();
    let chat = stage.chat()?;
    let refused = chat.wiki.call("edit_page", json!({ "page": "expenses", "text": "Send receipts to me." })).await?;
    teller.says("The settings say: nobody edits the Wiki through an AI app.");
    let why = refused.error().map_or(Value::Null, |error| error["message"].clone());
    teller.fact("it is told", why.as_str().unwrap_or("nothing"));
    teller.check("Keybearer refused", why.is_string());
    teller.check("the Wiki was not even asked", stage.company.wiki.requests() == requests);
    Ok(())
}

fn tool_names(answer: &Answer) -> Vec<String> {
    let tools = answer.result().and_then(|result| result["tools"].as_array()).into_iter().flatten();
    tools.filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
}

fn describe(account: &Value) -> String {
    let text = |name: &str| account[name].as_str().unwrap_or("?").to_owned();
    format!("{}, {} · {} · {}", text("name"), text("city"), text("stage"), text("next_step"))
}
