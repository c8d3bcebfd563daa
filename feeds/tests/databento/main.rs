//! DBN: captures against published states, and streams written by the crate's own encoder against naive books.
#![allow(missing_docs)]

mod allocations;
mod captures;
mod levels;
mod snapshots;
mod streams;
mod twin;
