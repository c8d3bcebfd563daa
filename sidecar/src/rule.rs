//! A verdict in words: which rules failed, by how much, and what to change.

use model::page::{Answer, Board};
use model::{Finding, Measure, Px, Qty, Reject, Side};
use schemars::JsonSchema;
use serde::Serialize;

use crate::decimal;

/// One rule and its numbers.
#[derive(Serialize, JsonSchema)]
pub struct Measured {
    pub rule: &'static str,
    pub limit: Option<String>,
    pub used: Option<String>,
    pub headroom: Option<String>,
    pub unit: Option<&'static str>,
}

/// One rule that refuses.
#[derive(Serialize, JsonSchema)]
pub struct FailedRule {
    #[serde(flatten)]
    pub measured: Measured,
    pub fix: String,
}

/// The order that was judged, in the engine's units.
pub struct Judged<'a> {
    /// In what.
    pub board: &'a Board,
    /// Buy or sell.
    pub side: Side,
    /// Its limit.
    pub px: Px,
    /// Its total quantity.
    pub qty: Qty,
}

/// What limit and use of a rule are measured in; `None`: nothing is used up there.
fn measure(code: Reject) -> Option<Measure> {
    match code {
        // What the halt still lets through.
        Reject::Halted => Some(Measure::Qty),
        // Bounds and steps: no number of theirs is used of the other.
        Reject::Lot | Reject::PxStep | Reject::Trigger | Reject::TooLate | Reject::VenueBand => {
            None
        }
        code => Some(code.measure()).filter(|measure| *measure != Measure::Condition),
    }
}

/// The name of a unit, and how many decimals its numbers have.
fn unit(measure: Measure, board: &Board) -> (&'static str, u32) {
    match measure {
        Measure::Condition => ("", 0),
        Measure::Qty => ("shares", board.instrument.qty_decimals.into()),
        Measure::Px => ("price", board.instrument.px_decimals.into()),
        Measure::Money => ("money", model::Money::DECIMALS),
        Measure::BasisPoints => ("bps", 0),
        Measure::Nanoseconds => ("us", 3),
        Measure::Count => ("count", 0),
    }
}

/// Every failed rule of an answer, in the order of the gate's list.
pub fn failed(answer: &Answer, judged: &Judged<'_>) -> Vec<FailedRule> {
    let first = answer.verdict.primary;
    let numbers = |code: Reject| {
        let mut all = first.iter().chain(answer.findings.iter().flatten());
        all.find(|finding| finding.code == code && finding.failed).copied()
    };
    // A rule whose numbers nobody gave is named without them.
    let rule = |code| {
        let rule = judged.failed(&numbers(code).unwrap_or(Finding::holds(code, false)));
        match (code, answer.approval) {
            (Reject::NeedsApproval, 1..) => FailedRule { fix: ask_for(answer.approval), ..rule },
            _ => rule,
        }
    };
    answer.verdict.failed().map(rule).collect()
}

/// What only a person can do, and by which number.
fn ask_for(approval: u32) -> String {
    format!(
        "only the operator can approve it (`tickgate approve {approval}`): ask for that by this number, then send the same \
         order again with a new client_request_id, within the time that the operator names; or lower qty, or price it nearer"
    )
}

/// The rules of a check that pass and measure something.
pub fn measured(answer: &Answer, judged: &Judged<'_>) -> Vec<Measured> {
    let passed = answer.findings.iter().flatten().filter(|finding| !finding.failed);
    passed.map(|finding| judged.measured(finding)).filter(|rule| rule.unit.is_some()).collect()
}

impl Judged<'_> {
    fn measured(&self, finding: &Finding) -> Measured {
        let bare = finding.limit == 0 && finding.used == 0;
        let unit = measure(finding.code).filter(|_| !bare).map(|measure| unit(measure, self.board));
        // The gate says so where a sum exceeds its type, and where a limit is off.
        let [limited, counted] = [finding.limit, finding.used].map(|number| number != i128::MAX);
        let show = |value| unit.map(|(_, decimals)| decimal::text(value, decimals));
        Measured {
            rule: finding.code.name(),
            limit: show(finding.limit).filter(|_| limited),
            used: show(finding.used).filter(|_| counted),
            headroom: show(finding.headroom()).filter(|_| limited && counted),
            unit: unit.map(|(name, _)| name),
        }
    }

    fn text(&self, measure: Measure, value: i128) -> String {
        decimal::text(value, unit(measure, self.board).1)
    }

    fn failed(&self, finding: &Finding) -> FailedRule {
        FailedRule { measured: self.measured(finding), fix: self.fix(finding) }
    }

    fn fix(&self, finding: &Finding) -> String {
        let instrument = &self.board.instrument;
        let exact = finding.limit != 0 || finding.used != 0;
        match finding.code {
            Reject::Halted | Reject::ReduceOnly if exact => match finding.limit {
                ..=0 => "only orders that reduce a position pass, and this would not".to_owned(),
                most => self.at_most(most, "only orders that reduce the position pass"),
            },
            Reject::PxStep => {
                format!(
                    "limit must be a positive multiple of {}",
                    decimal::px(instrument.px_step, instrument)
                )
            }
            Reject::Lot => {
                format!(
                    "qty must be a positive multiple of {}",
                    decimal::qty(instrument.lot, instrument)
                )
            }
            Reject::Clip if exact => self.at_most(finding.limit, "no order may be larger"),
            Reject::Notional if exact => {
                self.at_most_worth(finding.limit, "no order may be worth more")
            }
            Reject::Collar => self.within_collar(finding),
            Reject::Position if exact => {
                let most = i128::from(self.qty.0).saturating_add(finding.headroom());
                self.at_most(most, "working orders of the same side count as filled")
            }
            Reject::Overslice if exact => {
                let most = i128::from(self.qty.0).saturating_add(finding.headroom());
                self.at_most(most, "what its parent's children filled and work counts")
            }
            Reject::Cash if exact && self.side == Side::Buy => {
                let worth =
                    self.worth(self.qty).map(|worth| worth.saturating_add(finding.headroom()));
                self.at_most_worth(worth.unwrap_or(0), "working buys count as filled")
            }
            Reject::Cash if self.side == Side::Sell => {
                "more is promised than there is: cancel working buys, or sell with reduce_only"
                    .to_owned()
            }
            Reject::DayGross if exact => {
                let worth =
                    self.worth(self.qty).map(|worth| worth.saturating_add(finding.headroom()));
                self.at_most_worth(worth.unwrap_or(0), "what traded today and what is open counts")
            }
            Reject::Gross | Reject::Net if exact => {
                let over = self.text(Measure::Money, finding.headroom().saturating_neg());
                format!(
                    "exposure would be {over} over the limit: lower qty, cancel working orders or \
                     reduce positions"
                )
            }
            code => advice(code).to_owned(),
        }
    }

    /// "Lower qty to at most …", on the lot.
    fn at_most(&self, most: i128, why: &str) -> String {
        let lot = i128::from(self.board.instrument.lot.0).max(1);
        let most = most - most.rem_euclid(lot);
        if most <= 0 {
            return format!(
                "no quantity passes now ({why}): cancel working orders or reduce the position first"
            );
        }
        format!("lower qty to at most {} ({why})", self.text(Measure::Qty, most))
    }

    /// The same, for what `money` buys at this limit price.
    fn at_most_worth(&self, money: i128, why: &str) -> String {
        match self.worth(Qty(1)).filter(|unit| *unit > 0) {
            Some(unit) => self.at_most(money.div_euclid(unit), why),
            None => format!("lower qty ({why})"),
        }
    }

    fn worth(&self, qty: Qty) -> Option<i128> {
        model::Money::of(self.px, qty, self.board.instrument.money_factor()?).map(|money| money.0)
    }

    /// The edge of the band, by the reference that the board shows now: the mid of a two-sided
    /// book, else the last trade.
    fn within_collar(&self, finding: &Finding) -> String {
        let mid2 =
            self.board.bid.zip(self.board.ask).map(|(bid, ask)| bid.px.0.saturating_add(ask.px.0));
        let last2 = self.board.last.map(|last| last.px.0.saturating_mul(2));
        let (Some(reference2), true) = (mid2.or(last2), finding.limit > 0) else {
            return "price it nearer to the market (market_snapshot), or on its passive side"
                .to_owned();
        };
        let step = i128::from(self.board.instrument.px_step.0).max(1);
        let edge = |bps: i128| i128::from(reference2) * (10_000 + bps);
        let (word, px) = match self.side {
            Side::Buy => ("at most", edge(finding.limit).div_euclid(20_000 * step) * step),
            Side::Sell => ("at least", -(-edge(-finding.limit)).div_euclid(20_000 * step) * step),
        };
        let px = decimal::text(px, self.board.instrument.px_decimals.into());
        format!("set limit to {word} {px} (present reference, band {} bps)", finding.limit)
    }
}

fn advice(code: Reject) -> &'static str {
    match code {
        Reject::UnknownAccount => "use an account that portfolio_get lists",
        Reject::UnknownInstrument => {
            "the operator has not configured this instrument; choose another"
        }
        Reject::NotPermitted => {
            "use an account that may trade, takes clients' orders and has the instrument's currency (risk_status)"
        }
        Reject::NoLimits => {
            "only the operator can add a limit row for this account and instrument; choose another"
        }
        Reject::Halted => {
            "trading is halted; only the operator can resume it; cancels still pass (halt_cause of risk_status, \
             engine_health and instruments_find)"
        }
        Reject::VenueHalted => "wait until trading_state is trading (market_snapshot)",
        Reject::BookNotLive => "wait until the book's integrity is live (book_depth)",
        Reject::Stale => "wait for fresh market data (as_of.age_us of market_snapshot)",
        Reject::NoReference => {
            "wait for a two-sided live book or a trade (market_snapshot); if there is one, an account that counts in another \
             currency has no exchange rate, which only the operator can book"
        }
        Reject::OpenOrders => "cancel an open order first, or wait until one fills (orders_list)",
        Reject::Rate => "wait until the rate window of risk_status has passed",
        Reject::DuplicateId => {
            "this client_request_id was used with other terms: choose a new one for a new order"
        }
        Reject::Overflow => "lower price and quantity: their product cannot be counted",
        Reject::UnknownOrder => "this account has no such order: take order_id from orders_list",
        Reject::NotOpen => "the order is not open any more: nothing to change (orders_list)",
        Reject::ChangePending => {
            "a change is on its way: wait until the order's state is working (orders_list)"
        }
        Reject::JournalFull => {
            "the engine cannot record orders now: tell the operator; cancels still pass"
        }
        Reject::AuditFull => {
            "the engine cannot keep its audit log now: tell the operator; cancels still pass"
        }
        Reject::Reconciling => {
            "where orders stand at the venue is being found out: wait; cancels still pass"
        }
        Reject::Capacity => "a table of the engine is full: cancel working orders, or wait",
        Reject::BelowFilled => {
            "new qty must be above filled_qty of orders_list; to stop the order cancel it"
        }
        Reject::DuplicateTerms => {
            "the same order came too often just now: if it is meant, wait for the window to pass"
        }
        Reject::SelfTrade => {
            "it could trade with an order of the same owner: cancel that one first, or price behind \
             it (orders_list)"
        }
        Reject::ReduceOnly => "only orders that reduce a position pass on this account",
        Reject::Restricted => {
            "the operator restricts this instrument for the account: choose another side or instrument"
        }
        Reject::Spread => "wait until bid and ask are closer (market_snapshot)",
        Reject::Adv => "lower qty; without a known daily volume only the operator can help",
        Reject::VenueBand => {
            "price it inside the venue's band; where the band is not known only the operator can help"
        }
        Reject::ShortSale => "sell no more than is held and located: lower qty",
        Reject::Volume => "wait for the window to pass, or lower qty",
        Reject::Basket => {
            "its basket is over, or the legs come to more than was announced or is allowed"
        }
        Reject::OrderToTrade => {
            "too many orders for what traded: wait for trades, send fewer changes"
        }
        Reject::Executions => "it executed as often as it may: only the operator can allow more",
        Reject::NeedsApproval => {
            "beyond a soft limit: lower qty or price it nearer, or send it when every other rule passes: \
             the refusal then names the number by which the operator can approve it"
        }
        Reject::Margin => "equity does not cover the margin: lower qty or reduce positions",
        Reject::Loss | Reject::Drawdown => {
            "the loss limit is reached: unless the operator stopped those too, orders that only \
             reduce a position pass (portfolio_get)"
        }
        Reject::Unsupported => {
            "these arguments do not go together, or the order they name does not fit: stop goes with \
             stop and stop_limit, expires_ns with gtd, market does not rest; an order that is held \
             takes no new terms, cancel it; live, gtc is not taken, and fok, at_open, at_close, \
             post_only and display only if the operator says that the venue confirmed them"
        }
        Reject::TooLate => "its time is over: a later expires_ns, or an auction still to come",
        Reject::Trigger => {
            "a buy stop must be above, a sell stop below what trades now (market_snapshot)"
        }
        Reject::ClockUnsafe => "the engine's clock is not trusted now: use day, ioc, fok or gtc",
        Reject::PxStep
        | Reject::Overslice
        | Reject::Lot
        | Reject::Clip
        | Reject::Notional
        | Reject::Collar
        | Reject::Position
        | Reject::Gross
        | Reject::DayGross
        | Reject::Net
        | Reject::Cash => "order_check with the same terms shows this rule's numbers",
    }
}

#[cfg(test)]
mod tests;
