use model::{ClientOrderId, Origin};

use super::*;

const NOW: Ts = Ts(1_000);
const EXCESS: Excess = Excess { clip: true, notional: false, band: false };

struct Table {
    approvals: Approvals,
    changed: Dirty,
}

impl Table {
    fn new() -> Table {
        Table { approvals: Approvals::default(), changed: Dirty::new(APPROVALS_MAX) }
    }

    fn seek(&mut self, order: &Order) -> u32 {
        self.approvals.seek(Sought::of(order, OrderId(0)), EXCESS, NOW, &mut self.changed)
    }

    fn grant(&mut self, number: u32) -> bool {
        self.approvals.grant(number, Ts(NOW.0 + 100), &mut self.changed)
    }

    fn allows(&self, order: &Order) -> i64 {
        self.approvals.allows(&Sought::of(order, OrderId(0)), EXCESS, NOW).0
    }

    fn take(&mut self, order: &Order, now: Ts) -> u32 {
        self.approvals.take(&Sought::of(order, OrderId(0)), EXCESS, now, &mut self.changed)
    }
}

fn order(account: u16, side: Side, qty: i64, px: i64) -> Order {
    Order {
        id: OrderId(7),
        client_id: ClientOrderId::new("any").unwrap(),
        account: AccountId(account),
        instrument: InstrumentId(3),
        side,
        order_type: OrderType::Limit,
        tif: Tif::Day,
        px: Px(px),
        qty: Qty(qty),
        conditions: Conditions::NONE,
        origin: Origin::File,
        note: Default::default(),
    }
}

/// Goal: an approval is of exactly one order's terms, no worse price, no larger quantity, until its time, once. Method: each
/// term changed alone, quantity and price −1 / 0 / +1, time at and after the end, taken twice.
#[test]
fn of_one_order_once() {
    for (side, worse) in [(Side::Buy, 1), (Side::Sell, -1)] {
        let mut table = Table::new();
        let asked = order(1, side, 50, 900);
        let number = table.seek(&asked);
        assert_eq!((table.allows(&asked), table.take(&asked, NOW)), (0, 0), "it only waits");
        assert!(table.grant(number) && !table.grant(number) && !table.grant(number + 1));
        let covered = [asked, order(1, side, 50, 900 - worse)];
        assert_eq!(covered.map(|order| table.allows(&order)), [50; 2]);
        for other in [
            order(1, side, 50, 900 + worse),
            order(2, side, 50, 900),
            order(1, side.opposite(), 50, 900),
            Order { instrument: InstrumentId(4), ..asked },
            Order { order_type: OrderType::Market, ..asked },
            Order { tif: Tif::Gtc, ..asked },
            Order { conditions: Conditions { reduce_only: true, ..Conditions::NONE }, ..asked },
            Order { conditions: Conditions { stop_px: Px(1), ..Conditions::NONE }, ..asked },
        ] {
            assert_eq!((table.allows(&other), table.take(&other, NOW)), (0, 0), "{other:?}");
        }
        let sought = Sought::of(&asked, OrderId(0));
        let change = Sought { replaces: OrderId(9), ..sought };
        assert_eq!(table.approvals.allows(&change, EXCESS, NOW), Qty(0), "not for a change");
        for more in [Excess { band: true, ..EXCESS }, Excess { notional: true, ..EXCESS }] {
            assert_eq!(table.approvals.allows(&sought, more, NOW), Qty(0), "nobody saw that");
            assert_eq!(table.approvals.take(&sought, more, NOW, &mut table.changed), 0);
        }
        assert_eq!(table.take(&order(1, side, 51, 900), NOW), 0);
        let end = Ts(NOW.0 + 100);
        assert_eq!(table.approvals.allows(&sought, EXCESS, end), Qty(50));
        assert_eq!(table.approvals.allows(&sought, EXCESS, Ts(end.0 + 1)), Qty(0));
        assert_eq!(table.take(&asked, Ts(end.0 + 1)), 0);
        assert_eq!(table.take(&order(1, side, 49, 900), end), number);
        assert_eq!((table.take(&asked, NOW), table.approvals.has_granted()), (0, false));
    }
}

/// Goal: the same order waits once, its number is never given again, and what was approved comes again as a new one. Method:
/// asked twice; approved, used, asked again; approved, asked again; several approved.
#[test]
fn numbers_are_new() {
    let mut table = Table::new();
    let asked = order(1, Side::Buy, 50, 900);
    assert_eq!((table.seek(&asked), table.seek(&asked)), (1, 1));
    assert!(table.grant(1));
    assert_eq!(table.take(&asked, NOW), 1);
    assert_eq!(table.seek(&asked), 2);
    let (sought, more) = (Sought::of(&asked, OrderId(0)), Excess { band: true, ..EXCESS });
    let mut wider = Table::new();
    let numbers = [EXCESS, more, EXCESS]
        .map(|excess| wider.approvals.seek(sought, excess, NOW, &mut wider.changed));
    assert_eq!(numbers, [1, 2, 2], "who looked at the first has not seen the second");
    assert_eq!(wider.approvals.slots.iter().flatten().count(), 1);
    assert!(table.grant(2));
    assert_eq!(table.seek(&asked), 3, "what is approved does not wait");
    let dearer = order(1, Side::Buy, 50, 901);
    let number = table.seek(&dearer);
    assert!(table.grant(3) && table.grant(number));
    assert_eq!(table.take(&dearer, NOW), number, "the one that covers it");
    assert_eq!((table.take(&asked, NOW), table.take(&asked, NOW)), (2, 3), "the oldest first");
}

/// Goal: no account pushes out what others wait for as long as there is room, and nobody what is approved. Method: one account
/// asks a hundred times; eight more fill the table; all of it is approved.
#[test]
fn the_table_is_bounded_and_fair() {
    let mut table = Table::new();
    let mine = order(9, Side::Buy, 50, 900);
    assert_eq!(table.seek(&mine), 1);
    (1..=100).for_each(|qty| assert!(table.seek(&order(1, Side::Buy, qty, 900)) > 1));
    let waits = |table: &Table, account| {
        let all = table.approvals.slots.iter().flatten();
        all.filter(|approval| approval.sought.account == AccountId(account)).count()
    };
    assert_eq!((waits(&table, 1), waits(&table, 9)), (8, 1));
    assert_eq!(table.approvals.waiting(&Sought::of(&mine, OrderId(0))), Some(1));
    for account in 10..17 {
        (1..=8).for_each(|qty| assert!(table.seek(&order(account, Side::Buy, qty, 900)) > 1));
    }
    assert_eq!(table.approvals.slots.iter().flatten().count(), APPROVALS_MAX);
    assert_eq!(waits(&table, 9), 0, "the oldest of all made room");
    let all: Vec<u32> = table.approvals.slots.iter().flatten().map(|a| a.number).collect();
    assert!(all.into_iter().all(|number| table.grant(number)));
    let sought = Sought::of(&mine, OrderId(0));
    for (now, finds_room) in [(NOW.0, false), (NOW.0 + 100, false), (NOW.0 + 101, true)] {
        let number = table.approvals.seek(sought, EXCESS, Ts(now), &mut table.changed);
        assert_eq!(
            number > 0,
            finds_room,
            "of those that are approved one whose time is over goes"
        );
    }
    table.approvals.clear(&mut table.changed);
    assert!(!table.approvals.has_granted());
    assert_eq!(table.approvals.slots, vec![None; APPROVALS_MAX]);
}
