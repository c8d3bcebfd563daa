//! `order_check`: what the gate would say, and what the order would cost.

use model::page::{Depth, Level};
use model::{Ask, Money, OrderType, Px, Side, Terms, Tif as Until};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool};
use crate::decimal::{self, Decimal};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::rule::{self, FailedRule, Measured};
use crate::server::Sidecar;
use crate::terms::{self, Flag, Order, Special, Tif, Type, Wish};

pub struct OrderCheck;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Needed if several take clients' orders.
    account: Option<String>,
    symbol: String,
    side: terms::Side,
    qty: Decimal,
    #[serde(default)]
    r#type: Type,
    /// Of limit and stop_limit.
    limit: Option<Decimal>,
    #[serde(default)]
    tif: Tif,
    stop: Option<Decimal>,
    display: Option<Decimal>,
    expires_ns: Option<String>,
    one_cancels: Option<String>,
    parent: Option<String>,
    #[serde(default)]
    flags: Vec<Flag>,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    passes: bool,
    max_qty: Option<String>,
    binds: Option<&'static str>,
    account: String,
    failed: Vec<FailedRule>,
    headroom: Vec<Measured>,
    cost: Option<Cost>,
}

#[derive(Serialize, JsonSchema)]
struct Cost {
    fills_now_qty: String,
    /// What would rest or be cancelled.
    remaining_qty: String,
    /// Cut to 6 places beyond the price's.
    avg_px: Option<String>,
    worst_px: Option<String>,
    notional: Option<String>,
    /// avg_px against the mid, positive is worse.
    slippage_bps: Option<String>,
}

impl Tool for OrderCheck {
    const NAME: &'static str = "order_check";
    const TITLE: &'static str = "Check an order";
    const DESCRIPTION: &'static str = "\
        Asks the gate what it would say to these terms now, rule by rule, and how large it \
        could be (max_qty, and what binds it); sweeps the displayed book for the expected \
        cost. Sends nothing. A pass is no promise: order_request is judged again.";
    const EFFECT: Effect = Effect::Looks;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let wish = Wish {
            account: args.account.as_deref(),
            symbol: &args.symbol,
            side: args.side,
            qty: &args.qty,
            order_type: args.r#type,
            limit: args.limit.as_ref(),
            tif: args.tif,
            special: Special {
                stop: args.stop.as_ref(),
                display: args.display.as_ref(),
                expires_ns: args.expires_ns.as_deref(),
                one_cancels: args.one_cancels.as_deref(),
                parent: args.parent.as_deref(),
                flags: &args.flags,
            },
        };
        let order = wish.read(&mut *sidecar.attached()?, terms::check_id())?;
        let answer = sidecar.ask(order.account.id, Ask::Check(order.terms), "").await?;
        let session = sidecar.attached()?;
        let moment = session.moment()?;
        let mut stamp = moment.stamp_of_answer(&answer, &order.board);
        let depth = session.depth(order.board.instrument.id)?;
        let cost = Cost::of(&order, &depth);
        match &cost {
            Ok(cost) if cost.avg_px.is_some() => {}
            Ok(_) => stamp.why("cost.*", "nothing would fill at once at these terms"),
            Err(reason) => stamp.why("cost", reason),
        }
        let judged = order.judged();
        let body = Body {
            passes: answer.verdict.passed(),
            max_qty: answer.headroom.map(|h| decimal::qty(h.qty, &order.board.instrument)),
            binds: answer.headroom.map(|headroom| headroom.binds.name()),
            account: order.account.name.to_string(),
            failed: rule::failed(&answer, &judged),
            headroom: rule::measured(&answer, &judged),
            cost: cost.ok(),
        };
        Ok(Reply::new(stamp, body))
    }
}

impl Cost {
    /// Takes the displayed quantity level by level, as far as the limit allows.
    ///
    /// # Errors
    ///
    /// Why nobody can say: it does not come to the book now, or would reach levels that the page does not hold.
    fn of(order: &Order, depth: &Depth) -> Result<Cost, &'static str> {
        let of = &order.board.instrument;
        let Terms { side, order_type, tif, conditions, .. } = order.terms;
        let waits = matches!(order_type, OrderType::Stop | OrderType::StopLimit)
            || matches!(tif, Until::AtOpen | Until::AtClose)
            || conditions.parent_only;
        if waits {
            return Err("it does not come to the book now: a stop, an auction or a parent waits");
        }
        let levels = match side {
            Side::Buy => depth.asks(),
            Side::Sell => depth.bids(),
        };
        let limit = match (order.terms.order_type.has_limit(), side) {
            (true, _) => order.terms.px,
            (false, Side::Buy) => Px(i64::MAX),
            (false, Side::Sell) => Px(0),
        };
        let mut sweep = Sweep::over(levels, side, limit, order.terms.qty.0.max(0));
        let [bids, asks] = depth.total;
        let total = if side == Side::Buy { asks } else { bids };
        if sweep.remaining > 0 && !sweep.stopped_by_limit && (levels.len() as u32) < total {
            return Err("the order reaches beyond the published levels");
        }
        if conditions.post_only && sweep.filled > 0 {
            return Err("post_only, and it would take now: the venue rejects it");
        }
        if tif == Until::Fok && sweep.remaining > 0 {
            sweep = Sweep { remaining: order.terms.qty.0.max(0), ..Sweep::default() };
        }
        let average = (sweep.sum * 1_000_000).checked_div(sweep.filled.into());
        let px_decimals = u32::from(of.px_decimals);
        let notional = of.money_factor().and_then(|factor| sweep.sum.checked_mul(factor.into()));
        let touch = depth.bids().first().zip(depth.asks().first());
        let twice_mid = touch.map(|(bid, ask)| i128::from(bid.px.0) + i128::from(ask.px.0));
        let some = sweep.filled > 0;
        Ok(Cost {
            fills_now_qty: decimal::text(sweep.filled.into(), of.qty_decimals.into()),
            remaining_qty: decimal::text(sweep.remaining.into(), of.qty_decimals.into()),
            avg_px: average.map(|units| decimal::text(units, px_decimals + 6)),
            worst_px: sweep.worst.map(|px| decimal::px(px, of)),
            notional: notional.filter(|_| some).map(|units| decimal::money(Money(units))),
            slippage_bps: twice_mid.and_then(|mid| sweep.slippage_bps(side, mid)),
        })
    }
}

/// What a sweep of the book takes.
#[derive(Default)]
struct Sweep {
    filled: i64,
    remaining: i64,
    /// Sum of price times quantity, in units of both.
    sum: i128,
    worst: Option<Px>,
    stopped_by_limit: bool,
}

impl Sweep {
    fn over(levels: &[Level], side: Side, limit: Px, qty: i64) -> Sweep {
        let mut sweep = Sweep { remaining: qty, ..Sweep::default() };
        for level in levels {
            let within = match side {
                Side::Buy => level.px <= limit,
                Side::Sell => level.px >= limit,
            };
            sweep.stopped_by_limit = !within;
            let take = level.qty.0.min(sweep.remaining);
            if !within || take <= 0 {
                break;
            }
            sweep.filled += take;
            sweep.remaining -= take;
            sweep.sum += i128::from(level.px.0) * i128::from(take);
            sweep.worst = Some(level.px);
        }
        sweep
    }

    /// How much worse than the mid the average is, in basis points cut to two places.
    fn slippage_bps(&self, side: Side, twice_mid: i128) -> Option<String> {
        let base = twice_mid * i128::from(self.filled);
        let over = match side {
            Side::Buy => 2 * self.sum - base,
            Side::Sell => base - 2 * self.sum,
        };
        (over * 1_000_000).checked_div(base).map(|hundredths| decimal::text(hundredths, 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Qty;

    /// Goal: the sweep takes what the limit allows and no more, and prices it exactly. Method:
    /// three levels, both sides.
    #[test]
    fn sweep_stops_at_limit_and_quantity() {
        let level = |px, qty| Level { px: Px(px), qty: Qty(qty), orders: 1 };
        let asks = [level(100, 5), level(110, 5), level(120, 5)];
        let sweep = Sweep::over(&asks, Side::Buy, Px(110), 12);
        assert_eq!((sweep.filled, sweep.remaining, sweep.sum), (10, 2, 1_050));
        assert_eq!((sweep.worst, sweep.stopped_by_limit), (Some(Px(110)), true));
        // Average 105 against a mid of 95.
        assert_eq!(sweep.slippage_bps(Side::Buy, 190).as_deref(), Some("1052.63"));
        let whole = Sweep::over(&asks, Side::Buy, Px(200), 20);
        assert_eq!((whole.filled, whole.stopped_by_limit), (15, false));
        let bids = [level(90, 5), level(80, 5)];
        let sweep = Sweep::over(&bids, Side::Sell, Px(85), 7);
        assert_eq!((sweep.filled, sweep.sum), (5, 450));
        assert_eq!(Sweep::over(&bids, Side::Sell, Px(95), 7).slippage_bps(Side::Sell, 190), None);
    }
}
