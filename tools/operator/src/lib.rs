//! What `tickgate halt`, `resume`, `reload`, `rate`, `split`, `status` and `operator` share: finding the engine, asking it,
//! saying what came of it.
#![forbid(unsafe_code)]

pub mod args;
pub mod books;
pub mod exit;
pub mod said;
pub mod show;
pub mod terminal;
