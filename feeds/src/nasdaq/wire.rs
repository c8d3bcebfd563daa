//! The field types of TotalView-ITCH 5.0 ("Data Types"): big-endian numbers and space-padded text.

use model::{Px, Side};

/// Bytes of the longest message, Net Order Imbalance Indicator.
pub const MESSAGE_MAX: usize = 50;

/// A price with 4 implied decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price4(pub u32);

/// A price with 8 implied decimals: the decline levels of `V` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price8(pub u64);

/// A stock symbol, left-justified, padded with spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stock(pub [u8; 8]);

/// A market participant, left-justified, padded with spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mpid(pub [u8; 4]);

/// What every message begins with, after its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The stock's number of the day; zero in messages about the whole feed.
    pub locate: u16,
    /// Nasdaq's own number of the message.
    pub tracking: u16,
    /// Nanoseconds since midnight; 48 bits on the wire.
    pub time: u64,
}

impl From<Price4> for Px {
    fn from(price: Price4) -> Px {
        Px(price.0.into())
    }
}

impl Stock {
    /// Pads a symbol; `None` if it is longer than the field.
    pub fn new(symbol: &str) -> Option<Stock> {
        let mut field = [b' '; 8];
        field.get_mut(..symbol.len())?.copy_from_slice(symbol.as_bytes());
        Some(Stock(field))
    }
}

/// A type of field: its width, how to read it and how to write it.
pub(super) trait Field: Copy {
    const WIDTH: usize;

    /// Reads the field at `at`; `None` if it holds no legal value, or lies outside the message.
    fn load(message: &[u8], at: usize) -> Option<Self>;

    /// Writes the field at `at`; outside the message nothing is written.
    fn store(self, message: &mut [u8], at: usize);
}

impl<const N: usize> Field for [u8; N] {
    const WIDTH: usize = N;

    fn load(message: &[u8], at: usize) -> Option<Self> {
        message.get(at..)?.first_chunk().copied()
    }

    fn store(self, message: &mut [u8], at: usize) {
        if let Some(field) = message.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *field = self;
        }
    }
}

macro_rules! number {
    ($($type:ty)+) => { $(
        impl Field for $type {
            const WIDTH: usize = size_of::<$type>();

            fn load(message: &[u8], at: usize) -> Option<Self> {
                Field::load(message, at).map(<$type>::from_be_bytes)
            }

            fn store(self, message: &mut [u8], at: usize) {
                self.to_be_bytes().store(message, at);
            }
        }
    )+ };
}
number!(u8 u16 u32 u64);

macro_rules! wrapped {
    ($($type:ident($inner:ty))+) => { $(
        impl Field for $type {
            const WIDTH: usize = <$inner>::WIDTH;

            fn load(message: &[u8], at: usize) -> Option<Self> {
                Field::load(message, at).map($type)
            }

            fn store(self, message: &mut [u8], at: usize) {
                self.0.store(message, at);
            }
        }
    )+ };
}
wrapped!(Price4(u32) Price8(u64) Stock([u8; 8]) Mpid([u8; 4]));

impl Field for Side {
    const WIDTH: usize = 1;

    fn load(message: &[u8], at: usize) -> Option<Self> {
        match message.get(at)? {
            b'B' => Some(Side::Buy),
            b'S' => Some(Side::Sell),
            _ => None,
        }
    }

    fn store(self, message: &mut [u8], at: usize) {
        let code = match self {
            Side::Buy => b'B',
            Side::Sell => b'S',
        };
        code.store(message, at);
    }
}

impl Field for Header {
    const WIDTH: usize = 10;

    fn load(message: &[u8], at: usize) -> Option<Self> {
        let [a, b, c, d, e, f] = Field::load(message, at + 4)?;
        Some(Header {
            locate: Field::load(message, at)?,
            tracking: Field::load(message, at + 2)?,
            time: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
        })
    }

    fn store(self, message: &mut [u8], at: usize) {
        let [_, _, time @ ..] = self.time.to_be_bytes();
        self.locate.store(message, at);
        self.tracking.store(message, at + 2);
        time.store(message, at + 4);
    }
}
