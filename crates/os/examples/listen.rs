//! Listens on the control socket like a core does, tells its process and session to the second who connects (the first
//! is whoever started it, looking), and ends. For the test of starting a core.

use std::process::ExitCode;

#[cfg(unix)]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match answer().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(unix)]
async fn answer() -> Result<(), Box<dyn std::error::Error>> {
    use keybearer_os::{folders::Folders, local, lock::CoreLock};
    use tokio::io::AsyncWriteExt as _;
    let listener = local::bind(&CoreLock::acquire(&Folders::from_env()?)?, local::Name::Control)?;
    drop(listener.accept().await?);
    let mut asker = listener.accept().await?;
    let (pid, session) = (rustix::process::getpid(), rustix::process::getsid(None)?);
    Ok(asker.write_all(format!("{pid} {session}").as_bytes()).await?)
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}
