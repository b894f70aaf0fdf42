//! The wire contract in TypeScript, for the window.

use ts_rs::{Config, TS};

use crate::activity::{Basis, Decision, Happening, Outcome, Record, Risk, Said, Topic, Why};
use crate::connect::{
    Added, Connected, Connection, Disconnected, FilePreview, KnownBy, KnownClient, Leaving, Left, Preview, Sentence,
    Wish, Written,
};
use crate::doctor::{Diagnosis, Finding, Severity};
use crate::error::{Code, Error, Exactly};
use crate::inspector::{Exchange, Messages};
use crate::pages::{Found, Setting, Settings, Source, Tool};
use crate::prompt::{Answer, Argument, Asker, Known, Lasting, Matter, Permission, Prompts, Question, Wants};
use crate::sign_in_window::{Behind, SignInPage, Wall, WindowEnding, WindowOrder, WindowSaid};
use crate::snapshot::{
    Auth, Because, Client, ClientBy, ContainerDoor, Evidence, HttpDoor, KeyStore, NearEnd, Server, SignIn,
    SignInFailure, Snapshot,
};
use crate::view::{Action, Failure, Headline, Home, Mark, Notice, Row, State, Tone, View};
use crate::wire::{HeaderSecret, Incoming, Reply, Request, Revocation, SignInEnd};

/// `ui/src/bindings.ts`: every type of the wire and of the view.
pub fn typescript() -> String {
    let config = Config::new().with_large_int("number");
    let mut file = String::from("// Generated from crates/control by `cargo xtask codegen`; changes here are lost.\n");
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {$(
            file.push('\n');
            file.push_str(&declaration::<$type>(&config));
        )*};
    }
    declare![View, Home, Mark, Headline, Notice, Failure, Row, State, Tone, Action];
    declare![
        Snapshot,
        Server,
        NearEnd,
        Evidence,
        Auth,
        SignIn,
        Because,
        SignInFailure,
        Client,
        ClientBy,
        KeyStore,
        HttpDoor,
        ContainerDoor
    ];
    declare![Record, Happening, Decision, Basis, Topic, Said, Why, Risk, Outcome, Exchange, Messages];
    declare![Tool, Found, Settings, Setting, Source];
    declare![Prompts, Question, Asker, Known, Matter, Wants, Argument, Lasting, Answer, Permission];
    declare![Sentence, Wish, KnownClient, Connection, Preview, KnownBy, FilePreview, Added];
    declare![Connected, Written, Disconnected, Left, Leaving];
    declare![Diagnosis, Finding, Severity];
    declare![WindowOrder, SignInPage, Wall, Behind, WindowEnding, WindowSaid];
    declare![Request, HeaderSecret, Incoming, Reply, Revocation, SignInEnd, Error, Code, Exactly];
    file
}

fn declaration<T: TS>(config: &Config) -> String {
    format!("{}export {}\n", T::docs().unwrap_or_default(), T::decl(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_are_current() {
        // `UPDATE_EXPECT=1` writes it, as `cargo xtask codegen` does.
        expect_test::expect_file!["../../../ui/src/bindings.ts"].assert_eq(&typescript());
    }

    #[test]
    fn every_type_that_is_named_is_declared() {
        let file = typescript();
        assert!(file.contains("export type View = "));
        assert!(!file.contains("bigint"), "JSON has no such number");
    }
}
