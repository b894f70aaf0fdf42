//! Strict fakes, scripted ports and the demo company: what stories and the demo stand on.
//!
//! The fakes are real servers on loopback that refuse what the RFCs refuse; a test turns their dials, it never teaches
//! them what to answer to an OAuth request. Every secret that is minted here contains [`CANARY`].
//! Absent: mocks, fixed ports, recorded secrets, sleeping.

pub mod canary;
pub mod client;
pub mod company;
pub mod follow;
pub mod http1;
pub mod idp;
pub mod ports;
pub mod serving;
pub mod upstream;
pub mod world;

/// Every secret of the testkit contains it; where it turns up in a file, a log or an answer, a secret has leaked.
pub const CANARY: &str = "cAnArY";
