//! The first steps: the company, the core, the apps.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keybearer_platform::clock::SystemClock;
use keybearer_platform::keys;
use keybearer_testkit::client::http::HttpClient;
use keybearer_testkit::client::lines::LineClient;
use keybearer_testkit::company::Company;

use super::Mode;
use super::apps::DeskApp;
use super::browser;
use super::house::House;
use super::stage::{ChatApp, Kept, Stage};
use super::telling::Teller;

/// Each account of the long export takes this long.
const PACE: Duration = Duration::from_millis(150);
/// Access tokens live this long, so that nobody has to wait for a renewal.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::from_secs(8);

/// Opens the company and builds Keybearer's house.
pub(crate) async fn company(mode: Mode, teller: &mut Teller) -> anyhow::Result<Stage> {
    let company = Company::open(Arc::new(SystemClock), PACE).await.context("open the company")?;
    company.idp.token_lifetime(TOKEN_LIFETIME);
    teller.step("A small company opens on this machine");
    teller.says("Example Corp has a sign-in and two MCP servers that take its tokens, and nothing else.");
    teller.fact("sign-in", company.idp.issuer());
    teller.fact("CRM", company.crm.url());
    teller.fact("Wiki", company.wiki.url());
    teller.fact("employee", &company.dana.email);
    let bare = HttpClient::new("nobody", company.crm.url(), None).initialize().await?;
    teller.check("without a token the CRM refuses everybody", bare.status == 401);
    let kept = if keys::probe().await.is_ok() { Kept::Keychain } else { Kept::Memory };
    let (folder, program) = match person_s_browser(mode) {
        true => (None, None),
        false => {
            let folder = tempfile::tempdir().context("make a folder for the browser")?;
            let program = browser::install(folder.path(), &company.dana)?;
            (Some(folder), Some(program))
        }
    };
    let house = House::build(mode, &settings(mode, kept, &company), program)?;
    Ok(Stage { kept, company, house, core: None, desktop: None, desk: None, chat: None, stand_in: folder })
}

fn person_s_browser(mode: Mode) -> bool {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    mode == Mode::Keep && display
}

fn settings(mode: Mode, kept: Kept, company: &Company) -> String {
    let keystore = if kept == Kept::Keychain { "system" } else { "memory" };
    let unknown = if matches!(mode, Mode::Keep | Mode::Scene) { "ask" } else { "deny" };
    let (crm, wiki) = (company.crm.url(), company.wiki.url());
    format!(
        "# The whole configuration of the demo.\n\
         keystore = \"{keystore}\"\nunknown = \"{unknown}\"\n\n\
         [servers.crm]\nurl = \"{crm}\"\n\n[servers.wiki]\nurl = \"{wiki}\"\n\n\
         [[rules]]\neffect = \"allow\"\nclient = [\"desk-app\", \"chat-app\"]\nserver = [\"crm\", \"wiki\"]\n\
         tool = [\"find_*\", \"get_*\", \"export_*\", \"search\", \"read_*\"]\n\n\
         [[rules]]\neffect = \"deny\"\nclient = \"*\"\nserver = \"wiki\"\ntool = \"edit_page\"\n"
    )
}

/// Starts the real core, and the desktop app where there is a display.
pub(crate) async fn core(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("Keybearer starts");
    let (core, ready) = stage.house.serve().await?;
    stage.core = Some(core);
    teller.says("One process holds every sign-in; it has no window and no open port yet.");
    teller.fact("process", &ready["pid"].to_string());
    teller.fact("home", &stage.house.home().display().to_string());
    teller.check("no port is open while no app needs one", ready["http"] == serde_json::json!([]));
    let status = stage.house.run(&["status"]).await?;
    let told = status["key_store"].as_str().unwrap_or_default();
    match stage.kept {
        Kept::Keychain => teller.check("sign-ins are kept in this machine's keychain", told == "system"),
        Kept::Memory => teller.check(
            "this machine has no keychain: sign-ins are kept in memory only, and Keybearer says so",
            told == "memory_by_choice",
        ),
    }
    stage.desktop = stage.house.desktop();
    if stage.desktop.is_some() {
        teller.says("The desktop app is running, too: look for the key in the tray.");
    }
    Ok(())
}

/// Registers one app by its program and one by a key.
pub(crate) async fn apps(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.step("Two AI apps are connected");
    let me = std::env::current_exe().context("find this program")?;
    let me = me.to_str().context("this program's path is not UTF-8")?;
    let desk = stage.house.run(&["clients", "add", "desk-app", "--program", me]).await?;
    teller.says("`desk-app` starts `keybearer stdio crm`. The system itself tells Keybearer which program that is:");
    teller.says("there is no secret in its settings.");
    teller.check("it was given no key", desk["key"].is_null());
    let chat = stage.house.run(&["clients", "add", "chat-app"]).await?;
    let key = chat["key"].as_str().context("the app got no key")?.to_owned();
    teller.says("`chat-app` connects to an address on this machine with a key of its own. It is good for Keybearer,");
    teller.says("and for nothing else in the world.");
    let url = |server: &str| {
        let urls = chat["urls"].as_array().into_iter().flatten().filter_map(|url| url.as_str());
        urls.into_iter().find(|url| url.ends_with(&format!("/mcp/{server}"))).map(str::to_owned)
    };
    let (crm, wiki) = (url("crm").context("no address for the CRM")?, url("wiki").context("no address for the Wiki")?);
    teller.fact("address", &crm);
    let stranger = HttpClient::new("stranger", &crm, Some("not-the-key")).initialize().await?;
    teller.check("a program without the key is turned away", stranger.status == 401);
    let client = |url: &str| HttpClient::new("chat-app", url, Some(&key));
    stage.chat = Some(ChatApp { crm: client(&crm), wiki: client(&wiki), key });
    Ok(())
}

/// Connects the desk app, by a bridge of its own.
pub(crate) fn desk_app(stage: &mut Stage) -> anyhow::Result<()> {
    let (bridge, input, output) = stage.house.bridge("crm")?;
    stage.desk = Some(DeskApp::new(bridge, LineClient::new("desk-app", input, output)));
    Ok(())
}
