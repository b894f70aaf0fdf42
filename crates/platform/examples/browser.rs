//! Shows each address that it is given as a sign-in page in the system's browser, and says whether that was done. One
//! line in, in base64 because hostile addresses hold line breaks; one line out. For the tests, which put a browser of
//! their own on the path.

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use std::io::BufRead as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keybearer_core::ports::{LoginSurface as _, SurfaceError};
use keybearer_platform::browser::SystemBrowser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SurfaceError> {
    let mut surface = SystemBrowser.prepare().await?;
    for line in std::io::stdin().lock().lines() {
        let address = line.ok().and_then(|line| STANDARD.decode(line).ok()).unwrap_or_default();
        match surface.present(&String::from_utf8_lossy(&address)).await {
            Ok(()) => println!("opened"),
            Err(SurfaceError::RefusedUrl) => println!("refused"),
            Err(SurfaceError::NoBrowser) => println!("no browser"),
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
