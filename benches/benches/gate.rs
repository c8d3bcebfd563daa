//! Stage `gate`: every check on a new order that passes, and its reservation: against an empty loop over the same orders, and
//! against the same gate with every limit off that can be off. The instrument changes from order to order over 1, 100 and
//! 10,000 of them, the account over 1 and 100, each beneath a firm.

use std::hint::black_box;

use benches::{Round, compare, compare_few, criterion, on_cpu};
use criterion::Criterion;
use model::page::Permission;
use model::{
    AccountId, ClientOrderId, DeskId, Instrument, InstrumentId, Integrity, Money, Note, Order,
    OrderId, OrderType, Origin, Px, Qty, Side, Symbol, Tif, TradingState, Ts,
};
use risk::{
    AccountLimits, Capacity, Duplicates, Fee, LastTrade, Market, Moment, OrderToTrade, PairLimits,
    Reference, Reservation, Risk, VolumeLimit,
};

/// Orders of one round, and client order ids of an account: few enough that all tables but those of 10,000 instruments
/// stay in the processor's own caches. Every round begins with new books of account.
const ORDERS: usize = 2048;
/// Engine time from one order to the next, nanoseconds.
const GAP: u64 = 1_000;

const USD: [u8; 8] = *b"USD\0\0\0\0\0";
const NOW: u64 = 1_000_000_000;
const PX: Px = Px(1_000_000);
/// Buys and sells are this far from it, so that they do not meet.
const AWAY: i64 = 100;
const MUCH: Money = Money(1 << 80);

const MARKET: Market = Market {
    state: TradingState::Trading,
    market_halted: false,
    integrity: Integrity::Live,
    bid: Some(Px(PX.0 - AWAY)),
    ask: Some(Px(PX.0 + AWAY)),
    last: Some(LastTrade { px: PX, at: Ts(NOW) }),
    triggers: [Some(PX); 2],
    updated: Ts(NOW),
    channel_updated: Ts(NOW),
};

/// What the orders of a row meet.
#[derive(Clone, Copy)]
struct Row {
    instruments: u32,
    accounts: u16,
    /// Whether every limit is on that can be off.
    all: bool,
}

impl Row {
    fn name(self) -> String {
        let Row { instruments, accounts, all } = self;
        let limits = if all { "all" } else { "least" };
        format!("{instruments}_instruments_{accounts}_accounts_{limits}")
    }

    fn account(self) -> AccountLimits {
        let least = AccountLimits {
            name: Symbol::new("agent").expect("a name"),
            permission: Permission::Trade,
            clients: true,
            currency: USD,
            cash: MUCH,
            gross_max: MUCH,
            open_orders_max: ORDERS as u32,
            rate_max: 2_000,
            rate_window_ns: 1_000 * GAP,
            ..AccountLimits::BLOCKED
        };
        if !self.all {
            return least;
        }
        AccountLimits {
            net_max: Some(MUCH),
            day_gross_max: Some(MUCH),
            loss_max: Some(MUCH),
            drawdown_max_bps: Some(5_000),
            volume: Some(VolumeLimit { max: MUCH, window_ns: 1_000_000_000 }),
            order_to_trade: Some(OrderToTrade { ratio_max: 100, free: u32::MAX }),
            executions_max: Some(u32::MAX),
            duplicates: Some(Duplicates { max: 8, window_ns: GAP }),
            no_self_trade: true,
            ..least
        }
    }

    fn pair(self) -> PairLimits {
        let least = PairLimits {
            clip_max: Qty(1_000),
            notional_max: MUCH,
            band_bps: 100,
            long_max: Qty(1_000_000),
            short_max: Qty(1_000_000),
            age_max_ns: 1_000_000_000,
            reference_age_max_ns: 1_000_000_000,
            symbol_age_alone: false,
            ..PairLimits::BLOCKED
        };
        if !self.all {
            return least;
        }
        PairLimits {
            spread_max_bps: Some(100),
            adv_max_bps: Some(100),
            venue_band: true,
            located: Some(Qty(1_000_000)),
            fee: Fee::new(300, Money::ZERO, Money(10_000_000_000), 100_000_000).expect("a fee"),
            ..least
        }
    }

    /// A firm and the accounts beneath it; with the least limits the accounts stand alone.
    fn books_of_account(self) -> Risk {
        let accounts = self.accounts + 1;
        let mut risk = Risk::new(Capacity {
            accounts,
            instruments: self.instruments,
            lines: self.instruments * u32::from(accounts),
            ids_per_account: ORDERS as u32,
            orders: ORDERS as u32,
            rows: 1,
        });
        let firm = risk.add_account(self.account()).expect("limits in range");
        for _ in 0..self.accounts {
            let parent = self.all.then_some(firm);
            risk.add_account(AccountLimits { parent, ..self.account() }).expect("limits in range");
        }
        let symbol = Symbol::new("TEST").expect("a name");
        for id in (0..self.instruments).map(InstrumentId) {
            let facts =
                Instrument { id, symbol, px_decimals: 4, px_step: Px(100), ..Default::default() };
            risk.list(&Instrument { lot: Qty(1), currency: USD, ..facts }).expect("room for it");
            let adv = Some((Qty(1_000_000), Ts(u64::MAX)));
            let band = Some((Px(PX.0 / 2), Px(PX.0 * 2)));
            risk.set_reference(id, Reference { adv, band }).expect("listed");
            for account in 0..accounts {
                risk.set_pair_limits(AccountId(account), id, self.pair()).expect("limits in range");
            }
        }
        risk
    }

    /// An order of its own client order id, over instruments and accounts in a scattered order.
    fn order(self, number: u32, client_id: ClientOrderId) -> Order {
        let scattered = number.wrapping_mul(0x9E37_79B1);
        let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let account = 1 + (scattered >> 8) % u32::from(self.accounts);
        Order {
            id: OrderId::new(number, 1),
            client_id,
            account: AccountId(account as u16),
            instrument: InstrumentId(scattered % self.instruments),
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(if side == Side::Buy { PX.0 - AWAY } else { PX.0 + AWAY }),
            qty: Qty(1),
            conditions: model::Conditions::NONE,
            origin: Origin::Desk(DeskId(0)),
            note: Note::default(),
        }
    }

    fn round(self, ids: &[ClientOrderId], held: &mut Vec<Reservation>) -> Round {
        let mut risk = self.books_of_account();
        let mut moment = Moment::at(Ts(NOW));
        held.clear();
        let round = on_cpu(ORDERS, || {
            for (number, id) in (0..).zip(ids) {
                moment.now.0 += GAP;
                let order = self.order(number, *id);
                if let Ok((cleared, reservation)) = risk.clear(order, black_box(&MARKET), moment) {
                    black_box(cleared.order());
                    held.push(reservation);
                }
            }
        });
        assert_eq!(held.len(), ORDERS, "every order must pass every check");
        round
    }

    fn measure(self, criterion: &mut Criterion) {
        let id = |number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough");
        let ids: Vec<_> = (0..ORDERS).map(id).collect();
        let numbered = || (0..).zip(&ids);
        let empty = || {
            on_cpu(ORDERS, || {
                numbered().for_each(|(number, id)| _ = black_box(self.order(number, *id)));
            })
        };
        let mut held: Vec<Reservation> = Vec::with_capacity(ORDERS);
        compare(criterion, ["gate", &self.name()], ("empty loop", empty), || {
            self.round(&ids, &mut held)
        });
        if self.all {
            let least = Row { all: false, ..self };
            let (mut held, mut held_too) = (held, Vec::with_capacity(ORDERS));
            let name = format!("{}_over_least", self.name());
            let least = ("the least limits", || least.round(&ids, &mut held_too));
            compare(criterion, ["gate", &name], least, || self.round(&ids, &mut held));
        }
    }
}

impl Row {
    /// A million pairs: too many to make anew as often as Criterion asks for it.
    fn measure_few(self) {
        let id = |number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough");
        let ids: Vec<_> = (0..ORDERS).map(id).collect();
        let (mut held, mut held_too) = (Vec::new(), Vec::with_capacity(ORDERS));
        held.reserve(ORDERS);
        let least = Row { all: false, ..self };
        let name = format!("{}_over_least", self.name());
        let bound = ("the least limits", || least.round(&ids, &mut held_too));
        compare_few(7, ["gate", &name], bound, || self.round(&ids, &mut held));
    }
}

fn main() {
    let mut criterion = criterion();
    for (instruments, accounts) in [(1, 1), (100, 1), (10_000, 1), (1, 100), (100, 100)] {
        for all in [false, true] {
            Row { instruments, accounts, all }.measure(&mut criterion);
        }
    }
    Row { instruments: 10_000, accounts: 100, all: true }.measure_few();
    criterion.final_summary();
}
