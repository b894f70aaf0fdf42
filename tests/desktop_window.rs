//! The window as a person sees it, through WebDriver, over a real core.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs, and give up on them after a while")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, json};

mod desktop;

use desktop::{Core, PATIENCE, Running};

/// A window under remote control.
struct Window {
    page: Client,
    _driver: Running,
}

impl Window {
    /// Starts the shell; only a window that is there at the start can be driven.
    async fn open(home: &Path) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut driver = Command::new("WebKitWebDriver");
        driver.args(["--host=127.0.0.1", &format!("--port={port}")]).env("KEYBEARER_HOME", home);
        let driver = driver.env("TAURI_WEBVIEW_AUTOMATION", "true").env("TAURI_AUTOMATION", "true").spawn();
        let driver = Running(driver.expect("`WebKitWebDriver` is needed: `cargo xtask setup session`"));
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "WebKitWebDriver does not listen");
            std::thread::yield_now();
        }
        let shell = json!({ "binary": env!("CARGO_BIN_EXE_keybearer-desktop"), "args": [] });
        let wanted = Map::from_iter([("webkitgtk:browserOptions".to_owned(), shell)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let page = builder.capabilities(wanted).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        Self { page, _driver: driver }
    }

    async fn see(&self, xpath: &str) -> Element {
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

    async fn see_heading(&self, text: &str) -> Element {
        self.see(&format!("//h1[.='{text}']")).await
    }

    async fn click(&self, button: &str) {
        self.see(&format!("//button[@aria-label='{button}' or normalize-space()='{button}']"))
            .await
            .click()
            .await
            .unwrap();
    }

    async fn row(&self, server: &str) -> String {
        self.see(&format!("//li[.//*[normalize-space()='{server}']]")).await.text().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_every_server_and_outlives_the_core() {
    if !desktop::is_inside("the_window_shows_every_server_and_outlives_the_core") {
        return;
    }
    let core = Core::run();
    let window = Window::open(core.home()).await;

    window.see_heading("1 of 2 tools ready").await;
    assert!(window.row("crm").await.contains("not signed in"));
    window.see("//bdi[.='wiki']").await;
    window.see("//p[contains(., 'Sign-ins are kept in memory only')]").await;

    // The server does not answer: the person is told where they clicked, and no browser opens.
    window.click("Sign in to crm").await;
    window.see("//li[contains(., 'crm')]//*[@role='alert']").await;

    core.cli(&["stop"]);
    window.see_heading("Keybearer is not running").await;
    window.click("Start Keybearer").await;

    window.click("Company tools").await;
    assert!(window.row("wiki").await.contains("ready"));
    window.click("Show tools of wiki").await;
    window.see("//li[contains(., 'wiki')]//*[@role='alert']").await;

    // What is done elsewhere is shown here as it happens.
    window.click("Activity").await;
    core.cli(&["clients", "add", "report-script"]);
    window.see("//li[contains(., 'report-script was connected')]").await;
    window.click("Apps").await;
    window.see("//li[contains(., 'report-script')]").await;

    window.click("Settings").await;
    window.see("//li[contains(., 'In memory only') and contains(., 'config.toml, line 1')]").await;
    window.click("About").await;
    window.see("//summary[contains(., 'libraries')]").await;

    let picture = window.page.screenshot().await.unwrap();
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.png"), picture).unwrap();
    window.page.close().await.unwrap();
}
