//! Sessions of the legacy era: lost and found, resumed, taken back.
