//! The only source of chance.

/// Marsaglia's xorshift generator, its output multiplied (xorshift64*).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A sequence of its own for each seed, zero included.
    pub fn new(seed: u64) -> Rng {
        let mut rng = Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        if rng.0 == 0 {
            rng.0 = 1;
        }
        // Seeds that differ in one bit begin alike.
        (0..8).for_each(|_| _ = rng.bits());
        rng
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to `bound` - 1; zero for a bound of zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True `part` times of a thousand.
    pub fn per_mille(&mut self, part: u16) -> bool {
        part > 0 && self.below(1_000) < u64::from(part)
    }

    /// True `part` times of a million.
    pub fn per_million(&mut self, part: u32) -> bool {
        part > 0 && self.below(1_000_000) < u64::from(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: draws are fair, and seeds differ. Method: counts of ten buckets; the first draws of
    /// many seeds.
    #[test]
    fn draws() {
        let mut rng = Rng::new(0);
        let mut seen = [0_u32; 10];
        (0..100_000).for_each(|_| seen[rng.below(10) as usize] += 1);
        assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");
        assert_eq!(rng.below(0), 0);
        let mut first: Vec<u64> = (0..1_000).map(|seed| Rng::new(seed).bits()).collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 1_000);
    }
}
