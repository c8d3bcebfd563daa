//! The tools, one file each.
//!
//! To add one: write `tool/<name>.rs` with a type that implements [`Tool`] (copy
//! `instruments_find.rs`), add its `mod` and its line in [`all`], both in alphabetical order, then
//! run `TICKGATE_BLESS=1 cargo test -p sidecar --test mcp list` and read the change of
//! `tests/mcp/tools.json`. Its result must say what moment it describes ([`Reply`]), a null needs a
//! reason ([`crate::reply::Stamp::why`]), and what it refuses must say what to change ([`Fault`]).

mod book_depth;
mod engine_health;
mod instruments_find;
mod market_snapshot;
mod order_change;
mod order_check;
mod order_request;
mod orders_list;
mod portfolio_get;
mod risk_status;
mod trading_halt;

use rmcp::handler::server::tool::{ToolRoute, ToolRouter};
use rmcp::model::{CallToolResult, JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::Fault;
use crate::reply::{self, Reply};
use crate::schema;
use crate::server::Sidecar;

/// Every tool.
pub fn all() -> ToolRouter<Sidecar> {
    ToolRouter::new()
        .with_route(route::<book_depth::BookDepth>())
        .with_route(route::<engine_health::EngineHealth>())
        .with_route(route::<instruments_find::InstrumentsFind>())
        .with_route(route::<market_snapshot::MarketSnapshot>())
        .with_route(route::<order_change::OrderChange>())
        .with_route(route::<order_check::OrderCheck>())
        .with_route(route::<order_request::OrderRequest>())
        .with_route(route::<orders_list::OrdersList>())
        .with_route(route::<portfolio_get::PortfolioGet>())
        .with_route(route::<risk_status::RiskStatus>())
        .with_route(route::<trading_halt::TradingHalt>())
}

/// What a tool does to the world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing: it looks.
    Looks,
    /// It asks the engine to stop something. Asking twice is asking once.
    Stops,
    /// It asks the engine for something that may reach a venue. Asking twice under one id is asking once.
    Trades,
}

/// One tool.
trait Tool: 'static {
    /// Its name, as the client calls it.
    const NAME: &'static str;
    /// Its name, as a person reads it.
    const TITLE: &'static str;
    /// What an agent must know to choose it and to read its result.
    const DESCRIPTION: &'static str;
    /// What it does to the world.
    const EFFECT: Effect;
    /// Its arguments; unknown ones are refused.
    type Args: DeserializeOwned + JsonSchema + Send;
    /// The content of its result.
    type Body: Serialize + JsonSchema + Send;

    /// Answers one call.
    fn call(
        sidecar: &Sidecar,
        args: Self::Args,
    ) -> impl Future<Output = Result<Reply<Self::Body>, Fault>> + Send;
}

/// A count of 1 to `most`.
fn within(field: &str, count: usize, most: usize) -> Result<usize, Fault> {
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    Err(Fault::argument(format!("{field} is {count}"), format!("send {field} from 1 to {most}")))
}

fn route<T: Tool>() -> ToolRoute<Sidecar> {
    let looks = T::EFFECT == Effect::Looks;
    let annotations = ToolAnnotations::new()
        .read_only(looks)
        .destructive(!looks)
        .idempotent(true)
        .open_world(T::EFFECT == Effect::Trades);
    let tool = rmcp::model::Tool::new(T::NAME, T::DESCRIPTION, schema::input::<T::Args>())
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::output::<T::Body>())
        .with_annotations(annotations);
    ToolRoute::new_dyn(tool, |call| {
        Box::pin(async move {
            Ok(run::<T>(call.service, call.arguments.unwrap_or_default()).await.into())
        })
    })
}

async fn run<T: Tool>(sidecar: &Sidecar, arguments: JsonObject) -> CallToolResult {
    let outcome = match serde_path_to_error::deserialize(Value::Object(arguments)) {
        Ok(args) => T::call(sidecar, args).await,
        Err(error) => {
            Err(Fault::argument(error.to_string(), format!("see the inputSchema of {}", T::NAME)))
        }
    };
    if let Err(fault) = &outcome {
        tracing::info!(tool = T::NAME, code = fault.code, "{}", fault.message);
    }
    let notice = sidecar.session().take_notice();
    reply::result(outcome, &notice)
}
