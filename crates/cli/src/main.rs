//! The `keybearer` binary.
fn main() {}
