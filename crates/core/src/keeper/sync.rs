//! What [`super::single_flight`] is made of; a model checker brings its own.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use arc_swap::ArcSwapOption as Pointer;
