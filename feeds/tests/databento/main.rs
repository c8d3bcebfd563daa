//! DBN: captures against published states, and streams written by the crate's own encoder against naive books.
#![allow(missing_docs)]

mod allocations;
#[path = "../captured/mod.rs"]
mod captured;
mod captures;
#[path = "../counting/mod.rs"]
mod counting;
mod days;
mod levels;
mod snapshots;
mod streams;
mod twin;
