//! Channels on virtual time: two bad lines, a bad re-request server, a bad snapshot server, and a clean twin.
#![allow(missing_docs)]

mod allocations;
#[path = "../captured/mod.rs"]
mod captured;
mod captures;
#[path = "../counting/mod.rs"]
mod counting;
mod day;
mod schedules;
mod twin;
mod world;
