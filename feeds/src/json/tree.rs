//! The tree: any JSON, in any order of keys, with white space and escapes. Slower, for what the scanner does not know.

use model::{Px, Qty};
use simd_json::borrowed::to_value_with_buffers;
use simd_json::prelude::{ValueAsArray, ValueAsScalar, ValueObjectAccess};
use simd_json::{BorrowedValue, Buffers};

use super::{JsonCause, JsonError, Levels, decimal};

/// Longest text that becomes a tree, bytes: a tree takes some fifty times the room of the shortest values.
pub const TREE_MAX: usize = 4 << 20;

/// What a tree is made in; kept from text to text.
#[derive(Default)]
pub struct Scratch {
    copy: Vec<u8>,
    buffers: Option<Box<Buffers>>,
}

impl core::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

impl Scratch {
    /// Reads a whole text.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`] if it is no JSON; the offset is that of the parser. [`JsonCause::TooLong`] beyond [`TREE_MAX`].
    pub fn read<'a>(&'a mut self, text: &[u8]) -> Result<BorrowedValue<'a>, JsonError> {
        if text.len() > TREE_MAX {
            return Err(JsonError::whole(JsonCause::TooLong));
        }
        self.copy.clear();
        self.copy.extend_from_slice(text);
        let buffers = self.buffers.get_or_insert_default();
        to_value_with_buffers(&mut self.copy, buffers).map_err(|error| {
            let at = error.index().min(u32::MAX as usize) as u32;
            JsonError { at, cause: JsonCause::Shape }
        })
    }
}

/// A text that is JSON, and not what was expected: where, a tree does not know.
pub fn shape() -> JsonError {
    JsonError::whole(JsonCause::Shape)
}

/// A text under a key.
///
/// # Errors
///
/// [`JsonCause::Shape`] if it is not there or no string; so all below.
pub fn text<'v>(value: &'v BorrowedValue<'_>, key: &str) -> Result<&'v str, JsonError> {
    value.get(key).and_then(ValueAsScalar::as_str).ok_or_else(shape)
}

/// A whole number without a sign under a key.
///
/// # Errors
///
/// As [`text`].
pub fn uint(value: &BorrowedValue<'_>, key: &str) -> Result<u64, JsonError> {
    value.get(key).and_then(ValueAsScalar::as_u64).ok_or_else(shape)
}

/// A decimal under a key that is written as a string.
///
/// # Errors
///
/// As [`text`], and [`JsonCause::Number`] if it is not exact.
pub fn decimal_text(value: &BorrowedValue<'_>, key: &str, decimals: u8) -> Result<i64, JsonError> {
    let text = text(value, key)?;
    decimal(text.as_bytes(), decimals).ok_or(JsonError::whole(JsonCause::Number))
}

/// Levels under a key: `[["price","quantity",…],…]`.
///
/// # Errors
///
/// As [`decimal_text`], and [`JsonCause::TooMany`].
pub fn levels(
    value: &BorrowedValue<'_>,
    key: &str,
    [px_decimals, qty_decimals]: [u8; 2],
    to: &mut Levels,
) -> Result<(), JsonError> {
    let list = value.get(key).and_then(ValueAsArray::as_array).ok_or_else(shape)?;
    for level in list {
        let level = level.as_array().ok_or_else(shape)?;
        let (Some(px), Some(qty)) = (level.first(), level.get(1)) else { return Err(shape()) };
        let number = |value: &BorrowedValue<'_>, decimals| {
            let text = value.as_str().ok_or_else(shape)?;
            decimal(text.as_bytes(), decimals).ok_or(JsonError::whole(JsonCause::Number))
        };
        let (px, qty) = (number(px, px_decimals)?, number(qty, qty_decimals)?);
        to.push(Px(px), Qty(qty)).map_err(JsonError::whole)?;
    }
    Ok(())
}
