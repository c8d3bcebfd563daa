//! The name that an order of ours and each change of it carry at the venue, which says it back: so a gateway that was
//! started anew knows whose everything is, without a table that had to be kept.

use model::OrderId;

/// Characters of a name (ClOrdID).
const CLIENT_ID: usize = 14;
/// Of them, those that hold the order: 62^11 > 2^64. The other three hold the change: 62^3 > 2^16.
const ORDER: usize = 11;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Our name of an order, or of a change of it: 14 letters and digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name(pub [u8; CLIENT_ID]);

impl Name {
    /// The name of change `change` of `order`; zero is the order itself.
    pub fn of(order: OrderId, change: u16) -> Name {
        let mut name = [b'0'; CLIENT_ID];
        let (first, second) = name.split_at_mut(ORDER);
        put(order.0, first);
        put(change.into(), second);
        Name(name)
    }

    /// What it names; `None`: it is not ours.
    pub fn read(&self) -> Option<(OrderId, u16)> {
        let (first, second) = self.0.split_at(ORDER);
        Some((OrderId(get(first)?), u16::try_from(get(second)?).ok()?))
    }
}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

fn put(mut number: u64, field: &mut [u8]) {
    for place in field.iter_mut().rev() {
        *place = DIGITS.get((number % 62) as usize).copied().unwrap_or(b'0');
        number /= 62;
    }
}

fn get(field: &[u8]) -> Option<u64> {
    field.iter().try_fold(0_u64, |number, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Goal: a name says again what it was made of. Method: any order and change, the extremes among them.
        #[test]
        fn reads_back(order in prop_oneof![any::<u64>(), Just(u64::MAX)], change in any::<u16>()) {
            let name = Name::of(OrderId(order), change);
            prop_assert_eq!(name.read(), Some((OrderId(order), change)));
            prop_assert!(name.0.iter().all(u8::is_ascii_alphanumeric));
        }

        /// Goal: a name that is not ours is none, or reads as what makes it again. Method: any bytes.
        #[test]
        fn foreign_names(bytes in any::<[u8; 14]>()) {
            if let Some((order, change)) = Name(bytes).read() {
                prop_assert_eq!(Name::of(order, change), Name(bytes));
            }
        }
    }
}
