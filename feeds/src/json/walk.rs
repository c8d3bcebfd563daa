//! The scanner's steps through objects and lists whose members may come in any order or number.

use super::{Cursor, JsonCause, JsonError};

impl<'a> Cursor<'a> {
    /// Passes a whole number that may be negative.
    ///
    /// # Errors
    ///
    /// As [`Cursor::uint`].
    #[inline]
    pub fn int(&mut self) -> Result<i64, JsonError> {
        let start = *self;
        let is_negative = self.take(b"-");
        let value = i64::try_from(self.uint()?).map_err(|_| start.error(JsonCause::Number))?;
        Ok(if is_negative { -value } else { value })
    }

    /// Passes an object in any order of keys; `member` is given each key and passes its value.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`], and what `member` finds.
    #[inline]
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b"{")?;
        if self.take(b"}") {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b":")?;
            member(self, key)?;
            if !self.take(b",") {
                return self.expect(b"}");
            }
        }
    }

    /// Passes an array; `element` passes each element.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`], and what `element` finds.
    #[inline]
    pub fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b"[")?;
        if self.take(b"]") {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.take(b",") {
                return self.expect(b"]");
            }
        }
    }

    /// The string under a key of the object that begins here, if all that stands before it is plain.
    pub fn named(mut self, wanted: &[u8]) -> Option<&'a [u8]> {
        self.expect(b"{").ok()?;
        loop {
            let key = self.string().ok()?;
            self.expect(b":").ok()?;
            if key == wanted {
                return self.string().ok();
            }
            self.skip_plain().ok()?;
            self.expect(b",").ok()?;
        }
    }

    /// Passes a string, a number, `true`, `false` or `null`.
    ///
    /// # Errors
    ///
    /// [`JsonCause::Shape`].
    pub fn skip_plain(&mut self) -> Result<(), JsonError> {
        let is_word = self.take(b"true") || self.take(b"false") || self.take(b"null");
        if is_word {
            Ok(())
        } else {
            match self.take(b"-") {
                true => self.number().map(|_| ()),
                false => self.skip_scalar(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a name is found in what breaks off or goes wrong behind it, and nowhere else. Method: texts with the key early,
    /// deep, behind something that is not plain, and not at all.
    #[test]
    fn named() {
        for (text, name) in [
            (r#"{"s":"A","b":[["#, Some(&b"A"[..])),
            (r#"{"E":-1.5,"x":null,"s":"A""#, Some(b"A")),
            (r#"{"E":1,"s":5}"#, None),
            (r#"{"b":[],"s":"A"}"#, None),
            (r#"{"d":{"s":"A"}}"#, None),
            (r#"{"E":1}"#, None),
            (r#"["s","A"]"#, None),
            (r#"{"s":"A"#, None),
        ] {
            assert_eq!(Cursor::new(text.as_bytes()).named(b"s"), name, "{text}");
        }
    }

    /// Goal: members and elements are passed whole, anything else is refused where it stands. Method: one of each.
    #[test]
    fn walks() {
        let mut cursor = Cursor::new(br#"{"a":[1,-2],"b":{},"c":[],"d":null,"e":-1.5,"f":"x"}"#);
        let mut sum = 0;
        let walked = cursor.object(|c, key| match key {
            b"a" => c.array(|c| c.int().map(|value| sum += value)),
            b"b" => c.object(|c, _| c.skip_plain()),
            b"c" => c.array(|c| c.skip_plain()),
            _ => c.skip_plain(),
        });
        assert_eq!((walked, cursor.end(), sum), (Ok(()), Ok(()), -1));
        for (text, at) in
            [(r#"{"a":{}}"#, 5), (r#"{"a":1,}"#, 7), (r#"{"a"}"#, 4), (r#"{"a":1"#, 6)]
        {
            let error = Cursor::new(text.as_bytes()).object(|c, _| c.skip_plain());
            assert_eq!(error, Err(JsonError { at, cause: JsonCause::Shape }), "{text}");
        }
        let number = Cursor::new(b"-9223372036854775809").int();
        assert_eq!(number, Err(JsonError { at: 0, cause: JsonCause::Number }));
        for text in ["-\"x\"", "1.2.3", "01", "1.", ".5", "-", "1e5", "\"\u{e4}\""] {
            assert!(Cursor::new(text.as_bytes()).skip_plain().is_err(), "{text}");
        }
        assert_eq!(Cursor::new(b"--1").int().map_err(|error| error.at), Err(1));
    }
}
