//! A table of orders that is full: what it keeps out, and what it must not.

use model::{Link, Reject};

use super::types::{UNIT, WISH, Wish, stop};
use super::*;

/// Room for so many orders, and a last trade between bid and ask.
fn room(own_orders: u32) -> Venue {
    Venue::with_room(own_orders, |text| text)
}

fn market(own_orders: u32) -> Venue {
    let mut venue = super::market_of(room(own_orders));
    venue.print(1_000_500);
    venue
}

/// Goal: a table full of open orders takes no new one, but new terms and stops at their trigger pass, for they have their slot.
/// Method: a market and a limit stop beside an order that rests, and no fourth slot; both sides.
#[test]
fn new_terms_and_stops_have_their_slot() {
    for (side, sign) in [(BUY, 1), (SELL, -1)] {
        let mut venue = market(3);
        let (trigger, limit, far) =
            (1_000_500 + sign * 2_000, 1_000_500 + sign * 200, 1_000_500 - sign * 9_000);
        let (rests, _) = venue.place(Wish { side, px: far, ..WISH });
        let (market, _) = venue.place(stop(side, trigger, 10));
        let order_type = OrderType::StopLimit;
        let (limited, _) = venue.place(Wish { order_type, px: limit, ..stop(side, trigger, 10) });
        let full = |venue: &mut Venue| venue.refuse(Wish { side, px: far, ..WISH });
        assert_eq!(full(&mut venue), [Reject::Capacity]);

        for (px, qty) in [(far, 200), (far + sign * 100, 200), (far, 50)] {
            venue.replace(rests, px, qty);
            let record = venue.engine.orders().get(rests).unwrap();
            assert_eq!((record.order.px, record.order.qty), (Px(px), Qty(qty)));
        }
        assert_eq!(full(&mut venue), [Reject::Capacity], "new terms gave no slot back");

        assert_eq!(venue.print(trigger), [(market, 10)]);
        assert_eq!(venue.triggered, [market, limited]);
        assert_eq!(venue.state(market), OrderState::Filled);
        assert_eq!((venue.state(limited), venue.limit(limited)), (OrderState::Working, limit));
        let (next, _) = venue.place(Wish { side, px: far, ..WISH });
        assert_eq!(full(&mut venue), [Reject::Capacity], "the slot of the filled one, and no more");
        [rests, limited, next].into_iter().for_each(|order| venue.cancel(order));
        venue.is_clean();
        venue.comes_again(room(3));
    }
}

/// Goal: all stops of a full table are triggered by one trade, and none is refused for want of a slot. Method: a table of nothing
/// but stops, that rest at their limits.
#[test]
fn a_table_of_stops() {
    let mut venue = market(8);
    let order_type = OrderType::StopLimit;
    let wish = |n: i64| Wish { order_type, px: 990_000 - n * UNIT, ..stop(BUY, 1_002_000, 1) };
    let stops: Vec<_> = (0..8).map(|n| venue.place(wish(n)).0).collect();
    assert_eq!(venue.refuse(wish(8)), [Reject::Capacity]);
    venue.print(1_002_000);
    assert_eq!(venue.triggered, stops);
    assert!(stops.iter().all(|stop| venue.state(*stop) == OrderState::Working));
    assert_eq!(venue.refuse(wish(8)).first(), Some(&Reject::Capacity), "they work, and are open");
    stops.into_iter().for_each(|stop| venue.cancel(stop));
    venue.is_clean();
    venue.comes_again(room(8));
}

/// Goal: a stop takes the place of an order in a full table with what that left open. Method: both fill the table; the order
/// fills in part, then the trigger.
#[test]
fn one_cancels_other_in_a_full_table() {
    let mut venue = market(2);
    venue.place(Wish { px: 1_001_000, ..WISH });
    let (profit, _) = venue.place(Wish { side: SELL, px: 1_001_500, ..WISH });
    let link = Some(Link::OneCancels(profit));
    let wish = stop(SELL, 999_000, 100);
    let conditions = Conditions { link, ..wish.conditions };
    let (loss, _) = venue.place(Wish { conditions, ..wish });
    assert_eq!(venue.refuse(Wish { px: 990_000, ..WISH }), [Reject::Capacity]);
    assert_eq!(venue.trade(1_001_500, 30), [(profit, 30)]);
    assert_eq!(venue.print(999_000), [(loss, 70)]);
    assert_eq!((venue.state(profit), venue.position()), (OrderState::Cancelled, 0));
    venue.is_clean();
    venue.comes_again(room(2));
}
