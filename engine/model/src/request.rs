//! What a client or a strategy asks for.

use crate::id::{AccountId, ClientOrderId, DeskId, InstrumentId, Note, OrderId};
use crate::num::{Money, Px, Qty};
use crate::order::{Conditions, Order, OrderType, Origin, Side, Tif};
use crate::state::HaltLevel;
use crate::words::{BadWord, WordReader, WordWriter};

/// The terms of a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Terms {
    /// The client's own name of the order.
    pub client_id: ClientOrderId,
    /// What to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How it is priced.
    pub order_type: OrderType,
    /// How long it lives.
    pub tif: Tif,
    /// Limit price, in price units; without meaning where the type has none.
    pub px: Px,
    /// Quantity, in quantity units.
    pub qty: Qty,
    /// What else is asked of it.
    pub conditions: Conditions,
}

/// A basket that is to come: its legs are ordinary new orders that name it ([`crate::Link::Basket`]), and all of them go to
/// their venues, or none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Announced {
    /// The asker's own number of it, free again when the basket is over.
    pub number: u64,
    /// How many legs it has.
    pub legs: u8,
    /// What the asker believes that all legs together are worth, price · quantity of buys and sells alike, in the account's
    /// currency: they may not come to more.
    pub money: Money,
}

impl Announced {
    /// Most legs of a basket: they leave in one step, which may not be longer than that which triggers stops.
    pub const LEGS_MAX: u8 = 32;
}

/// What a halt stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum HaltScope {
    /// Everything.
    All,
    /// One account.
    Account(AccountId),
    /// One instrument.
    Instrument(InstrumentId),
    /// What one strategy of the engine asks for, by its place in the list.
    Strategy(u8),
    /// What clients ask for over one desk.
    Desk(DeskId),
}

impl HaltScope {
    /// Kind and number.
    pub const fn to_parts(self) -> (u8, u32) {
        match self {
            HaltScope::All => (1, 0),
            HaltScope::Account(account) => (2, account.0 as u32),
            HaltScope::Instrument(instrument) => (3, instrument.0),
            HaltScope::Strategy(place) => (4, place as u32),
            HaltScope::Desk(desk) => (5, desk.0 as u32),
        }
    }

    /// Reads kind and number back; `None` if the kind is none or the number out of its range.
    pub fn from_parts(kind: u8, number: u32) -> Option<HaltScope> {
        match kind {
            1 => (number == 0).then_some(HaltScope::All),
            2 => u16::try_from(number).ok().map(|number| HaltScope::Account(AccountId(number))),
            3 => Some(HaltScope::Instrument(InstrumentId(number))),
            4 => u8::try_from(number).ok().map(HaltScope::Strategy),
            5 => u8::try_from(number).ok().map(|number| HaltScope::Desk(DeskId(number))),
            _ => None,
        }
    }

    /// Whether an order is meant.
    pub fn covers(self, order: &Order) -> bool {
        match self {
            HaltScope::All => true,
            HaltScope::Account(account) => order.account == account,
            HaltScope::Instrument(instrument) => order.instrument == instrument,
            HaltScope::Strategy(place) => order.origin == Origin::Strategy(place),
            HaltScope::Desk(desk) => order.origin == Origin::Desk(desk),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A new order.
    New(Terms),
    /// Cancel a working order. Always possible.
    Cancel {
        /// Which.
        order: OrderId,
    },
    /// Change price and total quantity of a working order.
    Replace {
        /// Which.
        order: OrderId,
        /// The client's name of this change, as unique as that of an order.
        client_id: ClientOrderId,
        /// New limit price, in price units.
        px: Px,
        /// New total quantity, filled part included, in quantity units.
        qty: Qty,
    },
    /// Stop trading. A request can only raise the level.
    Halt {
        /// What to stop.
        scope: HaltScope,
        /// How hard.
        level: HaltLevel,
    },
    /// What would the gate say to these terms now? Answered, never sequenced, consumes nothing.
    Check(Terms),
    /// Legs of a basket follow.
    Basket(Announced),
    /// The asker lives. Neither answered nor sequenced: it keeps a dead-man timer from going off, as any request does.
    Beat,
}

/// One request. From a desk it is hostile until [`Request::from_words`] took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The asker's number of the request, echoed in the answer.
    pub id: u64,
    /// Who asks. The engine sets it from the ring that the request came by, never from its bytes.
    pub origin: Origin,
    /// On whose account; ignored by a halt.
    pub account: AccountId,
    /// What is asked.
    pub ask: Ask,
    /// Why, in the asker's words; kept, never interpreted.
    pub note: Note,
}

impl Request {
    /// Words of a request.
    pub const WORDS: usize = 16;

    /// The request as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        let [origin_kind, origin_number] = self.origin.to_bytes();
        let head = |code: u8, side: u8, order_type: u8, tif: u8| {
            let [low, high] = self.account.0.to_le_bytes();
            [code, side, order_type, tif, low, high, origin_kind, origin_number]
        };
        to.u64(self.id);
        match self.ask {
            Ask::New(terms) | Ask::Check(terms) => {
                let code = if matches!(self.ask, Ask::New(_)) { 1 } else { 5 };
                to.bytes(head(code, terms.side.code(), terms.order_type.code(), terms.tif.code()));
                write_client_id(&mut to, terms.client_id);
                to.u64(terms.instrument.0.into());
                to.i64(terms.px.0);
                to.i64(terms.qty.0);
                terms.conditions.write(&mut to);
            }
            Ask::Cancel { order } => {
                to.bytes(head(2, 0, 0, 0));
                to.u64(order.0);
            }
            Ask::Replace { order, client_id, px, qty } => {
                to.bytes(head(3, 0, 0, 0));
                write_client_id(&mut to, client_id);
                to.u64(order.0);
                to.i64(px.0);
                to.i64(qty.0);
            }
            Ask::Halt { scope, level } => {
                let (kind, number) = scope.to_parts();
                to.bytes(head(4, kind, level.code(), 0));
                to.u64(number.into());
            }
            Ask::Beat => to.bytes(head(6, 0, 0, 0)),
            Ask::Basket(Announced { number, legs, money }) => {
                to.bytes(head(7, legs, 0, 0));
                to.u64(number);
                to.i128(money.0);
            }
        }
        if let Some(note) = words.last_chunk_mut() {
            *note = self.note.to_words();
        }
        words
    }

    /// Reads words back, checking every field. Prices and quantities are taken as they are: judging them is the gate's.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Request, BadWord> {
        let mut from = WordReader::new(words);
        let id = from.u64();
        let [code, a, b, c, low, high, origin_kind, origin_number] = from.bytes();
        let origin = from.legal(Origin::from_bytes([origin_kind, origin_number]))?;
        let ask = match code {
            1 | 5 => {
                let side = from.legal(Side::from_code(a))?;
                let order_type = from.legal(OrderType::from_code(b))?;
                let tif = from.legal(Tif::from_code(c))?;
                let client_id = read_client_id(&mut from)?;
                let instrument = read_u32(&mut from).map(InstrumentId)?;
                let (px, qty) = (Px(from.i64()), Qty(from.i64()));
                let conditions = Conditions::read(&mut from)?;
                let terms =
                    Terms { client_id, instrument, side, order_type, tif, px, qty, conditions };
                if code == 1 { Ask::New(terms) } else { Ask::Check(terms) }
            }
            2 => Ask::Cancel { order: OrderId(from.u64()) },
            3 => Ask::Replace {
                client_id: read_client_id(&mut from)?,
                order: OrderId(from.u64()),
                px: Px(from.i64()),
                qty: Qty(from.i64()),
            },
            4 => {
                let level = from.legal(HaltLevel::from_code(b))?;
                let number = read_u32(&mut from)?;
                let scope = from.legal(HaltScope::from_parts(a, number))?;
                Ask::Halt { scope, level }
            }
            6 => Ask::Beat,
            7 => Ask::Basket(Announced { number: from.u64(), legs: a, money: Money(from.i128()) }),
            _ => return Err(BadWord(1)),
        };
        let note = words.last_chunk().copied().and_then(Note::from_words).ok_or(BadWord(12))?;
        Ok(Request { id, origin, account: AccountId(u16::from_le_bytes([low, high])), ask, note })
    }
}

fn write_client_id(to: &mut WordWriter<'_>, id: ClientOrderId) {
    let [first, second] = id.to_words();
    to.u64(first);
    to.u64(second);
}

fn read_client_id(from: &mut WordReader<'_>) -> Result<ClientOrderId, BadWord> {
    let words = [from.u64(), from.u64()];
    let id = ClientOrderId::from_words(words).filter(|id| *id != ClientOrderId::default());
    from.legal(id)
}

fn read_u32(from: &mut WordReader<'_>) -> Result<u32, BadWord> {
    let word = from.u64();
    from.legal(u32::try_from(word).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::Ts;
    use crate::order::Link;

    fn terms() -> Terms {
        Terms {
            client_id: ClientOrderId::new("x-1").unwrap(),
            instrument: InstrumentId(7),
            side: Side::Sell,
            order_type: OrderType::Limit,
            tif: Tif::Ioc,
            px: Px(-1),
            qty: Qty(i64::MAX),
            conditions: Conditions {
                stop_px: Px(-3),
                display: Qty(i64::MIN),
                expires: Ts(u64::MAX),
                link: Some(Link::Parent(OrderId(u64::MAX))),
                post_only: true,
                reduce_only: false,
                parent_only: true,
            },
        }
    }

    fn request(ask: Ask) -> Request {
        let origin = Origin::Desk(DeskId(3));
        Request {
            id: 9,
            origin,
            account: AccountId(258),
            ask,
            note: Note::lossy("thirty-two characters of a note!"),
        }
    }

    /// Goal: each kind of request survives its words. Method: one of each, with every field at an odd value.
    #[test]
    fn words_read_back() {
        let order = OrderId::new(5, 6);
        let client_id = ClientOrderId::new("0123456789abcdef").unwrap();
        for ask in [
            Ask::New(terms()),
            Ask::Check(terms()),
            Ask::Beat,
            Ask::Basket(Announced { number: u64::MAX, legs: 255, money: Money(i128::MIN) }),
            Ask::New(Terms {
                conditions: Conditions { link: Some(Link::Basket(u64::MAX)), ..Conditions::NONE },
                ..terms()
            }),
            Ask::New(Terms { conditions: Conditions::NONE, ..terms() }),
            Ask::New(Terms {
                conditions: Conditions {
                    link: Some(Link::OneCancels(order)),
                    reduce_only: true,
                    ..Conditions::NONE
                },
                ..terms()
            }),
            Ask::Cancel { order },
            Ask::Replace { order, client_id, px: Px(1), qty: Qty(2) },
            Ask::Halt { scope: HaltScope::All, level: HaltLevel::Halted },
            Ask::Halt { scope: HaltScope::Account(AccountId(2)), level: HaltLevel::CancelOnly },
            Ask::Halt {
                scope: HaltScope::Instrument(InstrumentId(2)),
                level: HaltLevel::ReduceOnly,
            },
            Ask::Halt { scope: HaltScope::Strategy(255), level: HaltLevel::Halted },
            Ask::Halt { scope: HaltScope::Desk(DeskId(15)), level: HaltLevel::Halted },
        ] {
            let request = request(ask);
            assert_eq!(Request::from_words(&request.to_words()), Ok(request));
        }
    }

    /// Goal: no illegal code passes, and the word is named. Method: spoil one field at a time.
    #[test]
    fn bad_words_are_named() {
        let good = request(Ask::New(terms())).to_words();
        for (byte, word) in [(0, 1), (1, 1), (2, 1), (3, 1), (6, 1)] {
            let mut bad = good;
            bad[1] |= 0xFF << (8 * byte);
            assert_eq!(Request::from_words(&bad), Err(BadWord(word)), "byte {byte}");
        }
        for (word, value) in [(3, 1), (4, 1 << 32), (11, 8), (11, 4 << 8), (11, 1 << 16), (12, 1)] {
            let mut bad = good;
            bad[word] = value;
            assert_eq!(Request::from_words(&bad), Err(BadWord(word as u8)), "word {word}");
        }
        let mut nameless = good;
        nameless[2] = 0;
        nameless[3] = 0;
        assert_eq!(Request::from_words(&nameless), Err(BadWord(3)), "an order needs a client id");
    }
}
