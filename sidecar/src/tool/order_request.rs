//! `order_request`: a new order, judged by the gate.

use model::{Ask, OrderId, Terms};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Effect, Tool};
use crate::decimal::Decimal;
use crate::fault::Fault;
use crate::outcome::Outcome;
use crate::reply::Reply;
use crate::server::Sidecar;
use crate::terms::{self, Flag, Side, Special, Tif, Type, Wish};

pub struct OrderRequest;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Needed if several take clients' orders.
    account: Option<String>,
    symbol: String,
    side: Side,
    qty: Decimal,
    #[serde(default)]
    r#type: Type,
    /// Of limit and stop_limit.
    limit: Option<Decimal>,
    /// gtd ends at expires_ns.
    #[serde(default)]
    tif: Tif,
    /// Trigger of a stop.
    stop: Option<Decimal>,
    /// Qty shown at a time.
    display: Option<Decimal>,
    expires_ns: Option<String>,
    /// Of a stop: the order_id whose place it takes.
    one_cancels: Option<String>,
    /// order_id of a parent_only order that bounds its children.
    parent: Option<String>,
    #[serde(default)]
    flags: Vec<Flag>,
    /// Your name of this order, 1 to 16 of A-Z a-z 0-9 _ -. New for each new order, also after a refusal; the same for a retry.
    client_request_id: String,
    /// Why; the first 32 characters are journalled.
    reason: String,
}

impl Tool for OrderRequest {
    const NAME: &'static str = "order_request";
    const TITLE: &'static str = "Request an order";
    const DESCRIPTION: &'static str = "\
        Asks the engine's risk gate for an order and answers once it is judged and journalled: \
        accepted (with fills so far), refused (each failed rule and what to change), rejected (by the venue: post_only \
        that would take) or recorded (this client_request_id was answered before; nothing happened now). Use \
        order_check first. After unknown_outcome look with orders_list, or send the very same \
        again. In live mode an accepted order goes to the venue.";
    const EFFECT: Effect = Effect::Trades;
    type Args = Args;
    type Body = Outcome;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Outcome>, Fault> {
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
        let client_id = terms::client_id(&args.client_request_id)?;
        let reason = terms::reason(&args.reason)?;
        let order = wish.read(&mut *sidecar.attached()?, client_id)?;
        let account = order.account.id;
        let mut answer = sidecar.ask(account, Ask::New(order.terms), reason).await?;
        if answer.verdict.failed().count() > 1 {
            // A refusal carries the numbers of its first rule alone; a check has them all.
            let terms = Terms { client_id: terms::check_id(), ..order.terms };
            if let Ok(check) = sidecar.ask(account, Ask::Check(terms), "").await {
                answer.findings = check.findings;
            }
        }
        Outcome::reply(&sidecar.session(), &answer, OrderId(0), &order.judged())
    }
}
