//! Databento DBN, versions 1 to 3, through its own crate: market by order, market by price, trades. `databento/DBN.md` says
//! what becomes of a record.

mod instruments;
mod reader;
mod record;

pub use reader::{DbnCause, DbnCounters, DbnError, DbnReader};
