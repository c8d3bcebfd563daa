use model::{Conditions, Finding, Link, Order, OrderType, Px, Qty, Reject, Tif, Ts};

use crate::market::LinkFit;
use crate::order_features::OrderFeatures;
use crate::view::{View, Way};

/// Where something that can be asked of an order is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// By the venue.
    Native,
    /// By the venue, if the operator says that its conformance tests confirmed it; else nowhere.
    Confirmed,
    /// By the engine, whatever the venue can do.
    Engine,
    /// Nowhere.
    Refused,
}

/// What can be asked of an order, and where it is done: at the paper venue, at one outside. `CHECKS.md` has the same table.
pub const GATEWAYS: [(&str, Done, Done); 17] = [
    ("limit", Done::Native, Done::Native),
    ("market", Done::Engine, Done::Engine),
    ("stop", Done::Engine, Done::Engine),
    ("stop_limit", Done::Engine, Done::Engine),
    ("day", Done::Native, Done::Native),
    ("ioc", Done::Native, Done::Native),
    ("fok", Done::Native, Done::Confirmed),
    ("gtc", Done::Native, Done::Refused),
    ("gtd", Done::Engine, Done::Engine),
    ("at_open", Done::Native, Done::Confirmed),
    ("at_close", Done::Native, Done::Confirmed),
    ("post_only", Done::Native, Done::Confirmed),
    ("display", Done::Native, Done::Confirmed),
    ("reduce_only", Done::Engine, Done::Engine),
    ("one_cancels", Done::Engine, Done::Engine),
    ("parent", Done::Engine, Done::Engine),
    ("basket", Done::Engine, Done::Engine),
];

/// Refuses type, time in force and conditions that do not go together, what the venue is not known to do, a link to an order
/// that does not fit, and new terms of an order that waits in the engine.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let fits = match view.way {
        Way::Trigger => true, // It was a stop when this was looked at.
        Way::Replace => !view.moment.held && fits_display(order),
        Way::New | Way::Linked | Way::Parent => {
            view.moment.link != LinkFit::Misfit
                && (is_plain(order) || is_whole(order) && goes_together(order))
        }
    };
    Finding::holds(Reject::Unsupported, fits && view.moment.takes.has(OrderFeatures::of(order)))
}

/// Whether nothing is asked that could be refused: what most orders are.
#[inline]
fn is_plain(order: &Order) -> bool {
    let plain = matches!((order.order_type, order.tif), (OrderType::Limit, Tif::Day | Tif::Ioc));
    let Conditions { stop_px, display, expires, link, post_only, reduce_only, parent_only } =
        order.conditions;
    let is_set = (stop_px.0 | display.0) != 0 || expires.0 != 0 || link.is_some();
    plain && !(is_set || post_only || reduce_only || parent_only)
}

/// Whether trigger and end are there where they are needed, and only there.
fn is_whole(order: &Order) -> bool {
    let has_stop = order.conditions.stop_px != Px(0);
    let has_end = order.conditions.expires != Ts(0);
    has_stop == order.order_type.is_stop() && has_end == (order.tif == Tif::Gtd)
}

fn goes_together(order: &Order) -> bool {
    let conditions = &order.conditions;
    let times = match order.order_type {
        OrderType::Limit => true,
        OrderType::Market => !order.tif.rests(),
        OrderType::Stop | OrderType::StopLimit => order.tif.rests(),
    };
    let rests = order.order_type.has_limit() && order.tif.rests();
    let links = match conditions.link {
        None | Some(Link::Parent(_)) => true,
        Some(Link::OneCancels(_)) => order.order_type.is_stop(),
        Some(Link::Basket(_)) => !order.is_held(),
    };
    let is_plain = !conditions.post_only
        && !conditions.reduce_only
        && conditions.display == Qty(0)
        && conditions.link.is_none();
    let parent = !conditions.parent_only
        || order.order_type == OrderType::Limit && order.tif.rests() && is_plain;
    times && links && parent && (rests || !conditions.post_only) && fits_display(order)
}

/// A displayed quantity is a part of the whole, of an order that can rest.
fn fits_display(order: &Order) -> bool {
    let display = order.conditions.display;
    let rests = order.order_type.has_limit() && order.tif.rests();
    display == Qty(0) || rests && display.0 > 0 && display <= order.qty
}

#[cfg(test)]
mod tests {
    use model::Side;

    use super::*;
    use crate::fixture::Floor;

    /// Goal: what the documents say of the gateways is what the gate goes by, and nothing that can be asked is left out.
    /// Method: the rows of the table in `CHECKS.md` against the constant; every type and time in force has its row.
    #[test]
    fn table_is_the_documented_one() {
        let text = include_str!("../../CHECKS.md");
        let name = |done: Done| match done {
            Done::Native => "native",
            Done::Confirmed => "confirmed",
            Done::Engine => "engine",
            Done::Refused => "refused",
        };
        for (what, paper, outside) in GATEWAYS {
            let row = format!("| `{what}` | {} | {} |", name(paper), name(outside));
            assert!(text.contains(&row), "{row}");
        }
        let has = |name: &str| GATEWAYS.iter().any(|(what, ..)| *what == name);
        assert!(OrderType::ALL.iter().all(|kind| has(kind.name())));
        assert!(Tif::ALL.iter().all(|tif| has(tif.name())));
        let confirmed = GATEWAYS.iter().filter(|(.., outside)| *outside == Done::Confirmed);
        assert!(
            confirmed.map(|(what, ..)| *what).eq(OrderFeatures::CONFIRMABLE.map(|(name, _)| name))
        );
    }

    /// Every time in force, a displayed part, post-only, by the name that the table has.
    fn every_option(floor: &mut Floor) -> Vec<(&'static str, Order)> {
        let mut plain = || floor.order(Side::Buy, 10, 1_000_000);
        let (mut post_only, mut display) = (plain(), plain());
        post_only.conditions.post_only = true;
        display.conditions.display = Qty(5);
        let times = Tif::ALL.iter().map(|tif| {
            let mut order = Order { tif: *tif, ..plain() };
            if *tif == Tif::Gtd {
                order.conditions.expires = Ts(u64::MAX);
            }
            (tif.name(), order)
        });
        times.chain([("post_only", post_only), ("display", display)]).collect()
    }

    fn done_outside(name: &str) -> Done {
        GATEWAYS.iter().find(|(what, ..)| *what == name).unwrap().2
    }

    /// Goal: a venue outside is asked for what is confirmed of it and for nothing else that the table says must be; the paper
    /// venue for everything. Method: every option alone, where nothing, each other option, and everything is confirmed.
    #[test]
    fn only_what_is_confirmed() {
        let mut floor = Floor::new();
        let mut sets = vec![("none", OrderFeatures::NONE), ("all", OrderFeatures::MOST)];
        sets.extend(OrderFeatures::CONFIRMABLE);
        for (name, order) in every_option(&mut floor) {
            let done = done_outside(name);
            for (confirmed, takes) in sets.iter().copied() {
                floor.moment.takes = takes;
                let passes = match done {
                    Done::Native | Done::Engine => true,
                    Done::Confirmed => confirmed == "all" || confirmed == name,
                    Done::Refused => false,
                };
                assert_eq!(floor.fails(&order, Reject::Unsupported), !passes, "{name} {confirmed}");
            }
            floor.moment.takes = OrderFeatures::ALL;
            assert!(!floor.fails(&order, Reject::Unsupported), "{name} on paper");
        }
    }

    /// Goal: two options at once need both. Method: a displayed part that is post-only, with each alone and with both.
    #[test]
    fn both_need_both() {
        let mut floor = Floor::new();
        let mut order = floor.order(Side::Buy, 10, 1_000_000);
        (order.conditions.post_only, order.conditions.display) = (true, Qty(5));
        let [.., (_, post_only), (_, display)] = OrderFeatures::CONFIRMABLE;
        for (takes, passes) in
            [(post_only, false), (display, false), (post_only.with(display), true)]
        {
            floor.moment.takes = takes;
            assert_eq!(floor.fails(&order, Reject::Unsupported), !passes);
            let left: Vec<_> = OrderFeatures::of(&order).without(takes).names().collect();
            assert_eq!(left.is_empty(), passes, "{left:?}");
        }
    }

    /// Goal: nothing comes to the venue by new terms or by a trigger that would not be taken as a new order. Method: orders and
    /// stops that passed while everything was confirmed, changed and triggered when nothing is.
    #[test]
    fn no_other_way_in() {
        let mut floor = Floor::new();
        let refuses = |verdict: Option<model::Verdict>, name: &str| {
            let code = verdict.and_then(|verdict| verdict.primary).map(|finding| finding.code);
            let is_taken = !matches!(done_outside(name), Done::Confirmed | Done::Refused);
            assert_eq!(code, (!is_taken).then_some(Reject::Unsupported), "{name}");
        };
        for (name, order) in every_option(&mut floor) {
            floor.moment.takes = OrderFeatures::ALL;
            let (_, mut held) = floor.clear(order).unwrap();
            floor.moment.takes = OrderFeatures::NONE;
            let client_id = floor.order(Side::Buy, 1, 1_000_000).client_id;
            let fewer = Order { qty: Qty(9), client_id, ..order };
            let changed = floor.risk.clear_replace(fewer, &mut held, &floor.market, floor.moment);
            refuses(changed.err(), name);
        }
        for (name, mut stop) in every_option(&mut floor) {
            if !stop.tif.rests() {
                continue; // Stops do.
            }
            (stop.order_type, stop.px) = (OrderType::StopLimit, Px(1_000_200));
            stop.conditions.stop_px = Px(1_000_100);
            floor.moment.takes = OrderFeatures::ALL;
            let mut held = floor.risk.clear_held(&stop, None, &floor.market, floor.moment).unwrap();
            floor.moment.takes = OrderFeatures::NONE;
            let triggered = Order { order_type: OrderType::Limit, ..stop };
            let fired =
                floor.risk.clear_triggered(triggered, &mut held, &floor.market, floor.moment);
            refuses(fired.err(), name);
        }
    }
}
