//! Bytes as hexadecimal digits, for keys, checkpoints and proofs.

/// Two lower-case digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads exactly `N` bytes; `None` if there are more, fewer, or anything but digits.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is written reads back, and nothing else is read. Method: edges of length and digits.
    #[test]
    fn reads_back() {
        assert_eq!(encode(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!(decode("009fFF"), Some([0, 0x9f, 0xff]));
        for bad in
            ["009ff", "009fff0", "009fff00", "009fgf", "+0+0+0", "00 9ff", "\u{e9}\u{e9}\u{e9}"]
        {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
    }
}
