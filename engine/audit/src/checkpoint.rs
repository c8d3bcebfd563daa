//! A signed statement of how far a log had come.

use model::Ts;

use crate::chain::{BODY_BYTES, Hash};
use crate::hex;
use crate::key::{PublicKey, SecretKey};

/// Bytes of a checkpoint.
pub const CHECKPOINT_BYTES: usize = BODY_BYTES;
/// Bytes of it that are signed.
const SIGNED_BYTES: usize = CHECKPOINT_BYTES - 64;
/// What stands before the signed bytes, so that no signature of this key over anything else is one over a checkpoint.
const DOMAIN: &[u8] = b"tickgate audit checkpoint 1\n";
/// What a line of the second file begins with.
const LINE: &str = "tgcp1 ";

/// Why a checkpoint was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Occasion {
    /// A writer opened the log, or a segment begins.
    Open = 1,
    /// Records enough, or time enough, since the last.
    Due = 2,
    /// The log was closed in good order.
    Close = 3,
}

impl Occasion {
    /// The word that tools print.
    pub const fn name(self) -> &'static str {
        match self {
            Occasion::Open => "open",
            Occasion::Due => "due",
            Occasion::Close => "close",
        }
    }
}

/// A signed statement of how far a log had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: drawn when it was begun.
    pub identity: Hash,
    /// Records before it.
    pub count: u64,
    /// Wall clock, nanoseconds since the UNIX epoch.
    pub wall: Ts,
    /// [`PublicKey::id`] of the key that signed.
    pub key_id: u64,
    /// Why.
    pub occasion: Occasion,
    /// The chain's hash before it.
    pub chain: Hash,
    /// Head of the tree over all records before it.
    pub root: Hash,
    /// Ed25519 over everything above.
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// States and signs.
    pub(crate) fn sign(
        key: &SecretKey,
        (identity, count, chain, root): (Hash, u64, Hash, Hash),
        wall: Ts,
        occasion: Occasion,
    ) -> Checkpoint {
        let key_id = key.public().id();
        let signature = [0; 64];
        let mut made =
            Checkpoint { identity, count, wall, key_id, occasion, chain, root, signature };
        made.signature = key.sign(&made.message());
        made
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.key_id == key.id() && key.is_signed(&self.message(), &self.signature)
    }

    fn message(&self) -> Vec<u8> {
        let bytes = self.to_bytes();
        let signed = bytes.first_chunk::<SIGNED_BYTES>().map_or(&[][..], |signed| signed);
        [DOMAIN, signed].concat()
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; CHECKPOINT_BYTES] {
        let mut bytes = [0; CHECKPOINT_BYTES];
        let mut rest = &mut bytes[..];
        let numbers = [self.count, self.wall.0, self.key_id, self.occasion as u64];
        let numbers = numbers.map(u64::to_le_bytes);
        let parts = [&self.identity[..], numbers.as_flattened(), &self.chain, &self.root];
        for part in parts.into_iter().chain([&self.signature[..]]) {
            let Some((place, behind)) = rest.split_at_mut_checked(part.len()) else { break };
            place.copy_from_slice(part);
            rest = behind;
        }
        bytes
    }

    /// Reads bytes; `None` if they hold an unknown occasion. The signature is not looked at.
    pub fn from_bytes(bytes: &[u8; CHECKPOINT_BYTES]) -> Option<Checkpoint> {
        let (identity, rest) = bytes.split_first_chunk()?;
        let (numbers, rest) = rest.split_first_chunk::<32>()?;
        let (chain, rest) = rest.split_first_chunk()?;
        let (root, rest) = rest.split_first_chunk()?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let &[count, wall, key_id, occasion] = numbers else { return None };
        let occasion = match u64::from_le_bytes(occasion) {
            1 => Occasion::Open,
            2 => Occasion::Due,
            3 => Occasion::Close,
            _ => return None,
        };
        Some(Checkpoint {
            identity: *identity,
            count: u64::from_le_bytes(count),
            wall: Ts(u64::from_le_bytes(wall)),
            key_id: u64::from_le_bytes(key_id),
            occasion,
            chain: *chain,
            root: *root,
            signature: *rest.first_chunk()?,
        })
    }

    /// Its line in the second file, without the line's end.
    pub fn to_line(&self) -> String {
        format!("{LINE}{}", hex::encode(&self.to_bytes()))
    }

    /// Reads a line.
    pub fn from_line(line: &str) -> Option<Checkpoint> {
        Checkpoint::from_bytes(&hex::decode(line.strip_prefix(LINE)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a checkpoint survives bytes and line, and every bit of it counts. Method: flip each bit.
    #[test]
    fn every_bit_counts() {
        let key = SecretKey::from_seed(&[1; 32]);
        let made = Checkpoint::sign(&key, ([2; 32], 3, [4; 32], [5; 32]), Ts(6), Occasion::Due);
        assert!(made.is_signed_by(&key.public()));
        assert!(!made.is_signed_by(&SecretKey::from_seed(&[2; 32]).public()));
        assert_eq!(Checkpoint::from_line(&made.to_line()), Some(made));
        let bytes = made.to_bytes();
        for bit in 0..CHECKPOINT_BYTES * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = Checkpoint::from_bytes(&bytes);
            assert!(read.is_none_or(|read| !read.is_signed_by(&key.public())), "bit {bit}");
        }
    }
}
