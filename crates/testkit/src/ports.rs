//! The core's ports as a test holds them: nothing waits for a person, a keychain or the passing of time.

mod browser;
mod clock;
mod keys;
mod prompter;

#[cfg(test)]
mod tests;

pub use self::browser::FollowingBrowser;
pub use self::clock::ManualClock;
pub use self::keys::{HeldKeys, MemoryKeyStore};
pub use self::prompter::ScriptedPrompter;
