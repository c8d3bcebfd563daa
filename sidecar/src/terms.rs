//! The terms of an order, from the agent's words to the engine's units.

use model::page::{Account, Board};
use model::{ClientOrderId, OrderType, Px, Qty, Terms};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::decimal::Decimal;
use crate::fault::Fault;
use crate::rule::Judged;
use crate::session::{Session, excerpt};

/// Which side to trade.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Buy,
    Sell,
}

/// How the order is priced.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    #[default]
    Limit,
}

/// How long the order lives.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tif {
    #[default]
    Day,
    Ioc,
}

/// An order in the agent's words.
pub struct Wish<'a> {
    /// Whose; `None`: the only account.
    pub account: Option<&'a str>,
    /// What.
    pub symbol: &'a str,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub qty: &'a Decimal,
    /// How priced.
    pub order_type: Type,
    /// At what.
    pub limit: &'a Decimal,
    /// How long.
    pub tif: Tif,
}

/// The same in the engine's units, with the pages that it was read by.
pub struct Order {
    /// Whose.
    pub account: Account,
    /// In what.
    pub board: Board,
    /// The terms.
    pub terms: Terms,
}

impl Wish<'_> {
    /// Translates the wish; judging it is the gate's.
    ///
    /// # Errors
    ///
    /// A fault that names the first argument that says nothing the engine could understand.
    pub fn read(&self, session: &mut Session, client_id: ClientOrderId) -> Result<Order, Fault> {
        let board = session.board_of(self.symbol)?;
        let account = session.account_of(self.account)?;
        let instrument = &board.instrument;
        let terms = Terms {
            client_id,
            instrument: instrument.id,
            side: match self.side {
                Side::Buy => model::Side::Buy,
                Side::Sell => model::Side::Sell,
            },
            order_type: match self.order_type {
                Type::Limit => OrderType::Limit,
            },
            tif: match self.tif {
                Tif::Day => model::Tif::Day,
                Tif::Ioc => model::Tif::Ioc,
            },
            px: Px(self.limit.units("limit", instrument.px_decimals)?),
            qty: Qty(self.qty.units("qty", instrument.qty_decimals)?),
        };
        Ok(Order { account, board, terms })
    }
}

impl Order {
    /// The order as the rules' advice needs it.
    pub fn judged(&self) -> Judged<'_> {
        let Terms { side, px, qty, .. } = self.terms;
        Judged { board: &self.board, side, px, qty }
    }
}

/// Reads the agent's own name of a request.
///
/// # Errors
///
/// It is empty, too long, or holds another character.
pub fn client_id(text: &str) -> Result<ClientOrderId, Fault> {
    let legal = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let id = ClientOrderId::new(text).ok().filter(|_| legal);
    id.ok_or_else(|| {
        Fault::argument(
            format!(
                "client_request_id {:?} is not 1 to 16 characters of A-Z a-z 0-9 _ -",
                excerpt(text)
            ),
            "choose a new short id for each new order, such as \"buy-aapl-001\"",
        )
    })
}

/// The name under which a check asks: an agent's own may not hold its first character, and a check uses
/// up no name.
pub fn check_id() -> ClientOrderId {
    ClientOrderId::new("?check").unwrap_or_default()
}

/// Reads a reason.
///
/// # Errors
///
/// There is none.
pub fn reason(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::argument(
            "reason is empty",
            "say in a few words why; it is kept in the journal",
        ));
    }
    Ok(text)
}
