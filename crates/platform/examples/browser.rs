//! Shows each address that it is given as a sign-in page in the system's browser, and says whether that was done, one
//! line each. For the test, which puts a browser of its own on the path.

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use keybearer_core::ports::{LoginSurface as _, SurfaceError};
use keybearer_platform::browser::SystemBrowser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SurfaceError> {
    let mut surface = SystemBrowser.prepare().await?;
    for address in std::env::args().skip(1) {
        match surface.present(&address).await {
            Ok(()) => println!("opened"),
            Err(SurfaceError::RefusedUrl) => println!("refused"),
            Err(SurfaceError::NoBrowser) => println!("no browser"),
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
