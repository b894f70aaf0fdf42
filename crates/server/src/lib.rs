//! The doors (HTTP, socket and stdio), the forwarder behind them, and the control API.
//!
//! No policy and no credentials of its own: a call goes upstream only with a permit of the core, and what a door judged
//! is what it forwards, byte for byte. No Tauri, no keychain.

mod answer;
mod calls;
mod closing;
mod connect;
mod connection;
mod container_door;
mod control;
mod doors;
mod doorways;
mod draining;
mod examining;
mod forward;
mod gate;
mod half_closed;
mod head_timer;
mod http_door;
mod http_exchange;
mod keep_alive;
mod lanes;
mod legacy;
mod limits;
mod own;
mod person;
mod programs;
mod prompts;
mod relayed;
mod run;
mod sessions;
mod sign_in_windows;
mod socket_door;
mod stdio;
mod turned_away;
mod view;
mod visitor;

pub use keep_alive::SILENCE;
pub use run::{Parts, Running, Startup, start};
pub use sign_in_windows::SignInWindows;
