//! Databento: captures in DBN, versions 1 to 3, through the `dbn` crate. `databento/DBN.md` is the digest of the format.
//!
//! Flow: bytes → the crate's framing → record → [`model::Event`]. Schemas: MBO, MBP-1, MBP-10, TBBO and trades; a file of
//! another schema is refused by name. Market-by-order records speak of orders, MBP records of levels.

mod counters;
mod decoder;
mod error;
mod instruments;
mod levels;
mod reader;
mod symbols;
mod view;

pub use counters::DbnCounters;
pub use error::{DbnCause, DbnError};
pub use reader::{DbnOptions, DbnReader};
