//! Changes `config.toml` as a person would: comments, order and everything else stay as they are.
//!
//! What comes out was parsed again: no change makes settings that do not work, and broken ones are not changed.

use std::net::Ipv4Addr;

use keybearer_model::name::ServerName;
use keybearer_model::url::Issuer;
use keybearer_oauth::exceptions::{Exceptions, ResourceException};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::sign_in::{CLIENT_AUTH, OMIT, PKCE, REFRESH_REACH, SURFACES};
use super::{AuthConfig, Config, OAuthConfig, Passing, Problem, ServerConfig};

/// Adds the table of a server behind the others.
///
/// # Errors
/// The problems of the text, or that the name is taken.
pub fn add_server(text: &str, name: &ServerName, server: &ServerConfig) -> Result<String, Vec<Problem>> {
    if Config::parse(text)?.servers.contains_key(name) {
        return Err(vec![Problem::whole(format!("there is a server `{name}` already"))]);
    }
    let mut document = document(text)?;
    let before = match (document.as_table().is_empty(), document.trailing().as_str()) {
        // In a file of comments alone they stay above.
        (true, Some(comments)) if !comments.trim().is_empty() => format!("{}\n\n", comments.trim_end()),
        (true, _) => String::new(),
        (false, _) => "\n".to_owned(),
    };
    if document.as_table().is_empty() {
        document.set_trailing("");
    }
    let servers = document.entry("servers").or_insert_with(|| {
        let mut servers = Table::new();
        servers.set_implicit(true);
        Item::Table(servers)
    });
    match servers {
        Item::Value(Value::InlineTable(servers)) => {
            let mut table = InlineTable::new();
            fill(&mut table, server);
            servers.insert(name.as_str(), Value::InlineTable(table));
        }
        Item::Table(servers) => {
            let mut table = Table::new();
            fill(&mut table, server);
            table.decor_mut().set_prefix(before);
            servers.insert(name.as_str(), Item::Table(table));
        }
        Item::None | Item::Value(_) | Item::ArrayOfTables(_) => {
            return Err(vec![Problem::whole("`servers` must be tables such as `[servers.crm]`")]);
        }
    }
    checked(document.to_string(), |config| config.servers.get(name) == Some(server))
}

/// Removes a server, and from the rules what speaks of it: a rule that names no other server goes with it.
///
/// # Errors
/// The problems of the text, or that there is no such server.
pub fn remove_server(text: &str, name: &ServerName) -> Result<String, Vec<Problem>> {
    if !Config::parse(text)?.servers.contains_key(name) {
        return Err(vec![Problem::whole(format!("there is no server `{name}`"))]);
    }
    let mut document = document(text)?;
    if let Some(servers) = document.get_mut("servers").and_then(Item::as_table_like_mut) {
        servers.remove(name.as_str());
    }
    match document.get_mut("rules") {
        Some(Item::ArrayOfTables(rules)) => keep_tables(rules, |rule| survives(rule, name)),
        Some(Item::Value(Value::Array(rules))) => keep_values(rules, |rule| survives(rule, name)),
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
    }
    checked(document.to_string(), |config| !config.servers.contains_key(name))
}

/// Names the address at which containers reach this machine.
///
/// # Errors
/// The problems of the text.
pub fn set_container_door(text: &str, address: Ipv4Addr) -> Result<String, Vec<Problem>> {
    Config::parse(text)?;
    let mut document = document(text)?;
    document.insert("container_door", value(address.to_string()));
    checked(document.to_string(), |config| config.container_door == Some(address))
}

fn document(text: &str) -> Result<DocumentMut, Vec<Problem>> {
    text.parse::<DocumentMut>().map_err(|error| vec![Problem::whole(error.message().replace('\n', ", "))])
}

/// The text, if it says what was meant.
fn checked(text: String, meant: impl FnOnce(&Config) -> bool) -> Result<String, Vec<Problem>> {
    let config = Config::parse(&text)?;
    if meant(&config) { Ok(text) } else { Err(vec![Problem::whole("the change could not be written down")]) }
}

fn fill(table: &mut dyn TableLike, server: &ServerConfig) {
    table.insert("url", value(server.url.to_string()));
    match &server.auth {
        AuthConfig::None => drop(table.insert("auth", value("none"))),
        AuthConfig::Header { name } => {
            table.insert("auth", value("header"));
            table.insert("header", value(name.as_str()));
        }
        AuthConfig::OAuth(oauth) => fill_oauth(table, oauth),
    }
    fill_passing(table, &server.passing);
}

fn fill_passing(table: &mut dyn TableLike, passing: &Passing) {
    if !passing.forward.is_empty() {
        table.insert("forward_headers", value(passing.forward.iter().map(ToString::to_string).collect::<Array>()));
    }
    if let Some(identity) = &passing.identity {
        let mut inner = InlineTable::new();
        inner.insert("name", identity.name.as_str().into());
        inner.insert("value", identity.value.word().into());
        table.insert("identity_header", value(inner));
    }
}

fn fill_oauth(table: &mut dyn TableLike, oauth: &OAuthConfig) {
    if let Some(id) = &oauth.client_id {
        table.insert("client_id", value(id.as_str()));
    }
    if let Some(set) = oauth.client_auth {
        let word = CLIENT_AUTH.iter().find(|(_, auth)| *auth == set).map_or("none", |(word, _)| *word);
        table.insert("client_auth", value(word));
    }
    if let Some(issuer) = &oauth.issuer {
        table.insert("issuer", value(issuer.as_str()));
    }
    if !oauth.scopes.is_empty() {
        table.insert("scopes", value(oauth.scopes.iter().map(String::as_str).collect::<Array>()));
    }
    let Exceptions { resource, trusted_issuers, pkce, refresh_reach } = &oauth.exceptions;
    match resource {
        Some(ResourceException::Omit) => drop(table.insert("resource", value(OMIT))),
        Some(ResourceException::Send(sent)) => drop(table.insert("resource", value(sent))),
        None => {}
    }
    if !trusted_issuers.is_empty() {
        table.insert("trusted_issuers", value(trusted_issuers.iter().map(Issuer::as_str).collect::<Array>()));
    }
    if let Some((word, _)) = refresh_reach.and_then(|set| REFRESH_REACH.iter().find(|(_, reach)| *reach == set)) {
        table.insert("refresh_reach", value(*word));
    }
    if let Some((word, _)) = pkce.and_then(|set| PKCE.iter().find(|(_, support)| *support == set)) {
        table.insert("pkce", value(*word));
    }
    if let Some(life) = oauth.sign_in_life {
        table.insert("sign_in_life", value(i64::try_from(life.as_secs() / 3600).unwrap_or(i64::MAX)));
    }
    if let Some((word, _)) = SURFACES.iter().find(|(_, surface)| Some(*surface) == oauth.surface) {
        table.insert("sign_in_surface", value(*word));
    }
}

/// Takes `name` out of a rule; `false` if the rule spoke of nothing else.
fn survives(rule: &mut dyn TableLike, name: &ServerName) -> bool {
    if let Some(exceptions) = rule.get_mut("except") {
        match exceptions {
            Item::ArrayOfTables(exceptions) => keep_tables(exceptions, |except| without(except, name)),
            Item::Value(Value::Array(exceptions)) => keep_values(exceptions, |except| without(except, name)),
            Item::None | Item::Value(_) | Item::Table(_) => {}
        }
    }
    without(rule, name)
}

fn without(table: &mut dyn TableLike, name: &ServerName) -> bool {
    match table.get_mut("server") {
        Some(Item::Value(Value::Array(servers))) => {
            servers.retain(|server| server.as_str() != Some(name.as_str()));
            !servers.is_empty()
        }
        Some(server) => server.as_str() != Some(name.as_str()),
        None => true,
    }
}

fn keep_tables(tables: &mut ArrayOfTables, mut judge: impl FnMut(&mut dyn TableLike) -> bool) {
    let kept = tables.iter_mut().map(|table| judge(table)).collect::<Vec<_>>();
    let mut kept = kept.into_iter();
    tables.retain(|_| kept.next().unwrap_or(true));
}

fn keep_values(values: &mut Array, mut judge: impl FnMut(&mut dyn TableLike) -> bool) {
    let judged = values.iter_mut().map(|value| value.as_inline_table_mut().is_none_or(|table| judge(table)));
    let kept = judged.collect::<Vec<_>>();
    let mut kept = kept.into_iter();
    values.retain(|_| kept.next().unwrap_or(true));
}
