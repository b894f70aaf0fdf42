//! The questions to the person, as the shell shows them.
//!
//! Words of clients and servers are cleaned and cut here already ([`crate::plain`]); the shell shows them as text, in
//! quotation marks.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything that waits for an answer at the shell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Prompts {
    /// The questions to show, first come first: three at most.
    pub questions: Vec<Question>,
    /// How many more wait behind them.
    pub waiting: u32,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Question {
    /// Names it in the answer; of no use to any other connection.
    pub id: String,
    /// Who asks.
    pub asker: Asker,
    /// What is asked.
    pub matter: Matter,
    /// How long a yes can count; the shortest first.
    pub lastings: Vec<Lasting>,
    /// How many milliseconds the person has from now.
    pub left_ms: u64,
    /// Whether that can be made longer.
    pub more_time: bool,
    /// How many more requests of the same kind wait for it.
    pub others: u32,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Asker {
    /// What it is called: the name that it was registered with, or its file's; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// How well it is known.
    pub known: Known,
    /// Its program's path, where the system named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// Who made it, where the system vouches for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub publisher: Option<String>,
    /// What an icon may be looked up by: the client's id in the catalogue of clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub icon: Option<String>,
    /// When it was started, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub started: Option<String>,
    /// What started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub started_by: Option<String>,
}

/// How well an asker is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// By the key that was made for it.
    Key,
    /// By its program, which was registered.
    Registered,
    /// By its program's file; nobody has registered it.
    Program,
    /// Hardly.
    Weak,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Matter {
    /// Whether a call may proceed.
    Call {
        /// To which server.
        server: String,
        /// What it does there.
        wants: Wants,
        /// The tool, if it calls one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        tool: Option<String>,
        /// The method, if it is not a tool that is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        method: Option<String>,
        /// As whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        account: Option<String>,
        /// The arguments, in the order of the message.
        arguments: Vec<Argument>,
        /// How many arguments are not shown, because there are too many.
        omitted: u32,
    },
    /// Whether a server may be added.
    AddServer {
        /// Its name.
        name: String,
        /// Its URL.
        url: String,
    },
    /// Whether a client may be registered.
    AddClient {
        /// Its name.
        name: String,
        /// Its program; absent for one that gets a key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        program: Option<String>,
        /// The servers that it may use; empty means all.
        servers: Vec<String>,
    },
}

/// What a call does, as a person understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Wants {
    /// It connects.
    Connect,
    /// It looks what there is.
    List,
    /// It reads.
    Read,
    /// It changes something.
    Change,
    /// It deletes something.
    Delete,
    /// It sends something to the outside.
    Send,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// The beginning of its value, as the message has it: JSON.
    pub value: String,
    /// How many characters the whole value has.
    pub characters: u32,
}

/// How long a yes counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Lasting {
    /// This once.
    Once,
    /// Until the program closes, twelve hours at most.
    Session,
    /// Until midnight.
    Today,
    /// Until it is revoked.
    Always,
}

/// What the person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Answer {
    /// No.
    Deny,
    /// Yes.
    Allow {
        /// So long.
        lasting: Lasting,
    },
}

/// What a person has allowed beyond one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Permission {
    /// Its number.
    pub number: u64,
    /// Whose it is: the registered name, or the program's file; absent for a program that nobody can name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub holder: Option<String>,
    /// The program's path, where the system named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub program: Option<String>,
    /// At which server.
    pub server: String,
    /// The tool or method; absent for connecting and seeing what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub what: Option<String>,
    /// As whom, if only as that account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<String>,
    /// How long.
    pub lasting: Lasting,
    /// When it was given, RFC 3339.
    pub given: String,
    /// When it ends by itself at the latest, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ends: Option<String>,
}
