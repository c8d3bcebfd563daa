//! The terms of an order, from the agent's words to the engine's units.

use model::page::{Account, Board};
use model::{ClientOrderId, Conditions, Instrument, Link, OrderType, Px, Qty, Terms, Ts};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::decimal::Decimal;
use crate::fault::Fault;
use crate::order;
use crate::rule::Judged;
use crate::session::{Session, excerpt};

// What is written of these three would be in every schema that has them, and their values say it.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Buy,
    Sell,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    #[default]
    Limit,
    Market,
    Stop,
    StopLimit,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tif {
    #[default]
    Day,
    Ioc,
    Fok,
    Gtc,
    Gtd,
    AtOpen,
    AtClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Flag {
    #[serde(rename = "post_only")]
    Post,
    #[serde(rename = "reduce_only")]
    Reduce,
    #[serde(rename = "parent_only")]
    Parent,
}

/// What is asked beyond the usual, in the agent's words.
#[derive(Clone, Copy, Default)]
pub struct Special<'a> {
    /// Trigger of a stop.
    pub stop: Option<&'a Decimal>,
    /// Quantity shown at a time.
    pub display: Option<&'a Decimal>,
    /// End, nanoseconds since the epoch.
    pub expires_ns: Option<&'a str>,
    /// The order whose place it takes.
    pub one_cancels: Option<&'a str>,
    /// Its parent.
    pub parent: Option<&'a str>,
    /// What it may only do.
    pub flags: &'a [Flag],
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
    pub limit: Option<&'a Decimal>,
    /// How long.
    pub tif: Tif,
    /// What else.
    pub special: Special<'a>,
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
        let order_type = match self.order_type {
            Type::Limit => OrderType::Limit,
            Type::Market => OrderType::Market,
            Type::Stop => OrderType::Stop,
            Type::StopLimit => OrderType::StopLimit,
        };
        let px = match (self.limit, order_type.has_limit()) {
            (Some(limit), true) => Px(limit.units("limit", instrument.px_decimals)?),
            (None, false) => Px(0),
            (limit, _) => {
                let word = if limit.is_some() { "no" } else { "a" };
                return Err(Fault::argument(
                    format!("type {order_type} takes {word} limit"),
                    "limit and stop_limit need a limit; market and stop are priced by the engine",
                ));
            }
        };
        self.fits()?;
        let conditions = self.special.read(instrument)?;
        let terms = Terms {
            client_id,
            instrument: instrument.id,
            side: match self.side {
                Side::Buy => model::Side::Buy,
                Side::Sell => model::Side::Sell,
            },
            order_type,
            tif: match self.tif {
                Tif::Day => model::Tif::Day,
                Tif::Ioc => model::Tif::Ioc,
                Tif::Fok => model::Tif::Fok,
                Tif::Gtc => model::Tif::Gtc,
                Tif::Gtd => model::Tif::Gtd,
                Tif::AtOpen => model::Tif::AtOpen,
                Tif::AtClose => model::Tif::AtClose,
            },
            px,
            qty: Qty(self.qty.units("qty", instrument.qty_decimals)?),
            conditions,
        };
        Ok(Order { account, board, terms })
    }

    /// Whether what comes in pairs does.
    fn fits(&self) -> Result<(), Fault> {
        let Special { stop, expires_ns, .. } = &self.special;
        let is_stop = matches!(self.order_type, Type::Stop | Type::StopLimit);
        let is_gtd = matches!(self.tif, Tif::Gtd);
        let said = match (is_stop, stop.is_some(), is_gtd, expires_ns.is_some()) {
            (true, false, ..) => "type stop or stop_limit needs stop",
            (false, true, ..) => "stop comes only with type stop or stop_limit",
            (_, _, true, false) => "tif gtd needs expires_ns",
            (_, _, false, true) => "expires_ns comes only with tif gtd",
            _ => return Ok(()),
        };
        Err(Fault::argument(said, "send both, or neither"))
    }
}

impl Special<'_> {
    fn read(&self, instrument: &Instrument) -> Result<Conditions, Fault> {
        let units = |name, value: Option<&Decimal>, decimals| {
            value.map_or(Ok(0), |value| value.units(name, decimals))
        };
        let link = match (self.one_cancels, self.parent) {
            (None, None) => None,
            (Some(other), None) => Some(Link::OneCancels(order::order_id(other)?)),
            (None, Some(parent)) => Some(Link::Parent(order::order_id(parent)?)),
            (Some(_), Some(_)) => {
                return Err(Fault::argument(
                    "one_cancels and parent are both given",
                    "an order is bound to one other at most",
                ));
            }
        };
        let expires = self.expires_ns.map_or(Ok(0), str::parse).map_err(|_| {
            Fault::argument(
                "expires_ns is not a number",
                "nanoseconds since 1970 in UTC, as a string",
            )
        })?;
        Ok(Conditions {
            stop_px: Px(units("stop", self.stop, instrument.px_decimals)?),
            display: Qty(units("display", self.display, instrument.qty_decimals)?),
            expires: Ts(expires),
            link,
            post_only: self.flags.contains(&Flag::Post),
            reduce_only: self.flags.contains(&Flag::Reduce),
            parent_only: self.flags.contains(&Flag::Parent),
        })
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
