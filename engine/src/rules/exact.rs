//! Decimals through serde as mantissa and scale: of themselves they want a format that says what it holds.
//!
//! A field says `#[serde(with = "exact")]`, alone or within an `Option` or a pair.

use model::Ts;
use rust_decimal::Decimal;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// What can be told in plain numbers.
pub trait Exact: Sized {
    /// The numbers.
    type Plain: Serialize + DeserializeOwned;

    /// As numbers.
    fn plain(&self) -> Self::Plain;

    /// Read back; `None` if they are out of range.
    fn exact(plain: Self::Plain) -> Option<Self>;
}

impl Exact for Decimal {
    type Plain = (i128, u32);

    fn plain(&self) -> (i128, u32) {
        (self.mantissa(), self.scale())
    }

    fn exact((mantissa, scale): (i128, u32)) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(mantissa, scale).ok()
    }
}

macro_rules! plain {
    ($($name:ty),+) => { $(
        impl Exact for $name {
            type Plain = $name;

            fn plain(&self) -> $name {
                *self
            }

            fn exact(plain: $name) -> Option<$name> {
                Some(plain)
            }
        }
    )+ };
}
plain!(u64, Ts);

impl<A: Exact, B: Exact> Exact for (A, B) {
    type Plain = (A::Plain, B::Plain);

    fn plain(&self) -> Self::Plain {
        (self.0.plain(), self.1.plain())
    }

    fn exact((a, b): Self::Plain) -> Option<Self> {
        Some((A::exact(a)?, B::exact(b)?))
    }
}

impl<T: Exact> Exact for Option<T> {
    type Plain = Option<T::Plain>;

    fn plain(&self) -> Self::Plain {
        self.as_ref().map(T::plain)
    }

    fn exact(plain: Self::Plain) -> Option<Self> {
        match plain {
            None => Some(None),
            Some(plain) => T::exact(plain).map(Some),
        }
    }
}

/// For serde.
pub fn serialize<T: Exact, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    value.plain().serialize(to)
}

/// For serde.
pub fn deserialize<'de, T: Exact, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let plain = T::Plain::deserialize(from)?;
    T::exact(plain).ok_or_else(|| D::Error::custom("a decimal out of range"))
}
