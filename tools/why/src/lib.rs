//! What `tickgate why` and `tickgate whatif` share: a journal that is replayed, with somebody beside the gate.
//!
//! Flow of `why`: [`find`] attends a replay, and has each order that is meant explained right before the gate judges it →
//! [`story`] is what came of it → [`text`] or [`json`] tells it. Flow of `whatif`: [`twin`] steps a second engine with other
//! limits through the same inputs and notes what it says otherwise → [`changes`] tells it.
#![forbid(unsafe_code)]

pub mod changes;
pub mod find;
pub mod json;
pub mod show;
pub mod story;
pub mod text;
pub mod twin;
