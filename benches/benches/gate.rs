//! Stage `gate`: every check on a new order that passes, and its reservation, against an empty loop over the same orders.
//! The instrument changes from order to order over 1, 100 and 10,000 of them.

use std::hint::black_box;

use benches::{compare, criterion, on_cpu};
use criterion::Criterion;
use model::page::Permission;
use model::{
    AccountId, ClientOrderId, DeskId, Instrument, InstrumentId, Integrity, Money, Note, Order,
    OrderId, OrderType, Origin, Px, Qty, Side, Symbol, Tif, TradingState, Ts,
};
use risk::{AccountLimits, Capacity, LastTrade, Market, Moment, PairLimits, Reservation, Risk};

/// Orders of one round, and client order ids of the account: few enough that all tables but those of 10,000 instruments
/// stay in the processor's own caches. Every round begins with new books of account.
const ORDERS: usize = 2048;
/// Engine time from one order to the next, nanoseconds.
const GAP: u64 = 1_000;

const USD: [u8; 8] = *b"USD\0\0\0\0\0";
const NOW: u64 = 1_000_000_000;
const PX: Px = Px(1_000_000);
const MUCH: Money = Money(1 << 80);

const MARKET: Market = Market {
    state: TradingState::Trading,
    market_halted: false,
    integrity: Integrity::Live,
    bid: Some(Px(PX.0 - 100)),
    ask: Some(Px(PX.0 + 100)),
    last: Some(LastTrade { px: PX, at: Ts(NOW) }),
    updated: Ts(NOW),
    channel_updated: Ts(NOW),
};

const PAIR: PairLimits = PairLimits {
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

fn books_of_account(instruments: u32) -> Risk {
    let capacity = Capacity {
        accounts: 1,
        instruments,
        lines: instruments,
        ids_per_account: ORDERS as u32,
        orders: ORDERS as u32,
        rows: 1,
    };
    let mut risk = Risk::new(capacity);
    let symbol = Symbol::new("agent").expect("a name");
    let account = risk.add_account(AccountLimits {
        name: symbol,
        permission: Permission::Trade,
        clients: true,
        currency: USD,
        cash: MUCH,
        gross_max: MUCH,
        open_orders_max: ORDERS as u32,
        rate_max: 2_000,
        rate_window_ns: 1_000 * GAP,
        ..AccountLimits::BLOCKED
    });
    let account = account.expect("limits in range");
    for id in (0..instruments).map(InstrumentId) {
        let facts =
            Instrument { id, symbol, px_decimals: 4, px_step: Px(100), ..Default::default() };
        risk.list(&Instrument { lot: Qty(1), currency: USD, ..facts }).expect("room for it");
        risk.set_pair_limits(account, id, PAIR).expect("limits in range");
    }
    risk
}

/// An order of its own client order id, over the instruments in a scattered order.
fn order(number: u32, client_id: ClientOrderId, instruments: u32) -> Order {
    Order {
        id: OrderId::new(number, 1),
        client_id,
        account: AccountId(0),
        instrument: InstrumentId(number.wrapping_mul(0x9E37_79B1) % instruments),
        side: if number.is_multiple_of(2) { Side::Buy } else { Side::Sell },
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: PX,
        qty: Qty(1),
        origin: Origin::Desk(DeskId(0)),
        note: Note::default(),
    }
}

fn row(criterion: &mut Criterion, instruments: u32) {
    let client_id = |number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough");
    let client_ids: Vec<_> = (0..ORDERS).map(client_id).collect();
    let orders = || (0..).zip(&client_ids).map(|(number, id)| order(number, *id, instruments));
    let mut held: Vec<Reservation> = Vec::with_capacity(ORDERS);
    let empty = || on_cpu(ORDERS, || orders().for_each(|order| _ = black_box(order)));
    let gate = || {
        let mut risk = books_of_account(instruments);
        let mut now = NOW;
        held.clear();
        let round = on_cpu(ORDERS, || {
            for order in orders() {
                now += GAP;
                let moment = Moment {
                    now: Ts(now),
                    journal_full: false,
                    audit_full: false,
                    tables_full: false,
                };
                if let Ok((cleared, reservation)) = risk.clear(order, black_box(&MARKET), moment) {
                    black_box(cleared.order());
                    held.push(reservation);
                }
            }
        });
        assert_eq!(held.len(), ORDERS, "every order must pass every check");
        round
    };
    let name = format!("{instruments}_instruments");
    compare(criterion, ["gate", &name], ("empty loop", empty), gate);
}

fn main() {
    let mut criterion = criterion();
    [1, 100, 10_000].into_iter().for_each(|instruments| row(&mut criterion, instruments));
    criterion.final_summary();
}
