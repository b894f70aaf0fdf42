//! The last steps: a token's end, signing out, an app that is cut off, and what was left behind.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::opening::TOKEN_LIFETIME;
use super::stage::Stage;
use super::telling::Teller;

/// An access token ends; nobody notices.
pub(crate) async fn renewal(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("An access token ends");
    let seconds = TOKEN_LIFETIME.as_secs();
    teller
        .says(&format!("In this company they live for {seconds} seconds. The demo waits until the last one is over."));
    let before = (stage.company.idp.counts(), stage.company.crm.bearers());
    tokio::time::sleep(TOKEN_LIFETIME).await;
    let answer = stage.desk()?.crm.call("get_account", json!({ "id": "A-1002" })).await?;
    let after = (stage.company.idp.counts(), stage.company.crm.bearers());
    teller.check("the next call worked all the same", answer.result().is_some_and(|result| result["isError"] != true));
    teller.check("Keybearer had fetched a new token for it", after.0.refreshes > before.0.refreshes);
    teller.check("the CRM saw the new one", after.1 > before.1);
    teller.check("nobody had to sign in", after.0.sign_ins == before.0.sign_ins);
    teller.check("no refresh token was used twice", after.0.replays == 0);
    teller.stayed("the refresh token, and the one that took its place");
    Ok(())
}

/// The person signs out: the company's sign-in forgets the tokens, too.
pub(crate) async fn sign_out(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("Dana signs out of the CRM");
    let told = stage.house.run(&["logout", "crm"]).await?;
    teller.check("the company has revoked the sign-in", told["revocation"]["kind"] == "revoked");
    let live = stage.company.idp.live_tokens(stage.company.crm.verifier());
    teller.check("no token for the CRM is good any more", live == 0);
    let requests = stage.company.crm.requests();
    let answer = stage.desk()?.crm.call("find_accounts", json!({ "query": "" })).await?;
    let why = answer.error().map_or(Value::Null, |error| error["message"].clone());
    teller.fact("an app hears", why.as_str().unwrap_or("nothing"));
    teller.check("the next call got no data", answer.result().is_none() && why.is_string());
    teller.check("nothing was sent to the CRM with an old token", stage.company.crm.requests() == requests);
    let page = stage.chat()?.wiki.call("read_page", json!({ "page": "expenses" })).await?;
    teller.check("the Wiki is signed out of with it: it is the same company sign-in", page.text().is_none());
    Ok(())
}

/// An app is cut off.
pub(crate) async fn revoked_app(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("`chat-app` is cut off");
    stage.house.run(&["clients", "revoke", "chat-app"]).await?;
    let answer = stage.chat()?.wiki.call("read_page", json!({ "page": "expenses" })).await;
    // The door may be closed altogether now, because the last app that needed it is gone.
    let turned_away = answer.map_or(true, |answer| answer.status == 401 && answer.messages.is_empty());
    teller.check("its key opens nothing any more", turned_away);
    Ok(())
}

/// What lies in the home afterwards.
pub(crate) async fn traces(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("What is left behind");
    let tail = stage.house.run(&["audit", "tail", "-n", "200"]).await?;
    let records = tail.as_array().map_or(0, Vec::len);
    teller.says("Every call is one line in the audit trail: which app, which tool, whose account, what came of it.");
    let text = tail.to_string();
    let named = ["desk-app", "chat-app", "find_accounts", "edit_page"].iter().all(|word| text.contains(word));
    teller.check(&format!("{records} records, those of this demo among them"), records > 0 && named);
    stage.house.run(&["audit", "verify"]).await.context("verify the trail")?;
    teller.check("no record was changed, removed or moved", true);
    let leaks = stage.leaks()?;
    for file in &leaks {
        teller.fact("a secret in", &file.display().to_string());
    }
    teller.check("in settings, state, audit and logs there is no token and no password", leaks.is_empty());
    let printed = stage.canary().sings_in(&stage.house.printed);
    teller.check("no command printed one", !printed);
    Ok(())
}
