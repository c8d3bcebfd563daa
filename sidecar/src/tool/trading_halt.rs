//! `trading_halt`: stop trading. There is no tool to resume it.

use model::{AccountId, Ask, HaltLevel, HaltScope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Tool};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::server::Sidecar;
use crate::session::Session;
use crate::terms;

pub struct TradingHalt;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    scope: Scope,
    /// For scope account.
    account: Option<String>,
    /// For scope symbol.
    symbol: Option<String>,
    /// Why; the first 32 characters are journalled.
    reason: String,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Scope {
    All,
    Account,
    Symbol,
}

#[derive(Serialize, JsonSchema)]
pub struct Body {
    status: &'static str,
    scope: String,
    resume: &'static str,
}

impl Tool for TradingHalt {
    const NAME: &'static str = "trading_halt";
    const TITLE: &'static str = "Halt trading";
    const DESCRIPTION: &'static str = "\
        Emergency stop: cancels all working orders of the scope and refuses new ones; cancels still \
        pass. It CANNOT be undone from here: only the operator, at a terminal, can resume. Use it \
        when trading must stop, not to cancel a single order (order_change).";
    const EFFECT: Effect = Effect::Stops;
    type Args = Args;
    type Body = Body;

    async fn call(sidecar: &Sidecar, args: Args) -> Result<Reply<Body>, Fault> {
        let reason = terms::reason(&args.reason)?;
        let (scope, stopped) = args.read(&mut *sidecar.attached()?)?;
        let ask = Ask::Halt { scope, level: HaltLevel::Halted };
        // A halt is on nobody's account.
        let answer = sidecar.ask(AccountId(0), ask, reason).await?;
        if let Some(finding) = answer.verdict.primary {
            let message = format!("the engine refused the halt: {}", finding.code);
            return Err(Fault::new(
                "refused",
                message,
                "tell the operator at once: `tickgate halt` at a terminal",
            ));
        }
        let stamp = sidecar.session().moment()?.stamp();
        let resume = "only by the operator at a terminal of the engine's host: tickgate resume";
        Ok(Reply::new(stamp, Body { status: "halted", scope: stopped, resume }))
    }
}

impl Args {
    fn read(&self, session: &mut Session) -> Result<(HaltScope, String), Fault> {
        match (self.scope, &self.account, &self.symbol) {
            (Scope::All, None, None) => Ok((HaltScope::All, "all".to_owned())),
            (Scope::Account, Some(account), None) => {
                let id = session.account_of(Some(account))?.id;
                Ok((HaltScope::Account(id), format!("account {account}")))
            }
            (Scope::Symbol, None, Some(symbol)) => {
                let id = session.board_of(symbol)?.instrument.id;
                Ok((HaltScope::Instrument(id), format!("symbol {symbol}")))
            }
            _ => Err(Fault::argument(
                "scope and target do not fit; nothing was halted",
                "send scope all alone, scope account with account, or scope symbol with symbol",
            )),
        }
    }
}
