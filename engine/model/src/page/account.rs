//! Money and positions.

use super::{AsOf, Rooms};
use crate::instrument::Currency;
use crate::num::{Money, Px, Qty};
use crate::state::{HaltCause, HaltLevel, codes};
use crate::words::{BadWord, WordReader, WordWriter};
use crate::{AccountId, InstrumentId, Symbol};

codes!(
    /// What an account may do.
    Permission {
        /// Look only.
        Read = 1 => "read",
        /// Look and trade.
        Trade = 2 => "trade",
        /// Look, and trade what reduces a position.
        CloseOnly = 3 => "close_only",
    }
);

codes!(
    /// Why the profit of a line is not known first in, first out. It is again once the position is flat.
    NoFifo {
        /// The position is made of more lots than there was room for.
        LotsFull = 1 => "lots_full",
        /// A fill of it was broken: which lot it was is not recorded.
        Bust = 2 => "bust",
        /// A split left a lot that is no whole number of units.
        Split = 3 => "split",
        /// A sum does not fit its type.
        Overflow = 4 => "overflow",
        /// It was there before the first order of the pair.
        Unrecorded = 5 => "unrecorded",
    }
);

/// One account. All money in `currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// When.
    pub as_of: AsOf,
    /// Our number.
    pub id: AccountId,
    /// Its name in the configuration.
    pub name: Symbol,
    /// What it may do.
    pub permission: Permission,
    /// The highest halt that applies to it, be it of itself, of an account above or of everything.
    pub halt: HaltLevel,
    /// Why; `None`: nothing halts it.
    pub halt_cause: Option<HaltCause>,
    /// Whether clients over shared memory may trade on it.
    pub clients: bool,
    /// Whether a client's working orders are cancelled when its connection ends.
    pub cancel_on_disconnect: bool,
    /// Currency of every sum here.
    pub currency: Currency,
    /// Settled cash: start + sales − purchases − fees.
    pub cash: Money,
    /// Cash that working buys would use if all filled at their limits.
    pub reserved: Money,
    /// Realised profit since the start, before fees (average cost).
    pub realised: Money,
    /// Unrealised profit, at the price that the account counts losses at.
    pub unrealised: Money,
    /// Fees since the start, rebates taken off.
    pub fees: Money,
    /// Profit since the session began: realised and unrealised, fees taken off.
    pub session_profit: Money,
    /// Price · quantity of what traded in this session.
    pub traded: Money,
    /// Worst-case gross exposure: Σ max(pos + working buys, working sells − pos) · mark.
    pub gross: Money,
    /// What positions and working orders take of the equity.
    pub margin: Money,
    /// Limit of `gross`.
    pub gross_max: Money,
    /// Orders working now.
    pub open_orders: u32,
    /// Limit of `open_orders`.
    pub open_orders_max: u32,
    /// Risk-carrying requests within the current window, refused ones included.
    pub rate_used: u32,
    /// Limit of `rate_used`.
    pub rate_max: u32,
    /// Length of the window, nanoseconds.
    pub rate_window_ns: u64,
    /// Orders that passed the gate.
    pub orders_passed: u64,
    /// Orders that the gate refused.
    pub orders_refused: u64,
}

impl Account {
    /// Words of a page.
    pub const WORDS: usize = 32;

    /// The page as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        self.as_of.write(&mut to);
        self.name.to_words().into_iter().for_each(|word| to.u64(word));
        let [low, high] = self.id.0.to_le_bytes();
        let (permission, halt) = (self.permission.code(), self.halt.code());
        let cause = self.halt_cause.map_or(0, HaltCause::code);
        let (clients, cancels) = (self.clients.into(), self.cancel_on_disconnect.into());
        to.bytes([low, high, permission, halt, cause, clients, cancels, 0]);
        to.bytes(self.currency);
        for sum in [self.cash, self.reserved, self.realised, self.gross, self.gross_max] {
            to.i128(sum.0);
        }
        to.pair(self.open_orders, self.open_orders_max);
        to.pair(self.rate_used, self.rate_max);
        to.u64(self.rate_window_ns);
        to.u64(self.orders_passed);
        to.u64(self.orders_refused);
        for sum in [self.unrealised, self.fees, self.session_profit, self.traded, self.margin] {
            to.i128(sum.0);
        }
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value; a page never written is one.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Account, BadWord> {
        let mut from = WordReader::new(words);
        let as_of = AsOf::read(&mut from);
        let name = Symbol::from_words([from.u64(), from.u64()]);
        let name = from.legal(name)?;
        let [low, high, permission, halt, cause, clients, cancels, _] = from.bytes();
        let permission = from.legal(Permission::from_code(permission))?;
        let halt = from.legal(HaltLevel::from_code(halt))?;
        let halt_cause = from.legal(HaltCause::from_optional(cause))?;
        let currency = from.bytes();
        let [cash, reserved, realised, gross, gross_max] =
            core::array::from_fn(|_| Money(from.i128()));
        let (open_orders, open_orders_max) = from.pair();
        let (rate_used, rate_max) = from.pair();
        let [rate_window_ns, orders_passed, orders_refused] = core::array::from_fn(|_| from.u64());
        let [unrealised, fees, session_profit, traded, margin] =
            core::array::from_fn(|_| Money(from.i128()));
        Ok(Account {
            as_of,
            id: AccountId(u16::from_le_bytes([low, high])),
            name,
            permission,
            halt,
            halt_cause,
            clients: clients == 1,
            cancel_on_disconnect: cancels == 1,
            currency,
            cash,
            reserved,
            realised,
            unrealised,
            fees,
            session_profit,
            traded,
            gross,
            margin,
            gross_max,
            open_orders,
            open_orders_max,
            rate_used,
            rate_max,
            rate_window_ns,
            orders_passed,
            orders_refused,
        })
    }
}

/// One account in one instrument: position, working quantity, limits. The limits are the effective ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub as_of: AsOf,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub instrument: InstrumentId,
    /// Net position; negative is short.
    pub position: Qty,
    /// Open quantity of working buys.
    pub working_buy: Qty,
    /// Open quantity of working sells.
    pub working_sell: Qty,
    /// Cost of the position: Σ signed price · quantity of what is still held, average cost.
    pub cost: Money,
    /// Realised profit since the start, at average cost, before fees.
    pub realised: Money,
    /// The same first in, first out; why not if it is not known.
    pub realised_fifo: Result<Money, NoFifo>,
    /// Price that marks the position; `None`: no fresh reference.
    pub mark: Option<Px>,
    /// Largest quantity of one order.
    pub clip_max: Qty,
    /// Largest notional of one order.
    pub notional_max: Money,
    /// Largest worst-case long position.
    pub long_max: Qty,
    /// Largest worst-case short position, as a positive number.
    pub short_max: Qty,
    /// How far an order may be priced through the reference, in basis points.
    pub band_bps: u32,
    /// What would pass now, worked out when the engine is idle and so with a sequence of its own; `None`: never so far.
    pub headroom: Option<Rooms>,
}

impl Line {
    /// Words of a page.
    pub const WORDS: usize = 28;

    /// The page as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        self.as_of.write(&mut to);
        to.pair(self.account.0.into(), self.instrument.0);
        for qty in [self.position, self.working_buy, self.working_sell] {
            to.i64(qty.0);
        }
        to.i128(self.cost.0);
        to.i128(self.realised.0);
        to.u64(self.mark.is_some().into());
        to.i64(self.mark.unwrap_or_default().0);
        to.i128(self.notional_max.0);
        for qty in [self.clip_max, self.long_max, self.short_max] {
            to.i64(qty.0);
        }
        to.u64(self.band_bps.into());
        to.u64(self.realised_fifo.map_or_else(|gap| gap.code().into(), |_| 0));
        to.i128(self.realised_fifo.unwrap_or_default().0);
        Rooms::write(self.headroom, &mut to);
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Line, BadWord> {
        let mut from = WordReader::new(words);
        let as_of = AsOf::read(&mut from);
        let (account, instrument) = from.pair();
        let account = from.legal(u16::try_from(account).ok())?;
        let [position, working_buy, working_sell] = core::array::from_fn(|_| Qty(from.i64()));
        let [cost, realised] = core::array::from_fn(|_| Money(from.i128()));
        let marked = from.u64() == 1;
        let mark = Px(from.i64());
        let notional_max = Money(from.i128());
        let [clip_max, long_max, short_max] = core::array::from_fn(|_| Qty(from.i64()));
        let band_bps = from.u64();
        let band_bps = from.legal(u32::try_from(band_bps).ok())?;
        let gap = from.u64();
        let gap = from.legal(u8::try_from(gap).ok())?;
        let gap = if gap == 0 { None } else { Some(from.legal(NoFifo::from_code(gap))?) };
        let realised_fifo = Money(from.i128());
        let headroom = Rooms::read(&mut from)?;
        Ok(Line {
            as_of,
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            position,
            working_buy,
            working_sell,
            cost,
            realised,
            realised_fifo: gap.map_or(Ok(realised_fifo), Err),
            mark: marked.then_some(mark),
            clip_max,
            notional_max,
            long_max,
            short_max,
            band_bps,
            headroom,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::Ts;
    use crate::page::Room;
    use crate::verdict::{Headroom, Reject};

    const AS_OF: AsOf = AsOf { engine_seq: 1, ts_venue: Ts(2), ts_recv: Ts(3) };

    /// Goal: both pages survive their words. Method: odd values in every field.
    #[test]
    fn words_read_back() {
        let account = Account {
            as_of: AS_OF,
            id: AccountId(4),
            name: Symbol::new("agent").unwrap(),
            permission: Permission::Trade,
            halt: HaltLevel::CancelOnly,
            halt_cause: Some(HaltCause::Loss),
            clients: true,
            cancel_on_disconnect: false,
            currency: *b"USD\0\0\0\0\0",
            cash: Money(-5),
            reserved: Money(i128::MAX),
            realised: Money(i128::MIN),
            unrealised: Money(-15),
            fees: Money(16),
            session_profit: Money(i128::MAX - 17),
            traded: Money(18),
            gross: Money(6),
            margin: Money(-19),
            gross_max: Money(7),
            open_orders: 8,
            open_orders_max: 9,
            rate_used: 10,
            rate_max: 11,
            rate_window_ns: 12,
            orders_passed: 13,
            orders_refused: 14,
        };
        assert_eq!(Account::from_words(&account.to_words()), Ok(account));
        assert!(Account::from_words(&[0; Account::WORDS]).is_err());
        let line = Line {
            as_of: AS_OF,
            account: AccountId(4),
            instrument: InstrumentId(5),
            position: Qty(-6),
            working_buy: Qty(7),
            working_sell: Qty(8),
            cost: Money(-9),
            realised: Money(10),
            realised_fifo: Ok(Money(-17)),
            mark: Some(Px(-11)),
            clip_max: Qty(12),
            notional_max: Money(13),
            long_max: Qty(14),
            short_max: Qty(15),
            band_bps: 16,
            headroom: None,
        };
        assert_eq!(Line::from_words(&line.to_words()), Ok(line));
        let unknown = Line { realised_fifo: Err(NoFifo::Split), ..line };
        assert_eq!(Line::from_words(&unknown.to_words()), Ok(unknown));
        let most = Headroom { qty: Qty(i64::MAX - 18), binds: Reject::Clip };
        let (room, without) = (Ok(Room { px: Px(-19), most }), Err(Reject::BookNotLive));
        for sides in [[room, without], [without, room]] {
            let line = Line { headroom: Some(Rooms { engine_seq: u64::MAX - 20, sides }), ..line };
            assert_eq!(Line::from_words(&line.to_words()), Ok(line));
            assert_ne!(line.to_words()[Line::WORDS - 4..], [0; 4], "the last words are used");
        }
    }
}
