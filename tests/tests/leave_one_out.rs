//! Paper fills against the truth: real resting orders, taken out of the stream and sent as ours, must fill as they did.

use std::collections::{HashMap, HashSet};

use engine::sequencer::Sequencer;
use engine::step::Engine;
use model::page::TapeKind;
use model::{
    AccountId, Ask, Body, ClientOrderId, Event, InstrumentId, Kind, Note, OrderId, OrderRef,
    OrderType, Origin, Px, Qty, Request, Side, Terms, Tif,
};
use tests::Stage;

/// One fill: message, price, quantity.
type Fill = (u64, Px, Qty);

/// A real order whose whole life is an addition and executions that leave nothing.
struct Chosen {
    px: Px,
    open: i64,
    fills: Vec<Fill>,
}

/// Every third order of the day that was added while its instrument traded and had a last trade to measure from, and ended
/// by executions alone.
fn choose(events: &[Event]) -> HashMap<OrderRef, Chosen> {
    let mut lives: HashMap<OrderRef, Chosen> = HashMap::new();
    let mut done = HashMap::new();
    let mut trading = HashMap::new();
    let mut traded = HashSet::new();
    for event in events {
        match event.kind {
            Kind::State => {
                trading.insert(
                    event.number,
                    event.aux == u64::from(model::TradingState::Trading.code()),
                );
            }
            Kind::VenueHalt => {
                trading.insert(event.number, false);
            }
            Kind::Trade => drop(traded.insert(event.number)),
            Kind::Add
                if trading.get(&event.number) == Some(&true) && traded.contains(&event.number) =>
            {
                lives.insert(
                    event.order,
                    Chosen { px: event.px, open: event.qty.0, fills: Vec::new() },
                );
            }
            Kind::Execute => {
                let Some(life) = lives.get_mut(&event.order) else { continue };
                life.open -= event.qty.0;
                life.fills.push((event.seq, life.px, event.qty));
                if life.open == 0 {
                    let life = lives.remove(&event.order).unwrap();
                    done.insert(event.order, life);
                }
            }
            Kind::Reduce | Kind::Delete | Kind::Replace | Kind::ExecuteAt => {
                lives.remove(&event.order);
            }
            _ => {}
        }
    }
    done.retain(|order, _| order.0 % 3 == 0);
    done
}

/// Goal: ours fill at the recorded messages, prices and quantities. Method: take the chosen orders out, keep their
/// executions as anonymous prints, ask for the same orders at the same moments, compare every fill.
#[test]
fn ours_fill_as_the_real_ones_did() {
    let stage = Stage::new(500_000, 20);
    let events = stage.events();
    let chosen = choose(&events);
    assert!(chosen.len() >= 1_000, "only {} orders to leave out", chosen.len());

    let config = stage.config("leave-one-out");
    let mut engine_config = config.engine.clone();
    engine_config.strategies.clear();
    let mut sequencer =
        Sequencer::new(Engine::new(&config.with_engine(engine_config)).unwrap(), None);
    let mut ours: HashMap<OrderId, OrderRef> = HashMap::new();
    let mut fills: HashMap<OrderRef, Vec<Fill>> = HashMap::new();
    let mut refused = 0;
    for event in &events {
        let real =
            chosen.get(&event.order).filter(|_| matches!(event.kind, Kind::Add | Kind::Execute));
        let Some(real) = real else {
            step(&mut sequencer, event, &ours, &mut fills);
            continue;
        };
        if event.kind == Kind::Execute {
            let print =
                Event { kind: Kind::Trade, px: real.px, order: OrderRef(0), side: None, ..*event };
            step(&mut sequencer, &print, &ours, &mut fills);
            continue;
        }
        step(&mut sequencer, &Event { kind: Kind::Notice, ..*event }, &ours, &mut fills);
        match ask(&mut sequencer, event) {
            Some(order) => drop(ours.insert(order, event.order)),
            None => refused += 1,
        }
    }
    assert_eq!(refused, 0, "the gate was to let all pass");
    let wrong = chosen.iter().filter(|(order, real)| fills.get(order) != Some(&real.fills)).count();
    let total: usize = chosen.values().map(|real| real.fills.len()).sum();
    println!("{} orders, {total} fills, {wrong} orders filled otherwise", chosen.len());
    assert_eq!(wrong, 0);
    assert_eq!(fills.len(), chosen.len());
}

/// Steps an event and notes the fills that it caused.
fn step(
    sequencer: &mut Sequencer,
    event: &Event,
    ours: &HashMap<OrderId, OrderRef>,
    fills: &mut HashMap<OrderRef, Vec<Fill>>,
) {
    sequencer.event(event, &mut ());
    for record in sequencer.out.tape.iter().filter(|record| record.kind == TapeKind::Fill) {
        let order = ours[&record.order];
        fills.entry(order).or_default().push((event.seq, record.px, record.qty));
    }
    sequencer.out.forget();
}

/// Asks for the order that `event` added; `None`: refused.
fn ask(sequencer: &mut Sequencer, event: &Event) -> Option<OrderId> {
    let instrument = sequencer.engine.instruments().find(event.feed, event.number)?;
    let terms = Terms {
        client_id: ClientOrderId::new(&format!("{:x}", event.order.0)).unwrap(),
        instrument: InstrumentId(instrument),
        side: event.side.unwrap_or(Side::Buy),
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: event.px,
        qty: event.qty,
        conditions: model::Conditions::NONE,
    };
    let (id, origin, account) = (event.seq, Origin::File, AccountId(0));
    let request = Request { id, origin, account, ask: Ask::New(terms), note: Note::default() };
    sequencer.input(event.ts_recv, Body::Request(request), &mut ());
    let answer = sequencer.out.answer.take()?;
    let filled = sequencer.out.tape.iter().any(|record| record.kind == TapeKind::Fill);
    assert!(!filled, "a resting order must not take");
    sequencer.out.forget();
    if !answer.verdict.passed() {
        println!("message {}: {:?}", event.seq, answer.verdict);
    }
    answer.verdict.passed().then_some(answer.order)
}
