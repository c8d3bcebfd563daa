//! Simulated venues.
#![forbid(unsafe_code)]
