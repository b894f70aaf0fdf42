//! Decides whether a call may proceed
