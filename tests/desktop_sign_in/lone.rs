//! A window alone: the test is the one that started it, and speaks to it over its pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use keybearer_control::sign_in_window::{Behind, SignInPage, Wall, WindowEnding, WindowOrder, WindowSaid};
use keybearer_control::wire::Incoming;

use crate::desktop::{PATIENCE, Running};
use crate::screen::{Screen, patiently, within_a_moment};
use crate::web::{Answer, Site};
use crate::{is_inside, web};

/// A sign-in window with a page.
pub(crate) struct Lone {
    input: Option<ChildStdin>,
    said: Receiver<WindowSaid>,
    pub(crate) window: Running,
}

impl Lone {
    /// Opens one, with more in its environment.
    pub(crate) fn open(url: &str, environment: &[(&str, &str)]) -> Self {
        let mut window = Command::new(env!("CARGO_BIN_EXE_keybearer-desktop"));
        window.arg("--sign-in").envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut window = window.spawn().unwrap();
        let said = listen(&mut window);
        let input = window.stdin.take();
        let mut lone = Self { input, said, window: Running(window) };
        lone.order(&WindowOrder::Show { page: page(url) });
        lone
    }

    pub(crate) fn order(&mut self, order: &WindowOrder) {
        let line = format!("{}\n", serde_json::to_string(order).unwrap());
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// What the window says next.
    #[track_caller]
    pub(crate) fn hears(&self) -> WindowSaid {
        self.said.recv_timeout(PATIENCE).unwrap_or_else(|cause| panic!("the window says nothing: {cause}"))
    }

    /// What it has said by now, if anything.
    pub(crate) fn said_now(&self) -> Option<WindowSaid> {
        self.said.try_recv().ok()
    }

    /// That it has said nothing so far.
    #[track_caller]
    pub(crate) fn is_silent(&self) {
        let said = self.said.try_recv();
        assert!(said.is_err(), "{said:?}");
    }

    #[track_caller]
    pub(crate) fn ends(&mut self) {
        patiently("the window ends", || self.window.0.try_wait().unwrap().is_some());
    }
}

fn listen(window: &mut Child) -> Receiver<WindowSaid> {
    let (tell, said) = mpsc::channel();
    let output = BufReader::new(window.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = tell.send(serde_json::from_str(&line).unwrap());
        }
    });
    said
}

fn page(url: &str) -> SignInPage {
    let host = url.split('/').nth(2).unwrap().to_owned();
    let walls = vec![Wall { text: "two-factor/passkey".into(), behind: Behind::Passkey }];
    SignInPage { url: url.to_owned(), redirects: vec!["http://127.0.0.1/callback".into()], hosts: vec![host], walls }
}

/// A process and all that it has started.
pub(crate) fn family(program: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{program}/task")).into_iter().flatten().flatten();
    let children = tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let mut family = vec![program];
    for child in children.collect::<String>().split_whitespace() {
        family.extend(self::family(child.parse().unwrap()));
    }
    family
}

/// Waits until none of them is there any more.
#[track_caller]
pub(crate) fn gone(family: &[u32]) {
    assert!(family.len() > 1, "a page is drawn by processes of its own: {family:?}");
    let is_gone = |program: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{program}/status")).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    };
    patiently("every process of the window ends", || family.iter().all(is_gone));
}

fn html(page: &str) -> Answer {
    ("200 OK\r\ncontent-type: text/html", page.to_owned())
}

#[test]
fn sec_51_the_window_goes_elsewhere_only_if_the_person_says_so() {
    if !is_inside("lone::sec_51_the_window_goes_elsewhere_only_if_the_person_says_so") {
        return;
    }
    let screen = Screen;
    let elsewhere = Site::open(|asked| match asked.path.as_str() {
        "/" => html("<script>fetch('/ran')</script>elsewhere"),
        "/form" => html("<script>location = 'http://127.0.0.1/callback?from=form'</script>"),
        _ => html(""),
    });
    let (there, form) = (elsewhere.url("/"), elsewhere.url("/form"));
    let issuer = Site::open(move |asked| match asked.path.as_str() {
        "/page" => html(&format!("<body onkeypress=\"location = '{there}'\">a page")),
        "/post" => html(&format!(
            "<form method=post action='{form}'><input name=saml value=assertion></form><script>document.forms[0].submit()</script>"
        )),
        "/sends" => ("302 Found", String::new()),
        _ => html(""),
    });
    // A page that leads elsewhere by itself: nothing of it is shown or run before the person's yes.
    let mut lone = Lone::open(&issuer.url("/page"), &[]);
    let here = format!("{} – Sign in – Keybearer", issuer.address);
    let window = screen.window(&here);
    patiently("the page leads elsewhere", || {
        screen.keys(&window, &["x"]);
        within_a_moment(|| !elsewhere.asked("/").is_empty())
    });
    patiently("the person stays", || {
        screen.keys(&window, &["alt+s"]);
        // The question is gone once a further key reaches the page.
        screen.keys(&window, &["x"]);
        elsewhere.asked("/").len() >= 2
    });
    assert_eq!((elsewhere.asked("/ran").len(), screen.title(&window)), (0, here));
    patiently("the person goes on", || {
        screen.keys(&window, &["alt+g"]);
        !elsewhere.asked("/ran").is_empty()
    });
    screen.window(&format!("{} – Sign in – Keybearer", elsewhere.address));
    lone.is_silent();

    // A form that sends itself elsewhere arrives there whole, since that place is allowed now or after the yes.
    lone.order(&WindowOrder::Show { page: page(&issuer.url("/post")) });
    patiently("the form is judged", || {
        screen.keys(&window, &["alt+g"]);
        !elsewhere.asked("/form").is_empty()
    });
    assert_eq!(elsewhere.asked("/form")[0].body, "saml=assertion");
    patiently("the redirect is caught", || {
        screen.keys(&window, &["alt+g"]);
        matches!(lone.said_now(), Some(WindowSaid::Callback { query: Incoming(query) }) if query == "from=form")
    });
    assert_eq!(elsewhere.asked("/form").len(), 1, "it was sent once");
    lone.order(&WindowOrder::End { ending: WindowEnding::SignedIn });
    lone.ends();
}

#[test]
fn the_person_can_go_to_the_browser_and_walls_lead_there() {
    if !is_inside("lone::the_person_can_go_to_the_browser_and_walls_lead_there") {
        return;
    }
    let screen = Screen;
    let issuer = Site::open(|asked| match asked.path.as_str() {
        "/wall" => ("302 Found\r\nlocation: /sessions/two-factor/passkey", String::new()),
        _ => html("a page"),
    });
    let mut lone = Lone::open(&issuer.url("/page"), &[]);
    let window = screen.window(&format!("{} – Sign in – Keybearer", issuer.address));
    patiently("the browser is wanted", || {
        screen.keys(&window, &["alt+b"]);
        lone.window.0.try_wait().unwrap().is_some()
    });
    assert!(matches!(lone.hears(), WindowSaid::Browser));

    let mut lone = Lone::open(&issuer.url("/wall"), &[]);
    assert!(matches!(lone.hears(), WindowSaid::Browser));
    // It stays and says why, until the sign-in is over.
    let window = screen.window("^Sign in – Keybearer$");
    assert_eq!(lone.window.0.try_wait().unwrap(), None);
    assert_eq!(screen.program(&window), lone.window.0.id());
    lone.order(&WindowOrder::End { ending: WindowEnding::NotSignedIn });
    lone.ends();
    lone.is_silent();
}

#[test]
fn a_window_ends_with_the_one_that_opened_it() {
    if !is_inside("lone::a_window_ends_with_the_one_that_opened_it") {
        return;
    }
    let issuer = Site::open(|_| html("a page"));
    let mut lone = Lone::open(&issuer.url("/"), &[]);
    Screen.window(&issuer.address.to_string());
    let family = family(lone.window.0.id());
    lone.input = None;
    lone.ends();
    gone(&family);
}

#[test]
fn sec_53_what_was_slipped_into_the_environment_is_gone_in_the_window() {
    if !is_inside("lone::sec_53_what_was_slipped_into_the_environment_is_gone_in_the_window") {
        return;
    }
    let issuer = Site::open(|_| html("a page"));
    let before = web::listening();
    let slipped = [
        ("WEBKIT_INSPECTOR_SERVER", "127.0.0.1:2345"),
        ("WEBKIT_INSPECTOR_HTTP_SERVER", "127.0.0.1:2346"),
        ("TAURI_WEBVIEW_AUTOMATION", "true"),
        ("TAURI_AUTOMATION", "true"),
        ("WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS", "--remote-debugging-port=2347"),
        ("GTK_MODULES", "nothing-that-exists"),
        ("LD_PRELOAD", "libm.so.6"),
        ("SSLKEYLOGFILE", "/tmp/keybearer-keys-that-nobody-writes"),
    ];
    let lone = Lone::open(&issuer.url("/"), &slipped);
    Screen.window(&issuer.address.to_string());
    assert_eq!(web::listening(), before, "an inspector listens");
    for program in family(lone.window.0.id()) {
        // One that ends meanwhile has no environment.
        let environment = std::fs::read(format!("/proc/{program}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        for (name, _) in slipped {
            assert!(!environment.split('\0').any(|set| set.starts_with(&format!("{name}="))), "{name} is set");
        }
    }
    assert!(!std::path::Path::new("/tmp/keybearer-keys-that-nobody-writes").exists());
}
