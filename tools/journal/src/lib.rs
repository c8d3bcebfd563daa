//! What programs that read a journal share: [`scan`] counts it, [`progress`] shows how far a replay is, [`failure`] says why it
//! ended.
#![forbid(unsafe_code)]

pub mod failure;
pub mod progress;
pub mod scan;
