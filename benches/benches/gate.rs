//! Stage `gate`: every check on a new order that passes, and its reservation: against an empty loop over the same orders, and
//! against the same gate with every limit off that can be off. The instrument changes from order to order over 1, 100 and
//! 10,000 of them, the account over 1 and 100, each beneath a firm.

use std::hint::black_box;

use benches::floor::{GAP, MARKET, NOW, ORDERS, Row};
use benches::{Round, compare, compare_few, criterion, on_cpu};
use criterion::Criterion;
use model::{ClientOrderId, Ts};
use risk::{Moment, Reservation};

fn round(row: Row, ids: &[ClientOrderId], held: &mut Vec<Reservation>) -> Round {
    let mut risk = row.books_of_account();
    let mut moment = Moment::at(Ts(NOW));
    held.clear();
    let round = on_cpu(ORDERS, || {
        for (number, id) in (0..).zip(ids) {
            moment.now.0 += GAP;
            let order = row.order(number, *id);
            if let Ok((cleared, reservation)) = risk.clear(order, black_box(&MARKET), moment) {
                black_box(cleared.order());
                held.push(reservation);
            }
        }
    });
    assert_eq!(held.len(), ORDERS, "every order must pass every check");
    round
}

fn measure(row: Row, criterion: &mut Criterion) {
    let id = |number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough");
    let ids: Vec<_> = (0..ORDERS).map(id).collect();
    let numbered = || (0..).zip(&ids);
    let empty = || {
        on_cpu(ORDERS, || {
            numbered().for_each(|(number, id)| _ = black_box(row.order(number, *id)));
        })
    };
    let mut held: Vec<Reservation> = Vec::with_capacity(ORDERS);
    compare(criterion, ["gate", &row.name()], ("empty loop", empty), || {
        round(row, &ids, &mut held)
    });
    if row.all {
        let least = Row { all: false, ..row };
        let (mut held, mut held_too) = (held, Vec::with_capacity(ORDERS));
        let name = format!("{}_over_least", row.name());
        let least = ("the least limits", || round(least, &ids, &mut held_too));
        compare(criterion, ["gate", &name], least, || round(row, &ids, &mut held));
    }
}

/// A million pairs: too many to make anew as often as Criterion asks for it.
fn measure_few(row: Row) {
    let id = |number| ClientOrderId::new(&format!("agent-{number}")).expect("short enough");
    let ids: Vec<_> = (0..ORDERS).map(id).collect();
    let (mut held, mut held_too) = (Vec::new(), Vec::with_capacity(ORDERS));
    held.reserve(ORDERS);
    let least = Row { all: false, ..row };
    let name = format!("{}_over_least", row.name());
    let bound = ("the least limits", || round(least, &ids, &mut held_too));
    compare_few(7, ["gate", &name], bound, || round(row, &ids, &mut held));
}

fn main() {
    let mut criterion = criterion();
    for (instruments, accounts) in [(1, 1), (100, 1), (10_000, 1), (1, 100), (100, 100)] {
        for all in [false, true] {
            measure(Row { instruments, accounts, all }, &mut criterion);
        }
    }
    measure_few(Row { instruments: 10_000, accounts: 100, all: true });
    criterion.final_summary();
}
