//! The scanner: a place in a text, and what may stand there.

use model::{Px, Qty};

use super::scale::{Scale, Shape};
use super::{JsonCause, JsonError, Levels, decimal};

/// A place in a text. Every step checks that what it passes is what it must be.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    text: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// At the start.
    pub const fn new(text: &'a [u8]) -> Cursor<'a> {
        Cursor { text, rest: text }
    }

    /// Byte of the text.
    pub fn at(&self) -> u32 {
        (self.text.len() - self.rest.len()) as u32
    }

    /// That something is wrong here.
    #[cold]
    pub fn error(&self, cause: JsonCause) -> JsonError {
        JsonError { at: self.at(), cause }
    }

    /// Passes exactly these bytes.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`], as all below.
    #[inline]
    pub fn expect(&mut self, bytes: &[u8]) -> Result<(), JsonError> {
        match self.rest.strip_prefix(bytes) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.error(JsonCause::Shape)),
        }
    }

    /// Passes these bytes if they are here.
    #[inline]
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        match self.rest.strip_prefix(bytes) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Passes a string without escapes: what stands between its quotes.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`]; an escape is one, so is anything but ASCII, and a control character.
    #[inline]
    pub fn string(&mut self) -> Result<&'a [u8], JsonError> {
        self.expect(b"\"")?;
        let ends = |byte: &u8| *byte == b'"' || *byte == b'\\' || !(b' '..0x80).contains(byte);
        let Some(end) = self.rest.iter().position(ends) else {
            return Err(self.error(JsonCause::Shape));
        };
        let (string, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        match rest.split_first() {
            Some((b'"', rest)) => {
                self.rest = rest;
                Ok(string)
            }
            _ => Err(self.error(JsonCause::Shape)),
        }
    }

    /// Passes a whole number without a sign.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`] if there is none, [`JsonCause::Number`] if it does not fit.
    #[inline]
    pub fn uint(&mut self) -> Result<u64, JsonError> {
        let start = *self;
        let digits = self.number_text()?;
        let is_canonical = digits.len() == 1 || digits.first() != Some(&b'0');
        let value = digits.iter().try_fold(0_u64, |value, byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 { None } else { value.checked_mul(10)?.checked_add(digit.into()) }
        });
        match value {
            Some(value) if is_canonical => Ok(value),
            _ => Err(start.error(JsonCause::Number)),
        }
    }

    /// Passes decimal text, with or without quotes, as a whole number of 10^-`decimals`.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`] if there is none, [`JsonCause::Number`] if it is not exact, negative, or does not fit.
    #[inline]
    pub fn decimal(&mut self, decimals: u8) -> Result<i64, JsonError> {
        let start = *self;
        let text = if self.peek() == Some(b'"') { self.string()? } else { self.number()? };
        decimal(text, decimals).ok_or_else(|| start.error(JsonCause::Number))
    }

    /// Passes decimal text in quotes, as a whole number of 10^-`decimals`.
    ///
    /// # Errors
    ///
    /// As [`Cursor::decimal`].
    #[inline]
    pub fn quoted(&mut self, decimals: u8) -> Result<i64, JsonError> {
        let start = *self;
        decimal(self.string()?, decimals).ok_or_else(|| start.error(JsonCause::Number))
    }

    /// Passes an array of levels, `[["price","quantity"],…]`, appending each. What follows the quantity in a level is passed
    /// over if it is a number or a string without escapes.
    ///
    /// # Errors
    ///
    /// As [`Cursor::decimal`], and [`JsonCause::TooMany`].
    #[inline]
    pub fn levels(&mut self, decimals: [u8; 2], to: &mut Levels) -> Result<(), JsonError> {
        self.expect(b"[")?;
        if self.take(b"]") {
            return Ok(());
        }
        let (scales, mut shapes) = (decimals.map(Scale::new), [Shape::default(); 2]);
        loop {
            let (px, qty) = match self.usual_level(scales, &mut shapes) {
                Some(level) => level,
                None => {
                    shapes = Default::default(); // No wrong one is expected for long.
                    self.level(decimals)?
                }
            };
            to.push(Px(px), Qty(qty)).map_err(|cause| self.error(cause))?;
            if !self.take(b",") {
                return self.expect(b"]");
            }
        }
    }

    /// Passes a level of two numbers that can be read eight digits at a time, or nothing.
    #[inline]
    fn usual_level(
        &mut self,
        [px_scale, qty_scale]: [Option<Scale>; 2],
        [px_shape, qty_shape]: &mut [Shape; 2],
    ) -> Option<(i64, i64)> {
        let rest = self.rest.strip_prefix(b"[\"")?;
        let (px, passed) = px_scale?.read(rest, px_shape)?;
        let rest = rest.get(passed..)?.strip_prefix(b",\"")?;
        let (qty, passed) = qty_scale?.read(rest, qty_shape)?;
        self.rest = rest.get(passed..)?.strip_prefix(b"]")?;
        Some((px, qty))
    }

    /// Passes any level.
    #[inline(never)]
    fn level(&mut self, [px_decimals, qty_decimals]: [u8; 2]) -> Result<(i64, i64), JsonError> {
        self.expect(b"[")?;
        let px = self.quoted(px_decimals)?;
        self.expect(b",")?;
        let qty = self.quoted(qty_decimals)?;
        while self.take(b",") {
            self.skip_scalar()?;
        }
        self.expect(b"]")?;
        Ok((px, qty))
    }

    /// Passes a string or a number, whatever it says.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`].
    pub fn skip_scalar(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'"') {
            self.string().map(|_| ())
        } else {
            self.number().map(|_| ())
        }
    }

    /// That nothing is left but white space.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`].
    pub fn end(&self) -> Result<(), JsonError> {
        let is_white = self.rest.iter().all(|byte| b" \t\r\n".contains(byte));
        if is_white { Ok(()) } else { Err(self.error(JsonCause::Shape)) }
    }

    /// Passes a number without sign and exponent, as JSON has them.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`].
    #[inline]
    pub fn number(&mut self) -> Result<&'a [u8], JsonError> {
        let start = *self;
        let text = self.number_text()?;
        let mut parts = text.splitn(2, |byte| *byte == b'.');
        let whole = parts.next().unwrap_or(&[]);
        let part = parts.next().unwrap_or(b"0");
        let is_number = part.iter().all(u8::is_ascii_digit) && !part.is_empty();
        match whole {
            [b'0'] | [b'1'..=b'9', ..] if is_number => Ok(text),
            _ => Err(start.error(JsonCause::Shape)),
        }
    }

    /// Passes digits and points.
    #[inline]
    fn number_text(&mut self) -> Result<&'a [u8], JsonError> {
        let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let end = self.rest.iter().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        // A sign or an exponent would be cut off here and read as another number.
        let goes_on = rest.first().is_some_and(|byte| b"eE+-".contains(byte));
        if text.is_empty() || goes_on {
            return Err(self.error(JsonCause::Shape));
        }
        self.rest = rest;
        Ok(text)
    }
}
