//! Drives the real window over the demo company's real core through every page, and takes a picture of each.
//!
//! Started by `cargo xtask screenshots` inside a session of its own: `screenshots PART THEME SCALE FOLDER`. One shell
//! runs in a session, so each part has one of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a tool of the project's own")]
#![allow(clippy::disallowed_methods, reason = "it starts programs")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

#[allow(dead_code, reason = "the tests' own core is not needed here")]
mod desktop;

use desktop::window::Window;
use desktop::{PATIENCE, Running, shell};
use fantoccini::Locator;

/// The demo company with a core, two apps, and some calls behind it.
struct Scene {
    home: PathBuf,
    input: Option<ChildStdin>,
    demo: Child,
}

impl Scene {
    fn open() -> Self {
        let mut demo = Command::new(shell().with_file_name("keybearer-demo"));
        // No keychain: one that asks to be unlocked would wait for ever.
        demo.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        demo.arg("--scene").stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("KEYBEARER_HOME");
        let mut demo = demo.spawn().unwrap();
        let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
        let home = said.expect("the demo did not open")["home"].as_str().unwrap().into();
        let input = demo.stdin.take();
        Self { home, input, demo }
    }

    /// Runs a command in its home.
    fn keybearer(&self, arguments: &[&str]) {
        let mut command = Command::new(shell().with_file_name("keybearer"));
        let ended = command.args(arguments).env("KEYBEARER_HOME", &self.home).output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.demo.wait();
    }
}

/// Takes pictures of one window.
struct Camera {
    window: Window,
    folder: PathBuf,
    suffix: String,
}

impl Camera {
    /// Takes a picture when this is to be seen.
    async fn take(&self, name: &str, seen: &str) {
        let page = &self.window.page;
        if page.wait().at_most(PATIENCE).for_element(Locator::XPath(seen)).await.is_err() {
            fs::write(self.folder.join("failed.png"), page.screenshot().await.unwrap()).unwrap();
            panic!("`{seen}` is not to be seen for `{name}`: look at failed.png");
        }
        // Whatever fades in has done so when two pictures are the same.
        let mut picture = self.window.page.screenshot().await.unwrap();
        for _ in 0..20 {
            let next = self.window.page.screenshot().await.unwrap();
            if next == picture {
                break;
            }
            picture = next;
        }
        fs::write(self.folder.join(format!("{name}-{}.png", self.suffix)), picture).unwrap();
    }

    async fn page(&self, name: &str) {
        self.window.click(name).await;
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [part, theme, scale, folder] = arguments.as_slice() else { panic!("screenshots PART THEME SCALE FOLDER") };
    let settings = [
        ("GTK_THEME", if theme == "dark" { "Adwaita:dark" } else { "Adwaita" }),
        ("GDK_SCALE", scale),
        ("LANGUAGE", "en"),
    ];
    install_apps(Path::new(&std::env::var_os("HOME").unwrap()));
    let camera = |window| Camera { window, folder: folder.into(), suffix: format!("{theme}-{scale}x") };
    match part.as_str() {
        "first-run" => first_run(&settings, &camera).await,
        "company" => company(&settings, &camera).await,
        other => panic!("`{other}` is no part: first-run, company"),
    }
}

/// What the survey of installed apps looks for.
fn install_apps(home: &Path) {
    for place in [".config/Claude", ".config/Code/User", ".cursor", ".codex"] {
        fs::create_dir_all(home.join(place)).unwrap();
    }
}

/// A new employee's first look.
async fn first_run(settings: &[(&str, &str)], camera: &impl Fn(Window) -> Camera) {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.toml"), "keystore = \"memory\"\n").unwrap();
    let mut serve = Command::new(shell().with_file_name("keybearer"));
    serve.args(["serve", "--json"]).env("KEYBEARER_HOME", home.path()).stdout(Stdio::piped());
    let mut core = serve.spawn().unwrap();
    BufReader::new(core.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let _core = Running(core);
    let camera = camera(Window::open(home.path(), settings).await);
    camera.take("first-run", "//h2[contains(., 'Add a company tool')]").await;
    camera.window.page.close().await.unwrap();
}

/// A day at the company.
async fn company(settings: &[(&str, &str)], camera: &impl Fn(Window) -> Camera) {
    let scene = Scene::open();
    let camera = camera(Window::open(&scene.home, settings).await);
    camera.take("home-ready", "//li[contains(., 'edit_page')]").await;
    camera.page("Company tools").await;
    camera.window.click("Show tools of wiki").await;
    camera.take("tools", "//li[contains(., 'read_page') or contains(., 'Read a page')]").await;
    camera.window.click("Add a company tool").await;
    camera.take("tools-add", "//label[.='Address']").await;
    camera.page("Apps").await;
    camera.take("apps", "//li[contains(., 'Visual Studio Code')]").await;
    camera.window.click("Connect Visual Studio Code").await;
    camera.take("apps-connect", "//pre").await;
    camera.page("Activity").await;
    camera.take("activity", "//li[contains(., 'edit_page')]").await;
    camera.window.see("//li[contains(., 'edit_page')]/button").await.click().await.unwrap();
    camera.take("activity-details", "//dl").await;
    camera.page("Settings").await;
    camera.take("settings", "//li[contains(., 'Rules')]").await;
    camera.page("About").await;
    camera.take("about", "//pre").await;
    camera.page("Home").await;
    scene.keybearer(&["logout", "crm"]);
    camera.take("home", "//button[@aria-label='Sign in to crm']").await;
    camera.page("Settings").await;
    camera.window.click("Stop all access").await;
    camera.page("Home").await;
    camera.take("home-stopped", "//button[.='Allow access again']").await;
    scene.keybearer(&["stop"]);
    camera.take("home-away", "//h1[.='Keybearer is not running']").await;
    camera.window.page.close().await.unwrap();
}
