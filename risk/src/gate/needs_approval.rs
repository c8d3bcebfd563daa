use model::{Finding, Money, Order, Reject, Ts};

use super::{collar, notional};
use crate::ledger::Risk;
use crate::limits::{DEPTH_MAX, PairLimits, SoftLimits};
use crate::market::{Market, Moment};
use crate::path::AccountChain;
use crate::reservation::Reservation;
use crate::view::{Node, View, Way};

/// All of a soft limit, in the unit of this check: basis points of it.
const WHOLE: i128 = 10_000;

/// Refuses an order beyond a soft limit that no operator approved (RTS 6, article 15(6)); every other check has its say all
/// the same. A replace counts its whole new quantity. A triggered stop was judged as it was asked for.
///
/// In basis points of the soft limit that is used most, rounded up.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>, node: &Node<'_>) -> Finding {
    if node.limits.soft.is_off() {
        return Finding::at_most_if_set(Reject::NeedsApproval, 0, None);
    }
    let notional = notional::used(order, view, node);
    let used = used(order, node.limits, node.reference2, notional).into_iter().max().unwrap_or(0);
    let is_free = view.way == Way::Trigger || order.qty <= view.moment.approved;
    Finding {
        failed: used > WHOLE && !is_free,
        ..Finding::at_most(Reject::NeedsApproval, used, WHOLE)
    }
}

/// How much of each soft limit the order uses, in the order of [`Excess`]'s fields; zero where it is off.
#[cold]
fn used(order: &Order, limits: &PairLimits, reference2: Option<i64>, notional: i128) -> [i128; 3] {
    let SoftLimits { clip_max, notional_max, band_bps } = limits.soft;
    let part = |value, limit: Option<i128>| limit.map_or(0, |limit| part(value, limit));
    // Without a reference the order is refused for that.
    let through2 = reference2.map_or(0, |px2| collar::through2(order, limits, px2));
    let reference2 = reference2.unwrap_or(0);
    [
        part(order.qty.0.into(), clip_max.map(|qty| qty.0.into())),
        part(notional, notional_max.map(|Money(sum)| sum)),
        part(
            i128::from(through2) * WHOLE,
            band_bps.map(|bps| i128::from(reference2) * i128::from(bps)),
        ),
    ]
}

/// `⌈value / limit⌉` in basis points: beyond [`WHOLE`] iff `value > limit`, also where it does not fit the type.
fn part(value: i128, limit: i128) -> i128 {
    let whole = value.max(0).saturating_mul(WHOLE).saturating_add(limit - 1);
    let part = whole.checked_div(limit).unwrap_or(i128::MAX);
    if value > limit { part.max(WHOLE + 1) } else { part.min(WHOLE) }
}

/// Which soft limits an order is beyond, on any account of its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Excess {
    /// That of its quantity.
    pub clip: bool,
    /// That of its money.
    pub notional: bool,
    /// That of its price.
    pub band: bool,
}

impl Excess {
    /// Whether it is beyond none.
    pub const fn is_none(self) -> bool {
        !(self.clip || self.notional || self.band)
    }

    /// Whether it is beyond each that `other` is beyond.
    pub const fn covers(self, other: Excess) -> bool {
        (self.clip || !other.clip)
            && (self.notional || !other.notional)
            && (self.band || !other.band)
    }

    /// Their keys in limits.toml.
    pub fn keys(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.clip, "soft_clip_max"),
            (self.notional, "soft_notional_max"),
            (self.band, "soft_band_bps"),
        ];
        all.into_iter().filter_map(|(is, key)| is.then_some(key))
    }
}

impl Risk {
    /// Which soft limits a new order, or new terms of one, are beyond at this moment, approved or not.
    #[cold]
    pub fn excess(&self, order: &Order, market: &Market, now: Ts) -> Excess {
        let nothing = Reservation::closed(order);
        let moment = Moment::at(now);
        let chain = AccountChain::new(self, order.account, order.instrument);
        let view = View::new(&chain, order, &nothing, Way::New, market, &moment);
        view.nodes(order).take(DEPTH_MAX).fold(Excess::default(), |excess, node| {
            let notional = notional::used(order, &view, &node);
            let used = used(order, node.limits, node.reference2, notional);
            let [clip, notional, band] = used.map(|used| used > WHOLE);
            Excess {
                clip: excess.clip || clip,
                notional: excess.notional || notional,
                band: excess.band || band,
            }
        })
    }
}
