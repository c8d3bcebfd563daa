//! The MCP server: what it says of itself, and the way from a call to a tool.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::handler::server::tool::{ToolCallContext, ToolRouter};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::fault::Fault;
use crate::session::Session;
use crate::tool;

/// What a client shows its model before the first call.
const INSTRUCTIONS: &str = "\
tickgate is a market-data and pre-trade-risk engine. These tools read its shared memory and put \
requests to its gate.

Workflow: engine_health (is it running, is anything halted) -> instruments_find -> market_snapshot \
or book_depth -> risk_status -> order_check -> order_request -> orders_list; order_change to \
cancel or replace; portfolio_get for positions.

Units: prices, quantities and money are exact decimal strings (send them so too) in the instrument's own currency and \
units; *_ns are nanoseconds since 1970 as strings, *_us microseconds, *_bps hundredths of a \
percent. Judge \
every answer by as_of.age_us, mode and integrity: a book that is not 'live' must not be traded on.

Safety: every order passes the engine's risk gate, which nobody can skip or loosen from here. A \
refusal is final for those terms: it names each failed rule, its limit and what to change. Nothing \
is retried for you. client_request_id makes a retry safe: the same id with the same terms never \
trades twice. trading_halt can stop trading but only the operator, at a terminal, can resume it. \
When this session ends its \
working orders stay, except on accounts with cancel_on_disconnect (risk_status). mode 'paper' and 'replay' never reach a venue.";

/// How often the engine is told that the agent's session is open. The shortest dead-man timer is four times as long.
const BEAT_EACH: Duration = Duration::from_millis(250);

/// The sidecar: one session with the engine, and the tools.
pub struct Sidecar {
    session: Arc<Mutex<Session>>,
    tools: ToolRouter<Sidecar>,
}

impl Sidecar {
    /// A sidecar for the engine of that name, or for the only one.
    pub fn new(engine: Option<String>) -> Sidecar {
        Sidecar { session: Arc::new(Mutex::new(Session::new(engine))), tools: tool::all() }
    }

    /// Tells the engine again and again that this client lives; for as long as the agent's session is open, and no longer:
    /// orders of an agent that is gone must not be kept alive from here.
    pub fn beats(&self) -> impl Future<Output = ()> + use<> {
        let session = Arc::clone(&self.session);
        async move {
            loop {
                session.lock().unwrap_or_else(PoisonError::into_inner).beat();
                tokio::time::sleep(BEAT_EACH).await;
            }
        }
    }

    /// The session, whether attached or not.
    pub fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, attached.
    ///
    /// # Errors
    ///
    /// The reason why there is no engine to talk to.
    pub fn attached(&self) -> Result<MutexGuard<'_, Session>, Fault> {
        let mut session = self.session();
        session.attach()?;
        Ok(session)
    }
}

impl ServerHandler for Sidecar {
    fn get_info(&self) -> ServerConfig {
        let itself = Implementation::new("tickgate", env!("CARGO_PKG_VERSION"))
            .with_title("tickgate: market data and a risk gate");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(itself)
            .with_instructions(INSTRUCTIONS)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.tools.call(ToolCallContext::new(self, request, context)).await
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.list_all()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the instructions stay short. Method: count.
    #[test]
    fn instructions_are_short() {
        assert!(INSTRUCTIONS.len() <= 1_500, "{}", INSTRUCTIONS.len());
    }
}
