//! The gate and its books, as the events drive and the digests show them.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::page::{AsOf, Permission};
use model::{
    AccountId, ClientOrderId, HaltLevel, HaltScope, Instrument, InstrumentId, Integrity, Money,
    Note, Order, OrderId, OrderType, Origin, Px, Qty, Reject, Side, Symbol, Tif, TradingState, Ts,
    Verdict,
};
use risk::{
    AccountLimits, Capacity, ChangeRule, Duplicates, Fee, LimitError, LossStops, MarkAt, Market,
    Moment, PairLimits, Reservation, Risk,
};
use sha2::{Digest, Sha256};

use crate::events::{Bits, Event, Limits};

/// Decimals of price and of quantity that make their product whole money units, so that cost is rounded where
/// the events round it.
const DECIMALS: u8 = 6;
const ACCOUNT: AccountId = AccountId(0);
const CURRENCY: [u8; 8] = *b"USD\0\0\0\0\0";
/// Market data of a symbol is stale after this many nanoseconds.
const AGE_MAX_NS: u64 = 1_200_000_000;
/// Ids that one file can use.
const IDS: u32 = 1 << 22;
const ORDERS: u32 = 1 << 12;

/// Why an event cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    #[error("symbol {0} has no mid at the start")]
    Symbol(usize),
    #[error("order {0} is not open")]
    Order(u64),
    #[error("order {0} has no replace on its way")]
    NoReplace(u64),
    #[error("`side` is neither 1 nor -1")]
    Side,
    #[error("the books do not take the report on order {0}")]
    Report(u64),
}

/// What was said to an order: by the events, and by the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub expected: u64,
    /// In the bits of the events.
    pub bits: u64,
    pub verdict: Verdict,
    /// Whether a check failed that has no bit there.
    pub beyond: bool,
}

struct Open {
    order: Order,
    held: Reservation,
    asked: Option<(Px, Qty)>,
}

/// One account over all symbols.
pub struct Books {
    risk: Risk,
    limits: Limits,
    bits: Bits,
    markets: Vec<Market>,
    orders: BTreeMap<u64, Open>,
    highest_id: u64,
    now: Ts,
}

impl Books {
    /// Books under these limits, at these doubled mids.
    pub fn new(limits: Limits, bits: Bits, mids: &[i64]) -> Result<Books, LimitError> {
        let instruments = mids.len() as u32;
        let mut risk = Risk::new(Capacity {
            accounts: 1,
            instruments,
            lines: instruments,
            ids_per_account: IDS,
            orders: ORDERS,
            lots: 0,
            rows: 1,
        });
        risk.add_account(account_limits(&limits))?;
        let mut markets = Vec::new();
        for (number, mid2) in (0..).zip(mids) {
            let instrument = Instrument {
                id: InstrumentId(number),
                px_decimals: DECIMALS,
                qty_decimals: DECIMALS,
                px_step: Px(limits.tick),
                lot: Qty(limits.lot),
                currency: CURRENCY,
                ..Default::default()
            };
            risk.list(&instrument)?;
            risk.set_pair_limits(ACCOUNT, instrument.id, pair_limits(&limits))?;
            let market = market(*mid2, Ts(0));
            risk.mark(instrument.id, &market);
            markets.push(market);
        }
        let (orders, highest_id) = (BTreeMap::new(), 0);
        Ok(Books { risk, limits, bits, markets, orders, highest_id, now: Ts(0) })
    }

    /// Applies one event; what was said if it is an order.
    pub fn apply(&mut self, now: Ts, event: &Event) -> Result<Option<Said>, BadEvent> {
        self.now = now;
        match *event {
            Event::Md { sym, mid2 } => {
                let market = market(mid2, now);
                *self.markets.get_mut(sym).ok_or(BadEvent::Symbol(sym))? = market;
                self.risk.mark(InstrumentId(sym as u32), &market);
            }
            Event::Roll => self.risk.begin_session(),
            Event::Halt { sym, on } => {
                let level = if on == 1 { HaltLevel::CancelOnly } else { HaltLevel::Active };
                self.risk.set_halt(HaltScope::Instrument(InstrumentId(sym as u32)), level);
            }
            Event::New { id, sym, side, q, px, verdict } => {
                return self.new_order(id, sym, side, (px, q), verdict).map(Some);
            }
            Event::Replace { id, new_id, q, px, verdict } => {
                return self.replace(id, new_id, (px, q), verdict).map(Some);
            }
            Event::Fill { id, q, px } => {
                self.report(id, |risk, open| risk.fill(&mut open.held, Px(px), Qty(q)).is_ok())?;
            }
            Event::CxlAck { id } => self.report(id, |risk, open| {
                risk.release(&mut open.held);
                true
            })?,
            Event::ReplaceAck { id } => {
                let open = self.orders.get(&id).ok_or(BadEvent::Order(id))?;
                let (px, qty) = open.asked.ok_or(BadEvent::NoReplace(id))?;
                self.report(id, |risk, open| {
                    open.asked = None;
                    (open.order.px, open.order.qty) = (px, qty);
                    risk.replaced(&mut open.held, px, qty).is_ok()
                })?;
            }
            Event::ReplaceRej { id } => self.report(id, |risk, open| {
                open.asked = None;
                risk.replace_rejected(&mut open.held).is_ok()
            })?,
        }
        Ok(None)
    }

    fn new_order(
        &mut self,
        id: u64,
        sym: usize,
        side: i8,
        (px, qty): (i64, i64),
        expected: u64,
    ) -> Result<Said, BadEvent> {
        let market = *self.markets.get(sym).ok_or(BadEvent::Symbol(sym))?;
        let order = Order {
            id: OrderId(id),
            client_id: client_id(id),
            account: ACCOUNT,
            instrument: InstrumentId(sym as u32),
            side: match side {
                1 => Side::Buy,
                -1 => Side::Sell,
                _ => return Err(BadEvent::Side),
            },
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(px),
            qty: Qty(qty),
            conditions: model::Conditions::NONE,
            origin: Origin::File,
            note: Note::default(),
        };
        self.highest_id = self.highest_id.max(id);
        let verdict = match self.risk.clear(order, &market, self.moment()) {
            Ok((_cleared, held)) => {
                self.orders.insert(id, Open { order, held, asked: None });
                Verdict::pass()
            }
            Err(verdict) => verdict,
        };
        Ok(self.said(expected, verdict))
    }

    fn replace(
        &mut self,
        id: u64,
        new_id: u64,
        (px, qty): (i64, i64),
        expected: u64,
    ) -> Result<Said, BadEvent> {
        let moment = self.moment();
        let open = self.orders.get_mut(&id).ok_or(BadEvent::Order(id))?;
        let sym = open.order.instrument.0 as usize;
        let market = self.markets.get(sym).ok_or(BadEvent::Symbol(sym))?;
        let (px, qty) = (Px(px), Qty(qty));
        let order = Order { client_id: client_id(new_id), px, qty, ..open.order };
        self.highest_id = self.highest_id.max(new_id);
        let verdict = match self.risk.clear_replace(order, &mut open.held, market, moment) {
            Ok(_cleared) => {
                open.asked = Some((px, qty));
                Verdict::pass()
            }
            Err(verdict) => verdict,
        };
        Ok(self.said(expected, verdict))
    }

    /// Applies a report; an order that it ends is forgotten.
    fn report(
        &mut self,
        id: u64,
        apply: impl FnOnce(&mut Risk, &mut Open) -> bool,
    ) -> Result<(), BadEvent> {
        let open = self.orders.get_mut(&id).ok_or(BadEvent::Order(id))?;
        if !apply(&mut self.risk, open) {
            return Err(BadEvent::Report(id));
        }
        if !open.held.is_open() {
            self.orders.remove(&id);
        }
        Ok(())
    }

    fn moment(&self) -> Moment {
        Moment::at(self.now)
    }

    fn said(&self, expected: u64, verdict: Verdict) -> Said {
        let (mut bits, mut beyond) = (0, false);
        for code in verdict.failed() {
            match bit(&self.bits, code) {
                Some(bit) => bits |= 1 << bit,
                None => beyond = true,
            }
        }
        Said { expected, bits, verdict, beyond }
    }

    /// The digest of the books: SHA-256 of what a JSON writer makes of position and cost of each symbol,
    /// realised profit, fees, cash flow, what the session traded, the highest id, and every open order with
    /// its terms, what it filled, and quantity, price and cash that it holds.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(self.describe());
        hash.iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // Writing to a string never fails.
            text
        })
    }

    /// What the digest is of.
    pub fn describe(&self) -> String {
        let (as_of, now) = (AsOf::default(), self.now);
        let mut lines = vec![(0, 0); self.markets.len()];
        for slot in 0..self.risk.lines() as u32 {
            let Some(line) = self.risk.line_page(slot, as_of) else { continue };
            if let Some(place) = lines.get_mut(line.instrument.0 as usize) {
                *place = (i128::from(line.position.0), line.cost.0);
            }
        }
        let [positions, costs] =
            [|line: &(i128, i128)| line.0, |line: &(i128, i128)| line.1].map(|part| {
                let numbers: Vec<_> =
                    lines.iter().map(part).map(|number| number.to_string()).collect();
                format!("[{}]", numbers.join(", "))
            });
        let account = self.risk.account_page(ACCOUNT, as_of, now);
        let sum =
            |of: fn(&model::page::Account) -> Money| account.as_ref().map_or(0, |page| of(page).0);
        let flow = sum(|page| page.cash) - i128::from(self.limits.cash);
        let orders: Vec<String> =
            self.orders.iter().map(|(id, open)| of_order(*id, open)).collect();
        format!(
            "[{positions}, {costs}, {}, {}, {flow}, {}, {}, [{}]]",
            sum(|page| page.realised),
            sum(|page| page.fees),
            sum(|page| page.traded),
            self.highest_id,
            orders.join(", ")
        )
    }
}

fn of_order(id: u64, open: &Open) -> String {
    let (order, held) = (&open.order, &open.held);
    let side = if order.side == Side::Buy { 1 } else { -1 };
    let (px, qty) = held.terms();
    format!(
        "[{id}, {}, {side}, {}, {}, {}, {}, {}, {}]",
        order.instrument.0,
        qty.0,
        px.0,
        held.filled().0,
        held.open().0,
        held.held_px().0,
        held.held_cash().0
    )
}

fn client_id(id: u64) -> ClientOrderId {
    // Sixteen digits hold every id of a file that fits the table of ids.
    ClientOrderId::new(&format!("{:016}", id % 10_000_000_000_000_000)).unwrap_or_default()
}

/// A market with this doubled mid, one price unit wide or two; without bid and ask if it is zero.
fn market(mid2: i64, now: Ts) -> Market {
    let quote = (mid2 > 2).then(|| {
        let bid = (mid2 - 1) / 2;
        let bid = if mid2 % 2 == 0 { bid.min(mid2 / 2 - 1) } else { bid };
        (Px(bid), Px(mid2 - bid))
    });
    Market {
        state: TradingState::Trading,
        integrity: Integrity::Live,
        bid: quote.map(|quote| quote.0),
        ask: quote.map(|quote| quote.1),
        updated: now,
        channel_updated: now,
        ..Market::UNKNOWN
    }
}

fn money(whole: i64) -> Money {
    Money(i128::from(whole))
}

fn account_limits(limits: &Limits) -> AccountLimits {
    AccountLimits {
        name: Symbol::new("verify").unwrap_or_default(),
        permission: Permission::Trade,
        currency: CURRENCY,
        cash: money(limits.cash),
        gross_max: money(limits.gross),
        day_gross_max: Some(money(limits.day_gross)),
        loss_max: Some(money(limits.loss)),
        loss_stops: LossStops::All,
        mark_at: MarkAt::Mid,
        open_orders_max: limits.open,
        rate_max: limits.rate_n,
        rate_window_ns: limits.rate_w,
        duplicates: Some(Duplicates { max: limits.dup_n, window_ns: limits.dup_w }),
        no_self_trade: true,
        change_rule: ChangeRule::Plain,
        ..AccountLimits::BLOCKED
    }
}

fn pair_limits(limits: &Limits) -> PairLimits {
    let fee = Fee::new(limits.fee_bps.saturating_mul(100), Money::ZERO, Money(1), 1);
    PairLimits {
        clip_max: Qty(limits.max_qty),
        notional_max: money(limits.max_ntl),
        band_bps: limits.collar_bps,
        band_px: limits.collar_ticks,
        band_both_sides: true,
        long_max: Qty(limits.pos),
        short_max: Qty(limits.pos),
        age_max_ns: AGE_MAX_NS,
        reference_age_max_ns: u64::MAX,
        symbol_age_alone: true,
        fee: fee.unwrap_or(Fee::NONE),
        ..PairLimits::BLOCKED
    }
}

/// The bit of a check; `None`: the events know no such reason.
fn bit(bits: &Bits, code: Reject) -> Option<u8> {
    Some(match code {
        Reject::PxStep | Reject::Lot => bits.tick_lot,
        Reject::Clip => bits.clip,
        Reject::Notional => bits.notional,
        Reject::Collar => bits.collar,
        Reject::NoReference => bits.no_ref,
        Reject::Position => bits.position,
        Reject::Gross => bits.gross,
        Reject::OpenOrders => bits.open_orders,
        Reject::Rate => bits.rate,
        Reject::DuplicateId => bits.dup_id,
        Reject::DuplicateTerms => bits.dup_econ,
        Reject::DayGross => bits.day_gross,
        Reject::Cash => bits.cash,
        Reject::SelfTrade => bits.self_trade,
        Reject::Halted => bits.halted,
        Reject::Loss => bits.loss,
        Reject::Stale => bits.stale,
        _ => return None,
    })
}
