//! `order_check`: what the gate would say, and what the order would cost.

use std::sync::atomic::{AtomicU64, Ordering};

use model::page::{Answer, Depth, Level};
use model::{Ask, ClientOrderId, Px, Qty, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool};
use crate::decimal::{self, Decimal};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::rule::{self, FailedRule, Judged, Measured};
use crate::server::Sidecar;
use crate::terms::{self, Order, Tif, Type, Wish};

pub struct OrderCheck;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Needed if the engine has several.
    account: Option<String>,
    symbol: String,
    side: terms::Side,
    qty: Decimal,
    #[serde(default)]
    r#type: Type,
    /// Limit price.
    limit: Decimal,
    #[serde(default)]
    tif: Tif,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    passes: bool,
    account: String,
    failed: Vec<FailedRule>,
    /// Passing rules that measure something.
    headroom: Vec<Measured>,
    /// If sent now, against the displayed book.
    cost: Option<Cost>,
}

#[derive(Serialize, JsonSchema)]
struct Cost {
    fills_now_qty: String,
    /// What would rest (day) or be cancelled (ioc).
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
    const DESCRIPTION: &'static str = "Asks the gate what it would say to these terms now, rule by rule with limit, used \
and headroom, and sweeps the displayed book for the expected cost. Sends nothing and uses up no allowance. A pass is no \
promise: order_request is judged again. qty and limit are exact decimals, best as strings.";
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
            limit: &args.limit,
            tif: args.tif,
        };
        let order = wish.read(&mut *sidecar.attached()?, unused_id()?)?;
        let answer = sidecar.ask(order.account.id, Ask::Check(order.terms), "").await?;
        let session = sidecar.attached()?;
        let moment = session.moment()?;
        let mut stamp = moment.stamp_of_answer(&answer, &order.board);
        let depth = session.depth(order.board.instrument.id).ok();
        let depth = stamp.or_why(depth, "cost", "the book is not published yet");
        let judged = order.judged();
        let body = Body {
            passes: answer.verdict.passed(),
            account: order.account.name.to_string(),
            failed: rule::failed(&answer, &judged),
            headroom: rule::measured(&answer, &judged),
            cost: depth.and_then(|depth| Cost::of(&order, &depth)),
        };
        Ok(Reply::new(stamp, body))
    }
}
