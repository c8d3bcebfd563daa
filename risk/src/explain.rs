//! What every check found, one by one: for whoever asks why. Off the hot path.
//!
//! The findings are those of `gate.rs`, made by the same calls; what this file adds is what their numbers mean.

use model::page::Permission;
use model::{
    AccountId, Finding, HaltLevel, Headroom, Measure, Order, Qty, Reject, Side, Tif, Verdict,
};

use crate::gate::{CONTINUE, each_check, findings, is_of_new_orders, verdict_of, way_of};
use crate::ledger::Risk;
use crate::limits::Restriction;
use crate::market::{Market, Moment};
use crate::order_features::OrderFeatures;
use crate::path::AccountChain;
use crate::reservation::Reservation;
use crate::view::{Node, View, Way};

/// What a check says to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It looked, and lets it through.
    Passed,
    /// It refuses.
    Failed,
    /// The operator said that it does not apply.
    Off,
    /// It has nothing to say to an order of this kind.
    NotApplicable,
}

impl Standing {
    /// Its name in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Passed => "passed",
            Standing::Failed => "failed",
            Standing::Off => "off",
            Standing::NotApplicable => "not_applicable",
        }
    }
}

/// One check, on one account if it is of those that look at accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Which check.
    pub code: Reject,
    /// On which account of the order's path; `None`: it looks at the order itself.
    pub account: Option<AccountId>,
    /// What it says.
    pub standing: Standing,
    /// The unit of the numbers.
    pub measure: Measure,
    /// The limit; `None`: there is none, or none that is a number.
    pub limit: Option<i128>,
    /// What would be used of it if the order passed; `None`: not measured.
    pub used: Option<i128>,
    /// What is left: negative when exceeded; `None` where nothing is used up.
    pub headroom: Option<i128>,
}

/// What the gate says to an order, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The gate's verdict.
    pub verdict: Verdict,
    /// Every check in list order: those of the order, then those of its account, then of each account above.
    pub checks: Vec<Explained>,
    /// The largest quantity of a new order that would pass, and what refuses more; `None` of a replace.
    pub headroom: Option<Headroom>,
    /// What it asks for that the venue is not known to do.
    pub untaken: OrderFeatures,
    /// Place in `checks` of what binds: of a refused order the primary reason, of a new one that passed what
    /// refuses the first lot too many.
    pub binding: Option<usize>,
}

impl Risk {
    /// What [`Risk::clear`] says to a new order now, or, with what an order `held`,
    /// [`Risk::clear_replace`] to its new terms: check by check. Consumes nothing. Allocates, and takes the
    /// time of some sixty verdicts.
    pub fn explain(
        &self,
        order: &Order,
        held: Option<&Reservation>,
        instead_of: Option<&Reservation>,
        market: &Market,
        moment: Moment,
    ) -> Explanation {
        let (verdict, checks) = self.look(order, held, instead_of, market, moment);
        let untaken = OrderFeatures::of(order).without(moment.takes);
        let mut explanation =
            Explanation { verdict, checks, headroom: None, untaken, binding: None };
        if held.is_none() {
            explanation.headroom = Some(self.headroom_instead(order, instead_of, market, moment));
        }
        let place = |verdict: &Verdict, checks: &[Explained]| {
            let primary = verdict.primary?;
            checks.iter().position(|check| {
                let same = check.limit.is_none_or(|limit| limit == primary.limit)
                    && check.used.is_none_or(|used| used == primary.used);
                check.code == primary.code && check.standing == Standing::Failed && same
            })
        };
        explanation.binding = match explanation.headroom.filter(|_| verdict.passed()) {
            None => place(&verdict, &explanation.checks),
            Some(headroom) => {
                let lot = self.listing(order.instrument).map_or(0, |listing| listing.lot.0);
                let qty = Qty(headroom.qty.0.saturating_add(lot));
                let more = Order { qty, ..*order };
                let (verdict, checks) = self.look(&more, None, instead_of, market, moment);
                place(&verdict, &checks)
            }
        };
        explanation
    }

    fn look(
        &self,
        order: &Order,
        held: Option<&Reservation>,
        instead_of: Option<&Reservation>,
        market: &Market,
        moment: Moment,
    ) -> (Verdict, Vec<Explained>) {
        let nothing = Reservation::closed(order);
        let (seen, way) = match held {
            Some(held) => (held, Way::Replace),
            None => way_of(order, &nothing, instead_of),
        };
        let chain = AccountChain::new(self, order.account, order.instrument);
        let view = View::new(&chain, order, seen, way, market, &moment);
        let mut checks = Vec::new();
        let _ = each_check(order, &view, |node, finding| {
            checks.push(explained(order, &view, node, finding));
            CONTINUE
        });
        (verdict_of(&findings(order, &view)), checks)
    }
}

fn explained(
    order: &Order,
    view: &View<'_>,
    node: Option<&Node<'_>>,
    finding: Finding,
) -> Explained {
    let Finding { code, failed, limit, used } = finding;
    let standing = match failed {
        true => Standing::Failed,
        false if limit == i128::MAX => Standing::Off, // As Finding::at_most_if_set says it.
        false => idle(code, order, view, node).unwrap_or(Standing::Passed),
    };
    let measure = match (code, view.halt) {
        (Reject::Halted, HaltLevel::ReduceOnly) => Measure::Qty,
        _ => code.measure(),
    };
    // A condition has no numbers, nor has a check that fails before it could measure.
    let unmeasured = failed && (limit, used) == (0, 0);
    let is_measured = measure != Measure::Condition && !unmeasured;
    let is_limited = is_measured && matches!(standing, Standing::Passed | Standing::Failed);
    let is_used = is_limited || (is_measured && limit == i128::MAX); // Off, and measured all the same.
    let (limit, used) = (is_limited.then_some(limit), is_used.then_some(used));
    let left = limit.zip(used).map(|(limit, used)| limit.saturating_sub(used));
    let headroom = match code {
        Reject::PxStep | Reject::Lot => None, // To be met, not used up.
        Reject::VenueBand if order.side == Side::Sell => left.map(i128::saturating_neg),
        _ => left,
    };
    Explained { code, account: node.map(|node| node.id), standing, measure, limit, used, headroom }
}

/// Why a check that did not refuse did not look at all; `None`: it looked.
fn idle(code: Reject, order: &Order, view: &View<'_>, node: Option<&Node<'_>>) -> Option<Standing> {
    let off = |is_on: bool| (!is_on).then_some(Standing::Off);
    let idle = |applies: bool| (!applies).then_some(Standing::NotApplicable);
    if view.replaces.is_none() && !is_of_new_orders(code) {
        return Some(Standing::NotApplicable);
    }
    let Some(node) = node else {
        return match code {
            Reject::Cash => idle(order.side == Side::Buy),
            Reject::TooLate => idle(matches!(order.tif, Tif::Gtd | Tif::AtOpen | Tif::AtClose)),
            Reject::Trigger => idle(order.order_type.is_stop()),
            Reject::Overslice => idle(view.moment.slice.is_some()),
            Reject::DuplicateTerms => off(view.account.limits.duplicates.is_some())
                .or_else(|| idle(view.replaces.is_none())),
            _ => None,
        };
    };
    let (account, pair) = (&node.account.limits, node.limits);
    match code {
        Reject::Collar => idle(node.reference2.is_some()),
        Reject::Drawdown => off(account.drawdown_max_bps.is_some()),
        Reject::Volume => off(account.volume.is_some()),
        Reject::Basket => idle(order.basket().is_some() && view.replaces.is_none()),
        Reject::OrderToTrade => off(account.order_to_trade.is_some()),
        Reject::SelfTrade => off(account.no_self_trade),
        Reject::ReduceOnly => {
            idle(account.permission == Permission::CloseOnly || order.conditions.reduce_only)
        }
        Reject::Restricted => off(pair.restricted != Restriction::None),
        Reject::Spread => off(pair.spread_max_bps.is_some()),
        Reject::Margin => off(pair.margin.is_some()),
        Reject::Adv => off(pair.adv_max_bps.is_some()),
        Reject::VenueBand => off(pair.venue_band),
        Reject::ShortSale => off(pair.located.is_some()).or_else(|| idle(order.side == Side::Sell)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
