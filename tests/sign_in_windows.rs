//! Where a person signs in: in a window that the shell opens, or in the browser. Here the test is the shell, over the wire.
#![expect(clippy::expect_used, clippy::panic, reason = "a story ends where its world is not as it must be")]

use keybearer_control::client::{WindowOrders, WindowWords};
use keybearer_control::error::{Code, Error};
use keybearer_control::sign_in_window::{SignInPage, WindowEnding, WindowOrder, WindowSaid};
use keybearer_control::snapshot::SignIn;
use keybearer_control::wire::{Incoming, Reply, Request};
use keybearer_core::ports::SurfaceEnding;
use keybearer_testkit::follow::{self, Conduct};
use keybearer_testkit::world::World;

/// A shell that opens windows, as far as the core can tell.
struct Shell {
    orders: WindowOrders,
    words: WindowWords,
}

impl Shell {
    /// Attaches; the core may not have noticed yet that another one has gone.
    async fn attach(world: &World) -> Self {
        let (orders, words) = world.control().offer_windows().await.expect("offer windows");
        // The core serves each connection by itself: what it has read here, it has read before what comes next there.
        world.status().await;
        Self { orders, words }
    }

    async fn ordered(&mut self) -> (u64, WindowOrder) {
        self.orders.next().await.expect("the core orders something")
    }

    /// The page that a window is to show.
    async fn page(&mut self) -> (u64, SignInPage) {
        match self.ordered().await {
            (window, WindowOrder::Show { page }) => (window, page),
            (_, WindowOrder::End { ending }) => panic!("a window is to end: {ending:?}"),
        }
    }

    async fn ending(&mut self) -> WindowEnding {
        match self.ordered().await {
            (_, WindowOrder::End { ending }) => ending,
            (_, WindowOrder::Show { .. }) => panic!("a window is to open"),
        }
    }

    async fn say(&mut self, window: u64, said: WindowSaid) {
        self.words.say(window, said).await.expect("say what the window says");
    }
}

/// Dana signs in on the page; what the redirect carries.
async fn redirect(world: &World, page: &SignInPage) -> Incoming {
    let location = follow::sign_in(&page.url, &world.company.dana, Conduct::SignsInAndAllows).await.expect("sign in");
    let (address, query) = location.split_once('?').expect("a query");
    assert!(page.redirects.iter().any(|redirect| redirect == address), "the issuer leads elsewhere: {address}");
    Incoming(query.to_owned())
}

fn state_of(url: &str) -> &str {
    url.split("&state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state")
}

async fn crm(world: &World) -> SignIn {
    let servers = world.status().await.servers;
    servers.into_iter().find(|server| server.name == "crm").expect("a CRM").state
}

fn failed(ended: Result<Reply, Error>, words: &str) -> Code {
    let error = ended.expect_err("nobody is signed in");
    assert!(error.message.contains(words), "{error}");
    error.code
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_shell_the_page_is_shown_in_its_window_and_no_port_waits() {
    let world = World::start().await;
    let mut shell = Shell::attach(&world).await;
    let signing_in = async {
        let (window, page) = shell.page().await;
        assert!(page.url.contains("redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&"), "{}", page.url);
        let issuer = page.url.split('/').nth(2).expect("a host");
        assert_eq!(page.hosts, [issuer]);
        assert!(!page.walls.is_empty());
        // What belongs to no sign-in is passed over, as in the browser.
        shell.say(window, WindowSaid::Callback { query: Incoming("state=wrong&code=c".into()) }).await;
        shell.say(window + 1, WindowSaid::Closed).await;
        let query = redirect(&world, &page).await;
        shell.say(window, WindowSaid::Callback { query }).await;
        shell.ending().await
    };
    let (ended, ending) = tokio::join!(world.login("crm"), signing_in);
    ended.expect("signed in");
    assert_eq!(ending, WindowEnding::SignedIn);
    assert_eq!(world.browser.windows(), 0);
    assert!(matches!(crm(&world).await, SignIn::SignedIn { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_moves_to_the_browser_begins_anew_there() {
    let world = World::start().await;
    let mut shell = Shell::attach(&world).await;
    world.browser.hold();
    let moving = async {
        let (window, page) = shell.page().await;
        let answer = redirect(&world, &page).await;
        shell.say(window, WindowSaid::Browser).await;
        world.browser.until_windows(1).await;
        // The first attempt's answer counts no more, wherever it comes from.
        world.browser.stray_callback(&answer.0);
        shell.say(window, WindowSaid::Callback { query: answer }).await;
        world.browser.release();
        (state_of(&page.url).to_owned(), shell.ending().await)
    };
    let (ended, (_, ending)) = tokio::join!(world.login("crm"), moving);
    ended.expect("signed in");
    assert_eq!((ending, world.browser.endings()), (WindowEnding::SignedIn, vec![SurfaceEnding::SignedIn]));
    let counts = world.company.idp.counts();
    assert_eq!((counts.codes_redeemed, counts.registrations), (1, 2), "two redirect addresses, one code");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_shell_or_a_window_it_is_the_browser() {
    let world = World::start().await;
    world.login("crm").await.expect("signed in without a shell");
    let mut shell = Shell::attach(&world).await;
    let not_starting = async {
        let (window, _) = shell.page().await;
        shell.say(window, WindowSaid::Broken { cause: "no display".into() }).await;
        shell.ending().await
    };
    let (ended, _) = tokio::join!(world.login("wiki"), not_starting);
    ended.expect("signed in without a window");
    assert_eq!(world.browser.windows(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_choose_the_browser() {
    for everywhere in [true, false] {
        let world = World::start().await;
        let settings = if everywhere {
            format!("sign_in_surface = \"browser\"\n{}", world.config(""))
        } else {
            world.config("").replace("[servers.crm]\n", "[servers.crm]\nsign_in_surface = \"browser\"\n")
        };
        world.write_config(&settings);
        let _shell = Shell::attach(&world).await;
        world.login("crm").await.expect("signed in");
        assert_eq!(world.browser.windows(), 1, "everywhere: {everywhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_calls_the_sign_in_off() {
    let world = World::start().await;
    let mut shell = Shell::attach(&world).await;
    let closing = async {
        let (window, _) = shell.page().await;
        shell.say(window, WindowSaid::Closed).await;
        shell.ending().await
    };
    let (ended, ending) = tokio::join!(world.login("crm"), closing);
    assert_eq!(failed(ended, "cancelled"), Code::SignInFailed);
    assert_eq!((ending, world.browser.windows()), (WindowEnding::NotSignedIn, 0));

    let untrusted = async {
        let (window, _) = shell.page().await;
        shell.say(window, WindowSaid::Untrusted { host: "idp.test".into() }).await;
        shell.ending().await
    };
    let (ended, _) = tokio::join!(world.login("crm"), untrusted);
    assert_eq!(failed(ended, "certificate of `idp.test`"), Code::Certificate);

    // A shell that ends takes its windows with it, and no browser opens instead.
    let leaving = async {
        let (_, page) = shell.page().await;
        drop(shell);
        page
    };
    let (ended, _) = tokio::join!(world.login("crm"), leaving);
    assert_eq!(failed(ended, "cancelled"), Code::SignInFailed);
    assert_eq!(world.browser.windows(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_meanwhile_closes_the_window() {
    let world = World::start().await;
    let mut shell = Shell::attach(&world).await;
    let signing_out = async {
        shell.page().await;
        world.logout("crm").await.expect("signed out");
        shell.ending().await
    };
    let (ended, ending) = tokio::join!(world.login("crm"), signing_out);
    assert_eq!(failed(ended, "called off"), Code::SignInFailed);
    assert_eq!(ending, WindowEnding::NotSignedIn);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_opens_the_windows_speaks_for_them() {
    let world = World::start().await;
    let mut shell = Shell::attach(&world).await;
    let (mut others, _) = world.control().offer_windows().await.expect("ask");
    assert_eq!(others.next().await.expect_err("one at a time").code, Code::NotAllowed);
    let said = Request::WindowSaid { window: 0, said: WindowSaid::Closed };
    let meddling = async {
        let (window, page) = shell.page().await;
        assert_eq!(failed(world.ask(said).await, "opens sign-in windows"), Code::NotAllowed);
        let query = redirect(&world, &page).await;
        shell.say(window, WindowSaid::Callback { query }).await;
        shell.ending().await
    };
    let (ended, _) = tokio::join!(world.login("crm"), meddling);
    ended.expect("signed in");
}
