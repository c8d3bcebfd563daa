//! Every type and time in force at the paper venue, stops, links and parents, through the gate.

use model::Reject;
use model::page::AsOf;
use proptest::prelude::*;

use super::*;

pub(super) const NONE: Conditions = Conditions::NONE;
pub(super) const UNIT: i64 = 100;

/// An order with conditions, of 100 shares or as many as `qty` says.
pub(super) struct Wish {
    pub side: Side,
    pub order_type: OrderType,
    pub tif: Tif,
    pub px: i64,
    pub qty: i64,
    pub conditions: Conditions,
}

pub(super) const WISH: Wish = Wish {
    side: BUY,
    order_type: OrderType::Limit,
    tif: Tif::Day,
    px: 0,
    qty: 100,
    conditions: NONE,
};

pub(super) fn stop(side: Side, stop_px: i64, qty: i64) -> Wish {
    let conditions = Conditions { stop_px: Px(stop_px), ..NONE };
    Wish { side, order_type: OrderType::Stop, qty, conditions, ..WISH }
}

impl Venue {
    pub(super) fn wish(&mut self, wish: Wish) -> (Answer, Vec<i64>) {
        self.orders += 1;
        let client_id = ClientOrderId::new(&format!("o{}", self.orders)).unwrap();
        let Wish { side, order_type, tif, px, qty, conditions } = wish;
        let (instrument, px, qty) = (InstrumentId(0), Px(px), Qty(qty));
        let terms = Terms { client_id, instrument, side, order_type, tif, px, qty, conditions };
        let (answer, fills) = self.try_ask(Ask::New(terms));
        (answer, fills.into_iter().map(|(_, qty)| qty).collect())
    }

    pub(super) fn place(&mut self, wish: Wish) -> (OrderId, Vec<i64>) {
        let (answer, fills) = self.wish(wish);
        assert!(answer.verdict.passed(), "{:?}", answer.verdict);
        (answer.order, fills)
    }

    pub(super) fn refuse(&mut self, wish: Wish) -> Vec<Reject> {
        self.wish(wish).0.verdict.failed().collect()
    }

    /// A trade that leaves the book alone.
    pub(super) fn print(&mut self, px: i64) -> Vec<(OrderId, i64)> {
        self.trade(px, 1)
    }

    pub(super) fn trade(&mut self, px: i64, qty: i64) -> Vec<(OrderId, i64)> {
        self.event(Event { px: Px(px), qty: Qty(qty), ..Event::empty(Kind::Trade) })
    }

    fn cross(&mut self, which: u8, px: i64, qty: i64) -> Vec<(OrderId, i64)> {
        let order = OrderRef(which.into());
        self.event(Event { order, px: Px(px), qty: Qty(qty), ..Event::empty(Kind::Cross) })
    }

    pub(super) fn cancel(&mut self, order: OrderId) {
        self.ask(Ask::Cancel { order });
    }

    pub(super) fn wait(&mut self, now: u64) -> Vec<(OrderId, i64)> {
        self.step(Ts(now), Body::Timer)
    }

    pub(super) fn limit(&self, order: OrderId) -> i64 {
        self.engine.orders().get(order).unwrap().order.px.0
    }

    pub(super) fn position(&self) -> i64 {
        self.engine.risk().position(AGENT, InstrumentId(0)).0
    }

    /// Open orders and reserved cash of the account.
    pub(super) fn holds(&self) -> (u32, i128) {
        let page = self.engine.risk().account_page(AGENT, AsOf::default(), self.engine.now());
        let page = page.unwrap();
        (page.open_orders, page.reserved.0)
    }

    /// Nothing is open, and nothing is reserved.
    pub(super) fn is_clean(&self) {
        assert_eq!(self.engine.orders().open().count(), 0);
        assert_eq!(self.holds(), (0, 0));
    }

    /// The same inputs make the same engine.
    pub(super) fn replays(&self) {
        let mut again = Venue::new();
        for input in self.inputs.iter().skip(again.inputs.len()) {
            again.engine.step(input, &mut again.out, &mut ());
            again.out.forget();
        }
        assert_eq!(again.engine.full_hash(), self.engine.full_hash());
    }
}

/// Goal: a market order takes what is there within the collar, rests never, and is priced at the collar's edge. Method: more than
/// the book offers, with a collar of 100 %; in a market without a reference.
#[test]
fn market() {
    let mut venue = super::market();
    let order_type = OrderType::Market;
    let (order, fills) = venue.place(Wish { order_type, qty: 450, ..WISH });
    assert_eq!(fills, [300, 100]);
    assert_eq!((venue.state(order), venue.limit(order)), (OrderState::Cancelled, 2_001_000));
    let (order, _) = venue.place(Wish { order_type, side: SELL, ..WISH });
    assert_eq!((venue.state(order), venue.limit(order)), (OrderState::Filled, 100));
    venue.is_clean();
    let mut empty = Venue::new();
    let refused = empty.refuse(Wish { order_type, ..WISH });
    assert!(refused.contains(&Reject::NoReference) && !refused.contains(&Reject::PxStep));
    for (tif, ok) in [(Tif::Gtc, false), (Tif::Fok, true)] {
        let refused = venue.refuse(Wish { order_type, tif, ..WISH });
        assert_eq!(refused.contains(&Reject::Unsupported), !ok, "{tif}");
    }
}

/// Goal: the same request comes to the same answer, wherever the market went, and the same name with other conditions does not.
/// Method: a market order twice, the market moving between.
#[test]
fn market_orders_are_repeated_by_their_words() {
    let mut venue = super::market();
    let wish = || Wish { order_type: OrderType::Market, qty: 1, ..WISH };
    let (first, _) = venue.wish(wish());
    venue.add(20, BUY, 1_000_500, 10);
    venue.orders -= 1;
    let (again, fills) = venue.wish(wish());
    assert_eq!((again.order, again.kind), (first.order, model::page::AnswerKind::Recorded));
    assert!(fills.is_empty());
    venue.orders -= 1;
    let reduce = Conditions { reduce_only: true, ..NONE };
    assert!(venue.refuse(Wish { conditions: reduce, ..wish() }).contains(&Reject::DuplicateId));
}

/// Goal: a good order of a day that ends is gone, others stay. Method: `E` and `O`, then a trade of the new day.
#[test]
fn days() {
    let mut venue = super::market();
    venue.print(1_000_500);
    let (day, _) = venue.place(Wish { px: 1_000_000, ..WISH });
    let (gtc, _) = venue.place(Wish { px: 1_000_000, tif: Tif::Gtc, ..WISH });
    let (day_stop, _) = venue.place(stop(BUY, 1_002_000, 10));
    let (gtc_stop, _) = venue.place(Wish { tif: Tif::Gtc, ..stop(BUY, 1_002_000, 10) });
    let before = venue.holds();
    venue.event(Event { aux: u64::from(b'E'), ..Event::empty(Kind::Session) });
    let states = [day, gtc, day_stop, gtc_stop].map(|order| venue.state(order));
    let (expired, working, held) = (OrderState::Expired, OrderState::Working, OrderState::Held);
    assert_eq!(states, [expired, working, expired, held]);
    assert_eq!((before.0, venue.holds().0), (4, 2));
    venue.event(Event { aux: u64::from(b'O'), ..Event::empty(Kind::Session) });
    assert_eq!(venue.ahead(gtc), Some(0), "nothing is in front of it in a new book");
    venue.name();
    assert_eq!(venue.add(50, SELL, 1_000_000, 40), [(gtc, 40)]);
    venue.cancel(gtc);
    venue.cancel(gtc_stop);
    venue.is_clean();
    venue.replays();
}

/// Goal: an order ends at its time by the engine's clock, wherever it is. Method: one that works and one that waits; a nanosecond
/// before and at the time; one that comes too late.
#[test]
fn gtd() {
    let mut venue = super::market();
    venue.print(1_000_500);
    let ends = |at, wish: Wish| Wish {
        tif: Tif::Gtd,
        conditions: Conditions { expires: Ts(at), ..wish.conditions },
        ..wish
    };
    let (works, _) = venue.place(ends(1_000_000, Wish { px: 1_000_000, ..WISH }));
    let (waits, _) = venue.place(ends(1_000_000, stop(SELL, 999_000, 10)));
    let (later, _) = venue.place(ends(1_000_001, Wish { px: 1_000_000, ..WISH }));
    venue.wait(999_999);
    assert_eq!(venue.state(works), OrderState::Working);
    venue.wait(1_000_000);
    assert_eq!(
        [works, waits, later].map(|order| venue.state(order)),
        [OrderState::Expired, OrderState::Expired, OrderState::Working]
    );
    let late = venue.refuse(ends(1_000_000, Wish { px: 1_000_000, ..WISH }));
    assert!(late.contains(&Reject::TooLate));
    venue.wait(u64::MAX / 4);
    venue.is_clean();
    venue.replays();
}

/// Goal: orders for an auction fill at its price, best first, up to its quantity, and end with it. Method: two buys
/// and a sell for the close, one for the open, both crosses, and orders after them.
#[test]
fn auctions() {
    let mut venue = super::market();
    let at = |tif, side, px, qty| Wish { tif, side, px, qty, ..WISH };
    let (low, _) = venue.place(at(Tif::AtClose, BUY, 1_000_900, 100));
    let (high, fills) = venue.place(at(Tif::AtClose, BUY, 1_002_000, 100));
    assert!(fills.is_empty(), "it does not meet the book");
    let (away, _) = venue.place(at(Tif::AtClose, BUY, 1_000_000, 100));
    let (open, _) = venue.place(at(Tif::AtOpen, BUY, 1_002_000, 100));
    let order_type = OrderType::Market;
    let (sell, _) = venue.place(Wish { order_type, ..at(Tif::AtClose, SELL, 0, 30) });
    venue.replace(away, 1_000_100, 100);
    assert_eq!(venue.cross(b'H', 1_000_500, 500), [], "another auction");
    assert_eq!(venue.cross(b'O', 0, 0), []);
    assert_eq!(venue.state(open), OrderState::Expired, "no cross happened");
    let mut fills = venue.cross(b'C', 1_000_900, 150);
    fills.sort();
    let mut expected = vec![(high, 100), (low, 50), (sell, 30)];
    expected.sort();
    assert_eq!(fills, expected);
    assert_eq!(
        [low, high, away, sell].map(|order| venue.state(order)),
        [OrderState::Expired, OrderState::Filled, OrderState::Expired, OrderState::Filled]
    );
    for tif in [Tif::AtOpen, Tif::AtClose] {
        assert!(venue.refuse(at(tif, BUY, 1_000_000, 1)).contains(&Reject::TooLate));
    }
    venue.is_clean();
    venue.replays();
}

/// Goal: what may only rest never trades on arrival, nor by new terms. Method: at, and a step from, the other side.
#[test]
fn post_only() {
    let mut venue = super::market();
    let conditions = Conditions { post_only: true, ..NONE };
    let (crosses, fills) = venue.place(Wish { px: 1_001_000, conditions, ..WISH });
    assert_eq!((venue.state(crosses), fills), (OrderState::Rejected, vec![]));
    let (rests, _) = venue.place(Wish { px: 1_000_900, conditions, ..WISH });
    venue.replace(rests, 1_001_000, 100);
    assert_eq!((venue.state(rests), venue.limit(rests)), (OrderState::Working, 1_000_900));
    venue.cancel(rests);
    venue.is_clean();
}

/// Goal: an order shows a part of itself, and the next part stands behind what came meanwhile; all of it is reserved. Method: one
/// of 90 that shows 30, orders of others before and between its parts.
#[test]
fn iceberg() {
    let mut venue = super::market();
    let conditions = Conditions { display: Qty(30), ..NONE };
    let (ours, _) = venue.place(Wish { px: 1_000_500, qty: 90, conditions, ..WISH });
    let (plain, _) = venue.place(Wish { px: 1_000_500, qty: 40, ..WISH });
    let reserved = venue.holds().1;
    venue.add(30, BUY, 1_000_500, 20);
    assert_eq!(
        venue.add(31, SELL, 1_000_500, 50),
        [(ours, 30), (plain, 20)],
        "a part, then the next in line"
    );
    assert_eq!(venue.ahead(ours), Some(20), "the next part is behind what came after the first");
    assert!(venue.holds().1 < reserved);
    assert_eq!(venue.add(32, SELL, 1_000_500, 100), [(plain, 20)], "the book's own is first");
    venue.event(Event { order: OrderRef(30), ..Event::empty(Kind::Delete) });
    assert_eq!(venue.add(33, SELL, 1_000_500, 100), [(ours, 30)]);
    assert_eq!(venue.add(34, SELL, 1_000_500, 100), [(ours, 30)]);
    assert_eq!(venue.state(ours), OrderState::Filled);
    venue.is_clean();
    venue.replays();
}

proptest! {
    /// Goal: an order that fills whole or not at all does what its words say. Method: random offers and orders; the twin sums up
    /// what is offered within the limit and not taken.
    #[test]
    fn fok_equals_its_words(
        offers in prop::collection::vec((0_i64..5, 1_i64..40), 0..8),
        asks in prop::collection::vec((0_i64..5, 1_i64..120), 1..5),
    ) {
        let mut venue = Venue::new();
        venue.add(1, BUY, 1_000_000, 100);
        venue.add(2, SELL, 1_001_000, 1);
        let mut left: Vec<(i64, i64)> = vec![(0, 1)];
        for (number, (steps, qty)) in offers.iter().enumerate() {
            venue.add(10 + number as u64, SELL, 1_001_000 + steps * UNIT, *qty);
            left.push((*steps, *qty));
        }
        left.sort();
        for (steps, qty) in asks {
            let offered: i64 = left.iter().filter(|(at, _)| *at <= steps).map(|(_, qty)| qty).sum();
            let px = 1_001_000 + steps * UNIT;
            let (order, fills) = venue.place(Wish { px, qty, tif: Tif::Fok, ..WISH });
            let filled: i64 = fills.iter().sum();
            if offered >= qty {
                prop_assert_eq!((filled, venue.state(order)), (qty, OrderState::Filled));
                let mut take = qty;
                for (_, open) in &mut left {
                    let part = take.min(*open);
                    (*open, take) = (*open - part, take - part);
                }
            } else {
                prop_assert_eq!((filled, venue.state(order)), (0, OrderState::Cancelled));
            }
        }
        venue.is_clean();
    }
}
