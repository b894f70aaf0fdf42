//! Where secrets are kept: the operating system's keychain, or memory where a person chose it or nothing else is there.

mod keychain;
mod memory;
mod pieces;
mod system;

pub use keychain::{Keychain, probe};
pub use memory::MemoryKeys;
