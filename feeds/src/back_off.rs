//! How long to wait before another attempt: longer after each failure, and never as long as everybody else.

/// Pauses with jitter from a seeded generator: splitmix64 (Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct BackOff(u64);

impl BackOff {
    pub const fn new(seed: u64) -> BackOff {
        BackOff(seed)
    }

    /// The pause after so many failures in a row: `first_ns` doubled with each, at most `max_ns`, shortened at random by up to
    /// a half.
    pub fn pause(&mut self, first_ns: u64, max_ns: u64, failures: u32) -> u64 {
        let doubled = first_ns.saturating_mul(1 << failures.min(20));
        let half = doubled.min(max_ns).max(2) / 2;
        half + self.random() % half
    }

    fn random(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: pauses grow, within their bounds, whatever is asked for. Method: failures in a row, and extremes.
    #[test]
    fn bounds() {
        let mut back_off = BackOff::new(7);
        for failures in 0..40 {
            let full = (100_u64 << failures.min(20)).min(1_000_000);
            assert!((full / 2..full).contains(&back_off.pause(100, 1_000_000, failures)));
        }
        assert!(back_off.pause(u64::MAX, u64::MAX, u32::MAX) >= u64::MAX / 2);
        assert_eq!(back_off.pause(0, 0, 0), 1);
    }
}
