//! The digest of books, as the generator of the day defines it.

use model::{Px, Qty, Side};

use crate::SYMBOLS;

/// FNV-1a over the touch of every symbol in the order of its venue number: best bid and its shares, best ask and its
/// shares, each as 8 bytes little-endian, zeros where a side is empty. The same as [`synth::Day::digest`].
pub fn digest(best: impl Fn(u16, Side) -> Option<(Px, Qty)>) -> u64 {
    digest_over(SYMBOLS, best)
}

/// The same of a day of so many symbols.
pub fn digest_over(symbols: u16, best: impl Fn(u16, Side) -> Option<(Px, Qty)>) -> u64 {
    let mut digest = 0xCBF2_9CE4_8422_2325_u64;
    for number in 1..=symbols {
        for side in [Side::Buy, Side::Sell] {
            let (px, qty) = best(number, side).unwrap_or_default();
            for byte in [px.0, qty.0].into_iter().flat_map(i64::to_le_bytes) {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        }
    }
    digest
}

/// Prints the digest that a row ended with. A wrong one ends the bench: its figures mean nothing.
pub fn check_digest(row: &str, found: u64, right: u64) {
    if found == right {
        println!("digest {row} {found:016x} ok");
    } else {
        println!("digest {row} {found:016x} WRONG, must be {right:016x}");
        std::process::exit(1);
    }
}
