//! Drives the real window over the demo company's real core through every page, and takes a picture of each.
//!
//! Started by `cargo xtask screenshots` inside a session of its own: `screenshots PART LANGUAGE THEME SCALE FOLDER`. One shell
//! runs in a session, so each part has one of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a tool of the project's own")]
#![allow(clippy::disallowed_methods, reason = "it starts programs")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "the tests' own core is not needed here")]
mod desktop;

use desktop::window::Window;
use desktop::{PATIENCE, Running, shell};
use fantoccini::Locator;

/// What stands in for an app: a program that starts another, under the app's name.
const APP: &str = "/opt/claude-desktop/claude-desktop";

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
        // Its folder stands in pictures.
        demo.env("TMPDIR", std::env::var_os("HOME").unwrap());
        demo.arg("--scene").stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("KEYBEARER_HOME");
        let mut demo = demo.spawn().unwrap();
        let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
        let home = said.expect("the demo did not open")["home"].as_str().unwrap().into();
        let input = demo.stdin.take();
        let scene = Self { home, input, demo };
        fs::create_dir_all(Path::new(APP).parent().unwrap()).unwrap();
        fs::copy("/usr/bin/timeout", APP).unwrap();
        // Before there is a shell that asks whether it may.
        scene.keybearer(&["clients", "add", "claude-desktop", "--program", APP]);
        scene
    }

    /// An app calls a tool, and waits for the person.
    fn app(&self, server: &str, tool: &str, arguments: &str) -> Running {
        let mut command = Command::new(APP);
        // What stands in for the app starts the command and waits for its end.
        command.arg("120").arg(shell().with_file_name("keybearer"));
        command.args(["call", server, tool, arguments]).env("KEYBEARER_HOME", &self.home);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
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

/// No window with words in it makes so small a picture.
const BLANK: usize = 4_000;

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

    /// Takes a picture of a window that is not driven, once it stays the same.
    async fn take_window(&self, name: &str, title: &str) -> String {
        let window = window(title).await;
        let file = self.folder.join(format!("{name}-{}.png", self.suffix));
        // Nobody manages windows here: what lies over it would be in the picture.
        let raised = Command::new("xdotool").args(["windowraise", &window]).status().unwrap();
        assert!(raised.success(), "`{title}` is not raised");
        let mut last = Vec::new();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let taken = Command::new("import").args(["-window", &window]).arg(&file).status().unwrap();
            let picture = fs::read(&file).unwrap_or_default();
            // A window that is not drawn yet is small: one colour.
            if taken.success() && picture == last && picture.len() > BLANK {
                break;
            }
            last = picture;
        }
        window
    }

    async fn page(&self, name: &str) {
        self.window.click(name).await;
    }
}

/// The window with this title, once it is there.
async fn window(title: &str) -> String {
    let begun = Instant::now();
    loop {
        let found = Command::new("xdotool").args(["search", "--onlyvisible", "--name", title]).output().unwrap();
        match String::from_utf8_lossy(&found.stdout).lines().next() {
            Some(window) => return window.to_owned(),
            None => assert!(begun.elapsed() < PATIENCE, "no window `{title}`"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Presses keys, when a question could be read.
async fn press(window: &str, keys: &[&str]) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    for key in keys {
        let pressed = Command::new("xdotool").args(["windowfocus", "--sync", window, "key", key]).status().unwrap();
        assert!(pressed.success(), "`{key}` in `{window}`");
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [part, language, theme, scale, folder] = arguments.as_slice() else {
        panic!("screenshots PART LANGUAGE THEME SCALE FOLDER")
    };
    let look = match (part.as_str(), theme.as_str()) {
        ("contrast", _) => "HighContrast",
        (_, "dark") => "Adwaita:dark",
        _ => "Adwaita",
    };
    let settings = [("GTK_THEME", look), ("GDK_SCALE", scale), ("LANGUAGE", language)];
    install_apps(Path::new(&std::env::var_os("HOME").unwrap()));
    let in_language = if language == "en" { String::new() } else { format!("{language}-") };
    let suffix = format!("{in_language}{theme}-{scale}x");
    let camera = |window| Camera { window, folder: folder.into(), suffix };
    match (part.as_str(), language.as_str()) {
        ("first-run", _) => first_run(&settings, camera).await,
        ("company", "de") => german(&settings, camera).await,
        ("company", _) => company(&settings, camera).await,
        ("long", _) => long_names(&settings, camera).await,
        ("contrast", _) => contrast(&settings, camera).await,
        (other, _) => panic!("`{other}` is no part"),
    }
}

/// What the survey of installed apps looks for.
fn install_apps(home: &Path) {
    for place in [".config/Claude", ".config/Code/User", ".cursor", ".codex"] {
        fs::create_dir_all(home.join(place)).unwrap();
    }
}

/// A core of its own with these settings.
struct Lone {
    home: PathBuf,
    _core: Running,
}

impl Lone {
    fn open(settings: &str) -> Self {
        let home = Path::new(&std::env::var_os("HOME").unwrap()).join("keybearer");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("config.toml"), settings).unwrap();
        let mut serve = Command::new(shell().with_file_name("keybearer"));
        serve.args(["serve", "--json"]).env("KEYBEARER_HOME", &home).stdout(Stdio::piped());
        let mut core = serve.spawn().unwrap();
        BufReader::new(core.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        Self { home, _core: Running(core) }
    }
}

/// A new employee's first look.
async fn first_run(settings: &[(&str, &str)], camera: impl FnOnce(Window) -> Camera) {
    let lone = Lone::open("keystore = \"memory\"\n");
    let camera = camera(Window::open(&lone.home, settings).await);
    camera.take("first-run", "//h2[contains(., 'Add a company tool')]").await;
    camera.page("Apps").await;
    camera.take("apps-empty", "//p[contains(., 'No app is connected')]").await;
    camera.window.page.close().await.unwrap();
}

/// A day at the company.
async fn company(settings: &[(&str, &str)], camera: impl FnOnce(Window) -> Camera) {
    let scene = Scene::open();
    let camera = camera(Window::open(&scene.home, settings).await);
    camera.take("home-ready", "//li[contains(., 'edit_page')]").await;
    tools_and_apps(&camera).await;
    questions(&camera, &scene).await;
    activity(&camera, &scene).await;
    camera.page("Settings").await;
    camera.take("settings", "//li[contains(., 'Rules')]").await;
    camera.page("About").await;
    camera.take("about", "//pre").await;
    camera.page("Home").await;
    scene.keybearer(&["logout", "crm"]);
    camera.take("home", "//button[@aria-label='Sign in to crm']").await;
    camera.window.click("Sign in to crm").await;
    window("Sign in – Keybearer").await;
    // The page comes from a server; until then the window shows what was there before it.
    tokio::time::sleep(Duration::from_secs(8)).await;
    camera.take_window("sign-in", "Sign in – Keybearer").await;
    camera.page("Settings").await;
    camera.window.click("Stop all access").await;
    camera.page("Home").await;
    camera.take("home-stopped", "//button[.='Allow access again']").await;
    scene.keybearer(&["stop"]);
    camera.take("home-away", "//h1[.='Keybearer is not running']").await;
    camera.window.page.close().await.unwrap();
}

async fn tools_and_apps(camera: &Camera) {
    camera.page("Company tools").await;
    camera.window.click("Show tools of wiki").await;
    camera.take("tools", "//li[contains(., 'read_page') or contains(., 'Read a page')]").await;
    camera.window.click("Add a company tool").await;
    camera.take("tools-add", "//label[.='Address']").await;
    camera.page("Apps").await;
    camera.take("apps", "//li[contains(., 'Visual Studio Code')]").await;
    camera.window.click("Connect Visual Studio Code").await;
    camera.take("apps-connect", "//pre").await;
}

/// An app asks, what is allowed stands on the page; and one asks that nobody knows.
async fn questions(camera: &Camera, scene: &Scene) {
    let arguments = r#"{"id":"A-1002","owner":"m.bolton","note":"Trains first, planes where there is none."}"#;
    let app = scene.app("crm", "update_account", arguments);
    let prompt = camera.take_window("prompt", "^Keybearer asks$").await;
    // From "Don't allow" over "Allow" and "More time" to how long: today, or the next to it; and back to yes.
    press(&prompt, &["shift+Tab", "shift+Tab", "shift+Tab", "Down", "Down", "Tab", "Tab", "Return"]).await;
    camera.page("Home").await;
    camera.page("Apps").await;
    camera.take("apps-allowed", "//section//li[contains(., 'update_account')]").await;
    drop(app);
    let mut stranger = Command::new(shell().with_file_name("keybearer"));
    stranger.args(["call", "crm", "update_account", arguments]).env("KEYBEARER_HOME", &scene.home);
    let _stranger = Running(stranger.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let prompt = camera.take_window("prompt-stranger", "^Keybearer asks$").await;
    press(&prompt, &["Return"]).await;
}

async fn activity(camera: &Camera, scene: &Scene) {
    camera.page("Activity").await;
    camera.take("activity", "//li[contains(., 'edit_page')]").await;
    camera
        .window
        .see("//li[contains(., 'update_account') and contains(., 'answered')]/button")
        .await
        .click()
        .await
        .unwrap();
    camera.take("activity-details", "//dl").await;
    camera.page("Home").await;
    camera.page("Activity").await;
    camera.window.click("Look into messages").await;
    camera.window.see("//button[.='Stop looking']").await;
    // It may, for today.
    let _app = scene.app("crm", "update_account", r#"{"id":"A-1002","owner":"m.bolton","api_key":"not-for-pictures"}"#);
    // Newer than the look itself.
    let called = "//li[contains(., 'update_account')][following-sibling::li[contains(., 'The messages of calls')]]";
    camera.window.see(&format!("{called}/button")).await.click().await.unwrap();
    camera.window.see("//section//pre").await;
    let into_view = "document.querySelector('section pre').scrollIntoView({ block: 'center' })";
    camera.window.page.execute(into_view, Vec::new()).await.unwrap();
    camera.take("activity-messages", "//section//pre").await;
}

/// The same company, for somebody who reads German.
async fn german(settings: &[(&str, &str)], camera: impl FnOnce(Window) -> Camera) {
    let scene = Scene::open();
    let camera = camera(Window::open(&scene.home, settings).await);
    camera.page("Apps").await;
    camera.take("apps", "//li[contains(., 'Visual Studio Code')]").await;
    camera.page("Verlauf").await;
    camera.take("activity", "//li[contains(., 'edit_page')]").await;
    camera.page("Einstellungen").await;
    camera.take("settings", "//h1[.='Einstellungen']").await;
    let _app = scene.app("crm", "update_account", r#"{"id":"A-1002","owner":"m.bolton","note":"Zuerst die Bahn."}"#);
    camera.take_window("prompt", "^Keybearer asks$").await;
    scene.keybearer(&["logout", "crm"]);
    camera.page("Übersicht").await;
    camera.take("home", "//button[@aria-label='Bei crm anmelden']").await;
    camera.window.page.close().await.unwrap();
}

const LONG: &str = "quarterly-reports-of-the-whole-company-archive";

/// Names as long as they come, and tools that cannot be reached.
async fn long_names(settings: &[(&str, &str)], camera: impl FnOnce(Window) -> Camera) {
    let server =
        |name: &str, host: &str, auth: &str| format!("[servers.{name}]\nurl = \"https://{host}/mcp\"\n{auth}\n");
    let host = "reports-and-archives.internal.division.example-corporation.invalid";
    let mut config = "keystore = \"memory\"\n".to_owned() + &server(LONG, host, "");
    for name in ["calendar", "crm", "expenses", "helpdesk", "mail", "travel", "warehouse", "wiki"] {
        config += &server(name, &format!("{name}.example.com"), "auth = \"none\"");
    }
    let lone = Lone::open(&config);
    let mut add = Command::new(shell().with_file_name("keybearer"));
    add.args(["clients", "add", "report-script-of-the-finance-department-berlin", "--server", LONG]);
    assert!(add.env("KEYBEARER_HOME", &lone.home).stdout(Stdio::null()).status().unwrap().success());
    let camera = camera(Window::open(&lone.home, settings).await);
    camera.window.see("//main").await;
    camera.window.click(&format!("Sign in to {LONG}")).await;
    camera.take("long-home", "//*[@role='alert']").await;
    camera.page("Company tools").await;
    camera.take("long-tools", "//li[contains(., 'warehouse')]").await;
    camera.page("Apps").await;
    camera.take("long-apps", "//li[contains(., 'report-script')]").await;
    camera.window.page.close().await.unwrap();
}

/// For eyes that need more contrast.
async fn contrast(settings: &[(&str, &str)], camera: impl FnOnce(Window) -> Camera) {
    let scene = Scene::open();
    let camera = camera(Window::open(&scene.home, settings).await);
    camera.page("Activity").await;
    camera.take("contrast-activity", "//li[contains(., 'edit_page')]").await;
    let _app = scene.app("crm", "update_account", r#"{"id":"A-1002","owner":"m.bolton"}"#);
    camera.take_window("contrast-prompt", "^Keybearer asks$").await;
    scene.keybearer(&["logout", "crm"]);
    camera.page("Home").await;
    camera.take("contrast-home", "//button[@aria-label='Sign in to crm']").await;
    camera.window.page.close().await.unwrap();
}
