//! Stage `kill_switch`: from the input that halts everything to the last cancel of 10,000 working orders; against a look at each
//! order. Once by an operator's halt, with the paper venue: each cancel confirmed, and its reservation released. Once by a
//! trigger that a fill at a venue outside sets off, which takes the account alone: each cancel on its way to the gateway.
//!
//! No order passes after that input: how many did is counted, and must be none.

use std::hint::black_box;

use benches::{Round, compare_few, on_cpu, standing};
use engine::sequencer::Sequencer;
use model::{
    AccountId, Ask, Body, ClientOrderId, Control, HaltCause, HaltLevel, HaltScope, InstrumentId,
    Note, OrderId, OrderState, OrderType, Origin, Px, Qty, Report, ReportKind, Request, Side,
    Terms, Tif, Ts, Why,
};

const ORDERS: usize = 10_000;
/// Rounds of each; every one begins with a new engine.
const TIMES: usize = 15;

/// A buy far below the market, each of its own price and name.
fn request(number: usize) -> Request {
    let client_id = ClientOrderId::new(&format!("k-{number}")).expect("short enough");
    let ask = Ask::New(Terms {
        conditions: model::Conditions::NONE,
        client_id,
        instrument: InstrumentId(number as u32 % 10),
        side: Side::Buy,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(900_000 + number as i64 / 10 % 100 * 100),
        qty: Qty(1),
    });
    let (account, note) = (AccountId(0), Note::default());
    Request { id: number as u64, origin: Origin::File, account, ask, note }
}

fn at_work(outside: bool) -> Sequencer {
    let mut sequencer = standing(ORDERS as u32 + 1, outside);
    for number in 0..ORDERS {
        let now = Ts(sequencer.engine.now().0 + 100_000);
        sequencer.input(now, Body::Request(request(number)), &mut ());
        sequencer.out.forget();
    }
    assert_eq!(sequencer.engine.orders().open().count(), ORDERS, "all of them work");
    sequencer
}

/// What asks after the trip must not pass.
fn is_shut(sequencer: &mut Sequencer, outside: bool) {
    let passed = sequencer.engine.passed();
    for number in ORDERS..ORDERS + 100 {
        let now = sequencer.engine.now();
        sequencer.input(now, Body::Request(request(number)), &mut ());
    }
    assert_eq!(sequencer.engine.passed(), passed, "no new order after the trip");
    let state = if outside { OrderState::PendingCancel } else { OrderState::Cancelled };
    let cancelled = |record: &engine::orders::OrderRecord| record.state == state;
    let count = (0..ORDERS as u32).filter_map(|slot| sequencer.engine.orders().at(slot));
    assert!(count.filter(|record| cancelled(record)).count() >= ORDERS - 1);
}

fn tripped(outside: bool, body: impl Fn(OrderId) -> Body) -> Round {
    let mut sequencer = at_work(outside);
    let now = Ts(sequencer.engine.now().0 + 1_000_000_000);
    let first = sequencer.engine.orders().at(0).expect("an order").order.id;
    let body = body(first);
    let round = on_cpu(ORDERS, || sequencer.input(now, body, &mut ()));
    is_shut(&mut sequencer, outside);
    round
}

fn looked() -> Round {
    let sequencer = at_work(false);
    on_cpu(ORDERS, || _ = black_box(sequencer.engine.orders().open().count()))
}

fn main() {
    let halt = |_| {
        let (scope, level, why) = (HaltScope::All, HaltLevel::Halted, Why::of(HaltCause::Human));
        Body::Control(Control::Halt { scope, level, why })
    };
    let fill = |order| {
        let (px, qty) = (Px(900_000), Qty(1));
        Body::Report(Report { exec_id: 1, px, qty, ..Report::of(ReportKind::Fill, order) })
    };
    let bound = "a look at each order";
    compare_few(TIMES, ["kill_switch", "halt_all_10000"], (bound, looked), || tripped(false, halt));
    compare_few(TIMES, ["kill_switch", "fill_velocity_10000"], (bound, looked), || {
        tripped(true, fill)
    });
}
