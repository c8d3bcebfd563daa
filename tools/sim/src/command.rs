//! The commands, one for each kind of venue.

pub mod mold;
