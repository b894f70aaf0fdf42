//! The window as a person sees it, through WebDriver, over a real core.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs, and give up on them after a while")]

use std::path::Path;

mod desktop;

use desktop::Core;
use desktop::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_every_server_and_outlives_the_core() {
    if !desktop::is_inside("the_window_shows_every_server_and_outlives_the_core") {
        return;
    }
    let core = Core::run();
    // Before the window is there to ask whether it may.
    core.cli(&["clients", "add", "report-script"]);
    let window = Window::open(core.home(), &[]).await;

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
    window.click("Apps").await;
    window.see("//li[contains(., 'report-script')]").await;
    window.click("Activity").await;
    window.see("//li[contains(., 'report-script was connected')]").await;
    core.cli(&["clients", "revoke", "report-script"]);
    window.see("//li[contains(., 'report-script was removed')]").await;

    window.click("Settings").await;
    window.see("//li[contains(., 'In memory only') and contains(., 'config.toml, line 1')]").await;
    window.click("About").await;
    window.see("//summary[contains(., 'libraries')]").await;

    let picture = window.page.screenshot().await.unwrap();
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.png"), picture).unwrap();
    window.page.close().await.unwrap();
}
