//! Goes through a sign-in's pages as a person would, by their forms, and returns where the browser is sent at the end.

use std::io;

use http::{Response, StatusCode, header};
use url::Url;

use crate::http1;
use crate::idp::Account;

/// What the person does on the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Signs in and allows.
    SignsInAndAllows,
    /// Mistypes the password once, then signs in and allows.
    MistypesOnce,
    /// Signs in and does not allow.
    SignsInAndDenies,
}

/// Why there was no way to the end.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// A page could not be fetched.
    #[error("a page of the sign-in cannot be fetched: {0}")]
    Network(#[from] io::Error),
    /// A page that is neither a form nor a redirect.
    #[error("the sign-in stopped at {status}: {page}")]
    Stopped {
        /// Its status.
        status: StatusCode,
        /// What it says.
        page: String,
    },
}

/// Signs in at `authorization_url` and returns the redirect, unvisited.
pub async fn sign_in(authorization_url: &str, account: &Account, conduct: Conduct) -> Result<String, Lost> {
    let mut reply = http1::fetch(http1::get(authorization_url)?).await?;
    let mut here = authorization_url.to_owned();
    let mut mistypes = conduct == Conduct::MistypesOnce;
    // Four pages at most: sign in, sign in again, consent, redirect.
    for _page in 0..5 {
        if let Some(location) = redirect(&reply, &here) {
            return Ok(location);
        }
        let page = String::from_utf8_lossy(reply.body()).into_owned();
        let Some(form) = PageForm::find(&page) else {
            return Err(Lost::Stopped { status: reply.status(), page: plain(&page) });
        };
        let mut fields = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        if page.contains("name=\"password\"") {
            let password = if std::mem::take(&mut mistypes) { "not the password" } else { &account.password };
            fields.extend([("user", account.user.as_str()), ("password", password)]);
        } else {
            fields.push(("decision", if conduct == Conduct::SignsInAndDenies { "deny" } else { "allow" }));
        }
        here = join(&here, &form.action)?;
        reply = http1::fetch(http1::post_form(&here, &fields)?).await?;
    }
    Err(Lost::Stopped { status: reply.status(), page: plain(&String::from_utf8_lossy(reply.body())) })
}

fn redirect(reply: &Response<Vec<u8>>, here: &str) -> Option<String> {
    let location = reply.headers().get(header::LOCATION).filter(|_| reply.status().is_redirection())?;
    join(here, location.to_str().ok()?).ok()
}

fn join(here: &str, there: &str) -> io::Result<String> {
    let url = Url::parse(here).and_then(|here| here.join(there)).map_err(io::Error::other)?;
    Ok(url.into())
}

/// The one form of a page of ours.
struct PageForm {
    action: String,
    hidden: Vec<(String, String)>,
}

impl PageForm {
    fn find(page: &str) -> Option<Self> {
        let form = page.split_once("<form ")?.1.split_once("</form>")?.0;
        let hidden = form.split("<input ").filter(|input| input.contains("type=\"hidden\""));
        let hidden = hidden.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?))).collect();
        Some(Self { action: attribute(form, "action")?, hidden })
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
    Some(
        value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&"),
    )
}

/// A page's words without its tags and style.
fn plain(page: &str) -> String {
    let body = page.split_once("<main>").map_or(page, |(_, body)| body);
    let words = body.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    words.map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}
