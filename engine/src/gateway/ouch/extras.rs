//! What an order says beyond its fixed fields: the optional appendage of OUCH 5.0, a list of `length (1, tag included), tag
//! (1), value` behind the length of the whole (2).

/// Bytes of the longest list that goes out, with its length.
pub(super) const EXTRAS: usize = 2 + 6 + 6 + 6 + 3;

const FIRM: u8 = 2;
const MIN_QTY: u8 = 3;
const MAX_FLOOR: u8 = 5;
const POST_ONLY: u8 = 12;
const DISPLAY_QTY: u8 = 22;

/// The options that are said or read here; all others are skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Tag 2: the firm; `None`: the port's own.
    pub firm: Option<[u8; 4]>,
    /// Tag 3: shares that must trade at once, or none.
    pub min_qty: Option<u32>,
    /// Tag 5: shares that are shown at a time; zero: all.
    pub max_floor: Option<u32>,
    /// Tag 12: it never takes what is displayed (`P`), or may (`N`).
    pub post_only: Option<bool>,
    /// Tag 22: shares that are shown now. Heard alone.
    pub display_qty: Option<u32>,
}

impl Extras {
    /// Writes the list with its length.
    pub(super) fn write(&self, mut put: impl FnMut(&[u8])) {
        let Extras { firm, min_qty, max_floor, post_only, display_qty: _ } = self;
        let post_only = post_only.map(|only| if only { b'P' } else { b'N' });
        let wide = [min_qty, max_floor].into_iter().flatten().count() + usize::from(firm.is_some());
        let length = 6 * wide + 3 * usize::from(post_only.is_some());
        put(&(length as u16).to_be_bytes());
        let numbers = [min_qty, max_floor].map(|number| number.map(u32::to_be_bytes));
        for (tag, value) in
            [FIRM, MIN_QTY, MAX_FLOOR].into_iter().zip([*firm].into_iter().chain(numbers))
        {
            if let Some(value) = value {
                put(&[5, tag]);
                put(&value);
            }
        }
        if let Some(value) = post_only {
            put(&[2, POST_ONLY, value]);
        }
    }

    /// Reads what follows a fixed part: nothing, or the list with its length. The error is where it is broken, in bytes from
    /// there.
    pub(super) fn read(bytes: &[u8]) -> Result<Extras, usize> {
        let mut extras = Extras::default();
        if bytes.is_empty() {
            return Ok(extras);
        }
        let (length, mut left) = bytes.split_first_chunk().ok_or(0_usize)?;
        if usize::from(u16::from_be_bytes(*length)) != left.len() {
            return Err(0);
        }
        while let Some((&length, after)) = left.split_first() {
            let at = bytes.len() - left.len();
            let (option, tail) = after.split_at_checked(length.into()).ok_or(at)?;
            let (&tag, value) = option.split_first().ok_or(at)?;
            extras.set(tag, value).ok_or(at)?;
            left = tail;
        }
        Ok(extras)
    }

    fn set(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        let number = || value.as_array().map(|bytes| u32::from_be_bytes(*bytes));
        match tag {
            FIRM => self.firm = Some(*value.as_array()?),
            MIN_QTY => self.min_qty = Some(number()?),
            MAX_FLOOR => self.max_floor = Some(number()?),
            DISPLAY_QTY => self.display_qty = Some(number()?),
            POST_ONLY => {
                let [value] = value else { return None };
                self.post_only = Some(*value == b'P');
            }
            _ => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(extras: &Extras) -> Vec<u8> {
        let mut bytes = Vec::new();
        extras.write(|field| bytes.extend_from_slice(field));
        bytes
    }

    /// Goal: the list is laid out as the specification has it. Method: bytes by hand, of all at once and of none.
    #[test]
    fn layout() {
        let (firm, display_qty) = (Some(*b"FIRM"), None);
        let (min_qty, max_floor, post_only) = (Some(0x0102_0304), Some(100), Some(true));
        let all = Extras { firm, min_qty, max_floor, post_only, display_qty };
        let wanted = b"\0\x15\x05\x02FIRM\x05\x03\x01\x02\x03\x04\x05\x05\0\0\0\x64\x02\x0CP";
        assert_eq!(written(&all), wanted);
        assert_eq!(wanted.len(), EXTRAS);
        assert_eq!(written(&Extras::default()), [0, 0]);
        let shown = Extras { display_qty: Some(7), ..Extras::default() };
        assert_eq!(Extras::read(b"\0\x10\x09\x01\0\0\0\0\0\0\0\x01\x05\x16\0\0\0\x07"), Ok(shown));
        let no = Extras { post_only: Some(false), ..Extras::default() };
        assert_eq!(Extras::read(b"\0\x03\x02\x0CN"), Ok(no));
        for (bytes, at) in [(&b"\0\x02\x01\x0C"[..], 2), (b"\0\x06\x02\x0CP\x02\x03P", 5)] {
            assert_eq!(Extras::read(bytes), Err(at));
        }
    }

    proptest! {
        /// Goal: what is written is what is read, and no bytes panic. Method: any list, cut anywhere; any bytes.
        #[test]
        fn there_and_back(
            firm in any::<Option<[u8; 4]>>(),
            min_qty in any::<Option<u32>>(),
            max_floor in any::<Option<u32>>(),
            post_only in any::<Option<bool>>(),
            any_bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let extras = Extras { firm, min_qty, max_floor, post_only, display_qty: None };
            let bytes = written(&extras);
            prop_assert_eq!(Extras::read(&bytes), Ok(extras));
            for cut in 1..bytes.len() {
                prop_assert!(Extras::read(&bytes[..cut]).is_err());
            }
            let listed = [&(any_bytes.len() as u16).to_be_bytes()[..], &any_bytes].concat();
            for bytes in [any_bytes, listed] {
                prop_assert!(Extras::read(&bytes).err().is_none_or(|at| at <= bytes.len()));
            }
        }
    }
}
