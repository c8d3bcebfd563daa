//! What a journal says, what a running engine says, and what the venue knows: they must be the same.

use std::collections::{BTreeMap, BTreeSet};

use engine::gateway::ouch::Name;
use engine::replay::Replay;
use model::page::{OrderCell, TapeKind};
use model::{OrderId, OrderState, OrderType, Symbol};
use shm::Client;
use sim::ouch::{Order, Server};
use tests::place::Place;

use super::baskets::Recorded;

/// Where a killed engine's journal ended: input, running hash, full hash.
pub type End = (u64, u64, u64);

/// What a journal holds, as a replay from its beginning shows it.
#[derive(Default)]
pub struct Told {
    pub end: End,
    pub passed: BTreeSet<OrderId>,
    /// Shares by order, each fill as often as it was booked.
    pub filled: BTreeMap<OrderId, i64>,
    pub baskets: Recorded,
    pub limits: u32,
    pub torn: bool,
    pub closed: bool,
    pub checkpoints: u64,
}

/// Replays a journal from the beginning: each recorded hash must come out, and at each of `ends` the state of that time.
/// From the newest snapshot, if there is one, the same state must come out at the end; whether one was used.
pub fn replayed(place: &Place, ends: &[End]) -> (Told, bool) {
    let mut told = Told::default();
    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.deep = true;
    for end in ends.iter().map(Some).chain([None]) {
        let until = end.map(|(seq, ..)| *seq);
        let watched = replay.watch(until, |seen| {
            told.baskets.note(seen);
            for record in &seen.out.tape {
                match record.kind {
                    TapeKind::Passed => _ = told.passed.insert(record.order),
                    TapeKind::Fill | TapeKind::LateFill | TapeKind::OverFill => {
                        *told.filled.entry(record.order).or_default() += record.qty.0;
                    }
                    _ => {}
                }
            }
        });
        watched.unwrap_or_else(|error| panic!("{error}"));
        let engine = &replay.engine;
        told.end = (engine.seq(), engine.state_hash(), engine.full_hash());
        assert!(end.is_none_or(|end| *end == told.end), "{end:?}: {:?}", told.end);
        told.baskets.holds(engine);
    }
    let refusal = replay.fault().and_then(engine::journal::reader::Fault::refusal);
    assert!(refusal.is_none(), "{refusal:?}");
    (told.torn, told.closed) = (replay.tail().torn, replay.closed);
    told.limits = replay.engine.limits_version();
    told.checkpoints = replay.checkpoints + replay.full_checkpoints;

    let mut from = Replay::open_from_snapshot(&place.journal()).unwrap().unwrap();
    assert!(from.passed_over.is_empty(), "{:?}", from.passed_over);
    from.deep = true;
    from.run(None, |_| ()).unwrap_or_else(|error| panic!("from a snapshot: {error}"));
    let engine = &from.engine;
    assert_eq!((engine.seq(), engine.state_hash(), engine.full_hash()), told.end);
    assert_eq!(from.tail(), replay.tail());
    (told, from.from.is_some())
}

/// Which order of ours it is.
fn id(order: &Order) -> OrderId {
    Name(order.name).read().unwrap().0
}

fn sign(order: &Order) -> i64 {
    if order.side == b'B' { 1 } else { -1 }
}

/// What the venue knows of an order of ours.
#[derive(Clone, Copy)]
pub struct Known {
    symbol: Symbol,
    sign: i64,
    open: i64,
    pub cum: i64,
}

/// What the venue knows of all of them.
pub fn known(server: &Server) -> BTreeMap<OrderId, Known> {
    let of = |order: &Order| Known {
        symbol: Symbol::new(std::str::from_utf8(&order.symbol).unwrap().trim_end()).unwrap(),
        sign: sign(order),
        open: order.open.into(),
        cum: order.cum.into(),
    };
    server.with(|venue| venue.orders().map(|order| (id(order), of(order))).collect())
}

/// In what a running engine differs from the venue; empty: in nothing.
pub fn differences(client: &Client, server: &Server) -> Vec<String> {
    let known = known(server);
    let mut positions = BTreeMap::<Symbol, i64>::new();
    known.values().for_each(|k| *positions.entry(k.symbol).or_default() += k.sign * k.cum);
    let mut differences = Vec::new();
    let Ok(control) = client.control() else { return vec!["no control page".into()] };
    for line in (0..control.lines as usize).filter_map(|slot| client.line(slot).ok()) {
        let Ok(board) = client.board(line.instrument.0 as usize) else { continue };
        let symbol = board.instrument.symbol;
        let venue = positions.remove(&symbol).unwrap_or(0);
        if line.account.0 == 0 && venue != line.position.0 {
            differences.push(format!("{symbol}: {venue} at the venue, {} here", line.position.0));
        }
        if line.account.0 != 0 && venue != 0 {
            positions.insert(symbol, venue);
        }
    }
    let unknown = positions.iter().filter(|(_, position)| **position != 0);
    differences.extend(unknown.map(|(symbol, position)| format!("{symbol}: {position}, no line")));
    let cells = (0..control.orders as usize).filter_map(|slot| client.order(slot).ok());
    let cells: BTreeMap<OrderId, OrderCell> = cells.map(|cell| (cell.order.id, cell)).collect();
    for (order, venue) in &known {
        // One that ended before this engine was started may not be shown.
        let Some(cell) = cells.get(order) else {
            if venue.open > 0 {
                differences.push(format!("{order:?} is open at the venue and not known"));
            }
            continue;
        };
        let is_open = matches!(cell.state, OrderState::Working | OrderState::PartiallyFilled);
        if is_open != (venue.open > 0) || cell.filled.0 != venue.cum {
            let filled = (venue.open, venue.cum, cell.filled.0);
            differences.push(format!("{order:?} {:?}: {filled:?}", cell.state));
        }
    }
    for (order, cell) in cells {
        let state = matches!(cell.state, OrderState::Working | OrderState::PartiallyFilled);
        if cell.state == OrderState::Held && cell.order.basket().is_some() {
            differences.push(format!("{order:?} waits for legs that nobody will send"));
        }
        let sent = cell.order.order_type == OrderType::Limit && !cell.order.conditions.parent_only;
        if state && sent && known.get(&order).is_none_or(|venue| venue.open == 0) {
            differences.push(format!("{order:?} works, and not at the venue"));
        }
    }
    differences
}
