//! What a client must know before it believes a word: who wrote this memory, when, and in which
//! shape.

use crate::layout::{ABI, Capacity, LAYOUT_HASH};

const MAGIC: u64 = u64::from_le_bytes(*b"tickgate");

/// A version of the shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// [`ABI`] of its build.
    pub abi: u32,
    /// [`LAYOUT_HASH`] of its build.
    pub layout: u64,
}

impl Version {
    /// The version of this build.
    pub const OURS: Version = Version { abi: ABI, layout: LAYOUT_HASH };
}

impl core::fmt::Display for Version {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}-{:016x}", self.abi, self.layout)
    }
}

/// The first words of the engine's memory, and of the greeting on the attach socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// New for each start of the engine.
    pub(crate) epoch: u64,
    /// The engine's process.
    pub(crate) pid: u32,
    /// Wall clock when the memory was made, nanoseconds.
    pub(crate) started_ns: u64,
    /// How much of everything.
    pub(crate) capacity: Capacity,
}

/// Why words are no header of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Not written by an engine.
    Magic,
    /// Written by an engine of another build.
    Version(Version),
    /// A capacity that no engine has.
    Capacity,
}

impl Header {
    /// Words of a header. Magic and version keep their places for ever, so that any two builds can
    /// tell each other apart.
    pub(crate) const WORDS: usize = 16;

    pub(crate) fn to_words(self) -> [u64; Self::WORDS] {
        let Version { abi, layout } = Version::OURS;
        let [a, b, c, d, e, f, g, h] = self.capacity.to_words();
        let (pid, started) = (self.pid.into(), self.started_ns);
        [MAGIC, abi.into(), layout, self.epoch, pid, started, a, b, c, d, e, f, g, h, 0, 0]
    }

    pub(crate) fn from_words(words: &[u64; Self::WORDS]) -> Result<Header, BadHeader> {
        let [magic, abi, layout, epoch, pid, started_ns, capacity @ .., _, _] = *words;
        if magic != MAGIC {
            return Err(BadHeader::Magic);
        }
        let version = Version { abi: abi as u32, layout };
        if version != Version::OURS {
            return Err(BadHeader::Version(version));
        }
        let capacity = Capacity::from_words(capacity).ok_or(BadHeader::Capacity)?;
        Ok(Header { epoch, pid: pid as u32, started_ns, capacity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the header survives its words; another magic, version or capacity is told apart.
    /// Method: spoil one word each.
    #[test]
    fn words_read_back() {
        let header = Header { epoch: 1, pid: 2, started_ns: 3, capacity: Capacity::default() };
        let good = header.to_words();
        assert_eq!(Header::from_words(&good), Ok(header));
        let spoiled = |word: usize, value: u64| {
            let mut words = good;
            words[word] = value;
            Header::from_words(&words)
        };
        assert_eq!(spoiled(0, 0), Err(BadHeader::Magic));
        let other = Version { abi: ABI + 1, ..Version::OURS };
        assert_eq!(spoiled(1, other.abi.into()), Err(BadHeader::Version(other)));
        let other = Version { layout: 7, ..Version::OURS };
        assert_eq!(spoiled(2, 7), Err(BadHeader::Version(other)));
        assert_eq!(spoiled(6, 0), Err(BadHeader::Capacity));
        assert_eq!(spoiled(6, 1 << 32 | 5), Err(BadHeader::Capacity), "not cut to 32 bits");
    }
}
