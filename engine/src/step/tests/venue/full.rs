//! A table of orders that is full, of orders that go outside: what it keeps out, and what it must not.

use super::*;

/// A venue with room for three open orders and so many executions: one works, two stops wait for 101.
fn full(executions: u32) -> (Outside, [OrderId; 3]) {
    let mut venue = Outside::with(executions, |engine| {
        engine.strategies.clear();
        engine.capacity.own_orders = 3;
    });
    let works = venue.order().unwrap();
    venue.say(Body::Report(Report::of(ReportKind::Ack, works)));
    let orders = [works, venue.stop(), venue.stop_at(OrderType::StopLimit, Px(101_000_000_000))];
    assert_eq!(
        orders.map(|order| venue.state(order)),
        [OrderState::Working, OrderState::Held, OrderState::Held]
    );
    venue.sent.clear();
    (venue, orders)
}

impl Outside {
    fn more(&mut self, order: OrderId, qty: i64) -> Result<OrderId, Reject> {
        self.names += 1;
        let client_id = ClientOrderId::new(&format!("o{}", self.names)).unwrap();
        self.ask(Ask::Replace { order, client_id, px: Px(98_000_000_000), qty: Qty(qty) })
    }

    /// A trade at a price in dollars.
    fn trades_at(&mut self, dollars: i64) {
        self.bench.message += 1;
        let (seq, number, px, qty) =
            (self.bench.message, NUMBER, Px(dollars * 1_000_000_000), Qty(5));
        let flags = LAST;
        self.say(Body::Event(Event { seq, number, px, qty, flags, ..Event::empty(Kind::Trade) }));
    }
}

/// Goal: new terms and triggered stops leave though no slot is free, for they have theirs; new orders do not. Method: new terms,
/// while they are on their way too, and the trigger of both stops.
#[test]
fn new_terms_and_stops_leave() {
    let (mut venue, [works, market, limited]) = full(8);
    assert_eq!(venue.order(), Err(Reject::Capacity));
    assert_eq!(venue.more(works, 7), Ok(works));
    assert!(matches!(&venue.sent[..], [Send::Replace(cleared, 1)] if cleared.order().id == works));
    venue.sent.clear();
    venue.trades_at(101);
    let sent = venue.sent.iter().map(|sent| match sent {
        Send::New(cleared) => (cleared.order().id, cleared.order().order_type),
        other => panic!("{other:?}"),
    });
    let expected = [(market, OrderType::Market), (limited, OrderType::Limit)];
    assert_eq!(sent.collect::<Vec<_>>(), expected);
    assert_eq!([market, limited].map(|order| venue.state(order)), [OrderState::PendingNew; 2]);
    assert_eq!(venue.order(), Err(Reject::Capacity), "all three are open");
    venue.say(Body::Report(Report::of(ReportKind::Rejected, market)));
    assert!(venue.order().is_ok(), "the slot of the one that was refused");
    assert_eq!(venue.order(), Err(Reject::Capacity));
}

/// Goal: a slot of its own is not enough where the table of executions is full: a fill that is told again would be booked again.
/// Method: the last execution that there is room for; then new terms and the trigger are refused and hold nothing; a cancel
/// leaves.
#[test]
fn no_room_for_their_executions() {
    let (mut venue, [works, market, limited]) = full(1);
    venue.fill(works, 1, 1);
    assert_eq!(venue.more(works, 7), Err(Reject::Capacity));
    venue.trades_at(101);
    for stop in [market, limited] {
        let record = venue.bench.engine.orders().get(stop).unwrap();
        assert_eq!((record.state, record.reject), (OrderState::Rejected, Some(Reject::Capacity)));
        assert_eq!(record.reservation.open(), Qty(0));
    }
    assert_eq!(venue.sent, []);
    assert_eq!(venue.ask(Ask::Cancel { order: works }), Ok(works));
    assert_eq!(venue.sent, [Send::Cancel(works, 1)]);
}
