//! The demo's ways to begin and to end.

mod apps;
mod browser;
mod calls;
mod endings;
mod house;
mod keep;
mod opening;
mod scene;
mod stage;
mod telling;

use std::process::ExitCode;

use self::stage::Stage;
use self::telling::Teller;

const USAGE: &str = "\
keybearer-demo            tells the whole story and ends
keybearer-demo --script   the same without a display; exit code 0 only if everything held
keybearer-demo --keep     leaves all running, for an app of your own
keybearer-demo --scene    the same for whoever takes pictures: until its input ends
";

/// How the demo is meant to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Tells everything and ends.
    Told,
    /// The same, and nothing is shown on a display.
    Script,
    /// Leaves all running.
    Keep,
    /// Leaves all running for a program that shows it, and shows nothing itself.
    Scene,
}

/// Runs the demo; under the name of a browser, what stands in for one.
pub(crate) async fn run(arguments: &[String]) -> ExitCode {
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    if let (Some(person), [url]) = (browser::person(), arguments.as_slice()) {
        return browser::stand_in(&person, url).await;
    }
    let mode = match arguments.as_slice() {
        [] => Mode::Told,
        ["--script"] => Mode::Script,
        ["--keep"] => Mode::Keep,
        ["--scene"] => Mode::Scene,
        _ => {
            print!("{USAGE}");
            return ExitCode::from(if arguments == ["--help"] { 0 } else { 2 });
        }
    };
    let mut teller = Teller::to_stdout();
    if let Err(cause) = tell(mode, &mut teller).await {
        teller.failed(&format!("{cause:#}"));
    }
    teller.sum_up()
}

async fn tell(mode: Mode, teller: &mut Teller) -> anyhow::Result<()> {
    teller.title("Keybearer", "It carries a person's company sign-in, so that no AI app ever has to.");
    let mut stage = opening::company(mode, teller).await?;
    let told = story(mode, &mut stage, teller).await;
    if told.is_err() {
        teller.says(&format!("The core's last words:{}", stage.house.diagnostics()));
    }
    let closed = stage.close(teller).await;
    told.and(closed)
}

async fn story(mode: Mode, stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    opening::core(stage, teller).await?;
    opening::apps(stage, teller).await?;
    calls::sign_in(stage, teller).await?;
    calls::over_stdio(stage, teller).await?;
    calls::over_http(stage, teller).await?;
    calls::not_allowed(stage, teller).await?;
    if mode == Mode::Scene {
        return scene::hold(stage).await;
    }
    endings::renewal(stage, teller).await?;
    if mode == Mode::Keep {
        endings::traces(stage, teller).await?;
        return keep::stay(stage, teller).await;
    }
    endings::sign_out(stage, teller).await?;
    endings::revoked_app(stage, teller).await?;
    endings::traces(stage, teller).await
}
