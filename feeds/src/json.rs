//! JSON as venues write it: a scanner for the shapes that come thousands of times a second, and a tree for everything else.
//!
//! The scanner knows what must come next and checks every byte of it; whatever deviates (white space, another order of keys,
//! an escape, an exponent) is an error with its offset, and the caller turns to the [`Scratch`] tree. Both read numbers
//! exactly: text to integer, never through a float.

mod scan;
pub mod tree;
mod walk;

use model::{Px, Qty};

pub use scan::Cursor;
pub use tree::Scratch;

/// Levels of one side of one text, at most: Coinbase sends whole books, of tens of thousands.
pub const LEVELS_MAX: usize = 100_000;
/// Levels that there is room for from the start: other venues never send more.
const LEVELS_ROOM: usize = 10_000;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonCause {
    /// Not the shape that was expected there, or no JSON at all.
    #[error("unexpected shape")]
    Shape,
    /// A number that is no whole number of units, or does not fit.
    #[error("no whole number of units, or out of range")]
    Number,
    /// More of something than is kept.
    #[error("too many")]
    TooMany,
    /// A text longer than any venue sends.
    #[error("too long")]
    TooLong,
}

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {at}: {cause}")]
pub struct JsonError {
    /// Byte of the text.
    pub at: u32,
    /// What is wrong there.
    pub cause: JsonCause,
}

impl JsonError {
    /// Of a text as a whole.
    pub const fn whole(cause: JsonCause) -> JsonError {
        JsonError { at: 0, cause }
    }
}

/// Levels of one side, in the order of their text. Allocates at the start, and again only for a text of more than ten thousand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(Vec<(Px, Qty)>);

impl Levels {
    /// An empty list.
    pub fn new() -> Levels {
        Levels(Vec::with_capacity(LEVELS_ROOM))
    }

    /// Appends a level.
    ///
    /// # Errors
    ///
    /// [`JsonCause::TooMany`] beyond [`LEVELS_MAX`].
    #[inline]
    pub fn push(&mut self, px: Px, qty: Qty) -> Result<(), JsonCause> {
        if self.0.len() >= LEVELS_MAX {
            return Err(JsonCause::TooMany);
        }
        self.0.push((px, qty));
        Ok(())
    }

    /// Forgets all; keeps the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All, in order.
    pub fn as_slice(&self) -> &[(Px, Qty)] {
        &self.0
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Levels {
    fn default() -> Levels {
        Levels::new()
    }
}

/// Decimal text, digits and at most one point, as a whole number of 10^-`decimals`. Exact: digits beyond must be zeros.
/// `None` for anything else, a sign and an exponent included.
#[inline]
pub fn decimal(text: &[u8], decimals: u8) -> Option<i64> {
    let mut value: i64 = 0;
    let mut digits = 0;
    let mut rest = text.iter();
    for byte in rest.by_ref() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            if *byte != b'.' {
                return None;
            }
            return fraction(rest.as_slice(), value, digits, decimals);
        }
        value = value.checked_mul(10)?.checked_add(digit.into())?;
        digits += 1;
    }
    if digits == 0 { None } else { scaled(value, decimals) }
}

/// The digits behind the point.
#[inline]
fn fraction(text: &[u8], mut value: i64, whole: usize, decimals: u8) -> Option<i64> {
    if whole == 0 || text.is_empty() {
        return None;
    }
    let (kept, beyond) = text.split_at_checked(decimals.into()).unwrap_or((text, &[]));
    for byte in kept {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(digit.into())?;
    }
    if beyond.iter().any(|byte| *byte != b'0') {
        return None;
    }
    scaled(value, decimals.saturating_sub(kept.len() as u8))
}

#[inline]
fn scaled(value: i64, places: u8) -> Option<i64> {
    match 10_i64.checked_pow(places.into()) {
        Some(ten) => value.checked_mul(ten),
        None if value == 0 => Some(0),
        None => None,
    }
}

#[cfg(test)]
mod tests;
