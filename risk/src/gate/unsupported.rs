use model::{Conditions, Finding, Link, Order, OrderType, Px, Qty, Reject, Tif, Ts};

use crate::market::LinkFit;
use crate::view::{View, Way};

/// Where something that can be asked of an order is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// By the venue.
    Native,
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
    ("fok", Done::Native, Done::Native),
    ("gtc", Done::Native, Done::Refused),
    ("gtd", Done::Engine, Done::Engine),
    ("at_open", Done::Native, Done::Native),
    ("at_close", Done::Native, Done::Native),
    ("post_only", Done::Native, Done::Native),
    ("display", Done::Native, Done::Native),
    ("reduce_only", Done::Engine, Done::Engine),
    ("one_cancels", Done::Engine, Done::Engine),
    ("parent", Done::Engine, Done::Engine),
    ("basket", Done::Engine, Done::Engine),
];

/// Refuses type, time in force and conditions that do not go together, what the venue does not know, a link to an order that
/// does not fit, and new terms of an order that waits in the engine.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let fits = match view.way {
        Way::Trigger => true, // It was a stop when this was looked at.
        Way::Replace => !view.moment.held && fits_display(order),
        Way::New | Way::Linked | Way::Parent => {
            view.moment.link != LinkFit::Misfit
                && (is_plain(order) || is_whole(order) && goes_together(order))
                && (!view.moment.outside || is_known_outside(order))
        }
    };
    Finding::holds(Reject::Unsupported, fits)
}

/// Whether nothing is asked that could be refused: what most orders are.
#[inline]
fn is_plain(order: &Order) -> bool {
    let plain = matches!((order.order_type, order.tif), (OrderType::Limit, Tif::Day | Tif::Ioc));
    plain && order.conditions == Conditions::NONE
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

/// Whether the gateway can ask the venue for it: nothing that [`GATEWAYS`] says is refused there.
fn is_known_outside(order: &Order) -> bool {
    order.tif != Tif::Gtc
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
    }

    /// Goal: what the table says is refused at a venue outside is refused there, and nothing else is. Method: every time in
    /// force, a displayed part, post-only, each at the paper venue and outside.
    #[test]
    fn refused_outside() {
        let mut floor = Floor::new();
        let refused = |name: &str| {
            GATEWAYS.iter().any(|(what, _, done)| *what == name && *done == Done::Refused)
        };
        let plain = floor.order(Side::Buy, 10, 1_000_000);
        let with = |change: fn(&mut Order)| {
            let mut order = plain;
            change(&mut order);
            order
        };
        let mut orders = vec![
            ("post_only", with(|order| order.conditions.post_only = true)),
            ("display", with(|order| order.conditions.display = Qty(5))),
        ];
        for tif in Tif::ALL.iter().copied() {
            let mut order = Order { tif, ..plain };
            if tif == Tif::Gtd {
                order.conditions.expires = Ts(u64::MAX);
            }
            orders.push((tif.name(), order));
        }
        for (name, order) in orders {
            for outside in [false, true] {
                floor.moment.outside = outside;
                let fails = floor.fails(&order, Reject::Unsupported);
                assert_eq!(fails, outside && refused(name), "{name} {outside}");
            }
        }
    }
}
