//! A window under remote control, through WebDriver.
#![allow(clippy::panic, reason = "a story stops where it fails")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, json};

use super::{PATIENCE, Running, shell};

/// A window under remote control.
pub(crate) struct Window {
    pub(crate) page: Client,
    _driver: Running,
}

impl Window {
    /// Starts the shell; only a window that is there at the start can be driven. `settings` are environment variables.
    pub(crate) async fn open(home: &Path, settings: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut driver = Command::new("WebKitWebDriver");
        driver.args(["--host=127.0.0.1", &format!("--port={port}")]).env("KEYBEARER_HOME", home);
        driver.envs(settings.iter().copied());
        let driver = driver.env("TAURI_WEBVIEW_AUTOMATION", "true").env("TAURI_AUTOMATION", "true").spawn();
        let driver = Running(driver.expect("`WebKitWebDriver` is needed: `cargo xtask setup session`"));
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "WebKitWebDriver does not listen");
            std::thread::yield_now();
        }
        let shell = json!({ "binary": shell(), "args": [] });
        let wanted = Map::from_iter([("webkitgtk:browserOptions".to_owned(), shell)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let page = builder.capabilities(wanted).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        Self { page, _driver: driver }
    }

    pub(crate) async fn see(&self, xpath: &str) -> Element {
        let begun = Instant::now();
        loop {
            match self.page.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await {
                Ok(element) => return element,
                // The page was drawn anew between the driver's look and its answer.
                Err(error) if error.is_stale_element_reference() && begun.elapsed() < PATIENCE => {}
                Err(error) => panic!("`{xpath}` is not to be seen: {error}"),
            }
        }
    }

    pub(crate) async fn see_heading(&self, text: &str) -> Element {
        self.see(&format!("//h1[.='{text}']")).await
    }

    pub(crate) async fn click(&self, button: &str) {
        self.see(&format!("//button[@aria-label='{button}' or normalize-space()='{button}']"))
            .await
            .click()
            .await
            .unwrap();
    }

    pub(crate) async fn row(&self, server: &str) -> String {
        self.see(&format!("//li[.//*[normalize-space()='{server}']]")).await.text().await.unwrap()
    }
}
