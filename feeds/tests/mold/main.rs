//! Channels on virtual time: two bad lines, a bad re-request server, a bad snapshot server, and a clean twin.

mod allocations;
#[path = "../captured/mod.rs"]
mod captured;
mod captures;
mod day;
mod schedules;
mod twin;
mod world;
