//! The commands, one for each kind of venue.

pub mod crypto;
pub mod mold;
pub mod ouch;
pub mod soup;
