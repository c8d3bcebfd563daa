//! Decoding for a shard: what is about orders of other shards' stocks is read no further than its stock and its time.

use model::{Event, Flags, Kind, Ts, VenueNumber};

use super::order::length_of;
use super::{DecodeError, Decoder};
use crate::shard::{Numbers, Shard};

/// A decoder that may be a shard's. What it does not decode it makes a [`Kind::Notice`] of that stock, which no shard passes on
/// ([`crate::ShardFilter`]). Of that, only type and length are held to the specification.
#[derive(Clone, Debug)]
pub(crate) struct ShardDecoder {
    /// What decodes all of it.
    pub plain: Decoder,
    own: Option<Numbers>,
}

impl ShardDecoder {
    /// `None`: everything is wanted.
    pub fn new(plain: Decoder, shard: Option<Shard>) -> ShardDecoder {
        ShardDecoder { plain, own: shard.map(Numbers::new) }
    }

    /// As [`Decoder::decode`], of a message that the filter hears next: it learns from the same stock directory.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]; nothing is kept.
    #[inline]
    pub fn decode(&mut self, message: &[u8], seq: u64, flags: Flags) -> Result<Event, DecodeError> {
        if let Some((number, ts_venue)) = self.of_another(message) {
            let (ts_recv, feed) = (ts_venue, self.plain.feed);
            return Ok(Event {
                ts_venue,
                ts_recv,
                seq,
                number,
                flags,
                feed,
                ..Event::empty(Kind::Notice)
            });
        }
        let event = self.plain.decode(message, seq, flags)?;
        if event.kind == Kind::Directory
            && let Some(own) = &mut self.own
        {
            own.name(&event);
        }
        Ok(event)
    }

    /// Stock and time of a message about an order of another shard's stock; `None`: it is to be decoded.
    #[inline]
    pub fn of_another(&self, message: &[u8]) -> Option<(VenueNumber, Ts)> {
        let own = self.own.as_ref()?;
        let number = stock_of_order(message).filter(|number| !own.has(*number))?;
        Some((number, self.plain.peek_time(message)))
    }
}

/// The stock of a message about an order; `None`: it is about something else, or is none.
fn stock_of_order(message: &[u8]) -> Option<VenueNumber> {
    let (&kind, [high, low, ..]) = message.split_first()? else { return None };
    let number = VenueNumber(u16::from_be_bytes([*high, *low]).into());
    (message.len() == length_of(kind) && number != VenueNumber(0)).then_some(number)
}

#[cfg(test)]
mod tests {
    use model::{FeedId, Symbol};
    use proptest::prelude::*;

    use super::*;
    use crate::ShardFilter;

    const PLAIN: Decoder = Decoder { feed: FeedId(3), midnight: Ts(86_400_000_000_000) };

    fn directory(stock: u16) -> Vec<u8> {
        let mut message = vec![b'R'];
        message.extend(stock.to_be_bytes());
        message.extend([0; 8]);
        message.extend(format!("{:<8}", format!("S{stock}")).bytes());
        message.resize(39, b' ');
        message
    }

    fn message() -> impl Strategy<Value = Vec<u8>> {
        let kinds = proptest::sample::select(&b"ADEUXFCPSRHhWYQBLVKJINO?"[..]);
        let of = |(kind, stock, mut bytes, cut): (u8, u8, Vec<u8>, usize)| {
            let lengths = [
                (b'A', 36),
                (b'D', 19),
                (b'E', 31),
                (b'U', 35),
                (b'X', 23),
                (b'F', 40),
                (b'C', 36),
                (b'P', 44),
            ];
            let length =
                lengths.iter().find(|(of, _)| *of == kind).map_or(20, |(_, length)| *length);
            (bytes[0], bytes[1], bytes[2]) = (kind, 0, stock);
            bytes.truncate(length - cut);
            bytes
        };
        prop_oneof![
            (kinds, 0..8_u8, proptest::collection::vec(any::<u8>(), 44), 0..2_usize).prop_map(of),
            (1..8_u16).prop_map(directory),
            proptest::collection::vec(any::<u8>(), 0..50),
        ]
    }

    proptest! {
        /// Goal: behind the filter, a shard has the same events whether others' orders are decoded or not, but for those that
        /// nobody could decode: such a hole is its owner's. Method: any messages, half of them whole, through both.
        #[test]
        fn as_if_decoded(messages in proptest::collection::vec(message(), 1..60), index in 0..3_u16) {
            let shard = Shard::new(index, 3).unwrap();
            let mut decoder = ShardDecoder::new(PLAIN, Some(shard));
            let filters = || ShardFilter::new(shard, 1_000_000_000);
            let (mut slow, mut fast) = (filters(), filters());
            for (message, seq) in messages.iter().zip(1..) {
                let plain = PLAIN.decode(message, seq, Flags::NONE);
                let found = decoder.decode(message, seq, Flags::NONE);
                match (plain, found) {
                    (Ok(plain), Ok(found)) => {
                        prop_assert_eq!((plain.number, plain.ts_venue), (found.number, found.ts_venue));
                        prop_assert_eq!(slow.pass(plain), fast.pass(found));
                    }
                    (Err(plain), Err(found)) => prop_assert_eq!(plain, found),
                    (Ok(_), Err(error)) => prop_assert!(false, "{error}"),
                    (Err(plain), Ok(found)) => {
                        prop_assert!(matches!(plain, DecodeError::Field { .. }), "{plain}");
                        prop_assert_eq!(found.kind, Kind::Notice);
                        // The twin is told of a message, too, or it would see a hole that this shard does not.
                        prop_assert_eq!(slow.pass(found), fast.pass(found));
                    }
                }
            }
        }
    }

    /// Goal: an order is decoded by its shard alone, and from the directory on. Method: one stock, before and after it is named.
    #[test]
    fn only_its_own() {
        let owner = Shard::of(Symbol::new("S5").unwrap(), 2);
        let mut delete = vec![0; 19];
        (delete[0], delete[2]) = (b'D', 5);
        for index in 0..2 {
            let mut decoder = ShardDecoder::new(PLAIN, Shard::new(index, 2));
            let kind =
                |decoder: &mut ShardDecoder| decoder.decode(&delete, 1, Flags::NONE).unwrap().kind;
            let wanted = |is: bool| if is { Kind::Delete } else { Kind::Notice };
            assert_eq!(kind(&mut decoder), wanted(index == 0), "nobody's is the first shard's");
            assert_eq!(
                decoder.decode(&directory(5), 2, Flags::NONE).unwrap().kind,
                Kind::Directory
            );
            assert_eq!(kind(&mut decoder), wanted(index == owner));
        }
    }
}
