//! DBN: captures against published states, and streams written by the crate's own encoder against naive books.

mod allocations;
#[path = "../captured/mod.rs"]
mod captured;
mod captures;
mod days;
mod levels;
mod snapshots;
mod streams;
mod twin;
