//! Orders beyond a soft limit, on the operator's word: what waits, as the engine thread tells it, and the approval of one.

use std::collections::BTreeMap;
use std::time::Instant;

use model::{Control, Note, Scaled, Symbol};
use switch::{Answer, Approval, Approve, Scope, Ticket, clean_reason};

use super::{Act, OperatorDesk, stands_still};
use crate::approvals;
use crate::step::Engine;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A slot of the engine's table that changed.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) struct Told {
    slot: u32,
    /// What is in it, on the account and in the symbol of these names, which has these decimals of price and quantity.
    approval: Option<(approvals::Approval, [Symbol; 2], [u8; 2])>,
}

impl Told {
    /// What the engine says of a slot.
    pub fn of(engine: &Engine, slot: u32) -> Told {
        let approval = engine.approvals().at(slot).and_then(|approval| {
            let sought = &approval.sought;
            let account = engine.rules().accounts.get(usize::from(sought.account.0))?.name;
            let of = engine.instruments().get(sought.instrument.0)?.instrument;
            Some((approval, [account, of.symbol], [of.px_decimals, of.qty_decimals]))
        });
        Told { slot, approval }
    }

    fn shown(&self) -> Option<Approval> {
        let (approval, [account, symbol], [px, qty]) = self.approval?;
        let approvals::Approval { number, sought, excess, since, until } = approval;
        let exact = |value: i64, decimals: u8| {
            Scaled { value: value.into(), decimals: decimals.into() }.to_string()
        };
        Some(Approval {
            number,
            account: account.as_str().to_owned(),
            symbol: symbol.as_str().to_owned(),
            side: sought.side.name().to_owned(),
            order_type: sought.order_type.name().to_owned(),
            tif: sought.tif.name().to_owned(),
            conditions: sought.conditions.texts(px, qty),
            qty: exact(sought.qty.0, qty),
            px: exact(sought.px.0, px),
            replaces: (sought.replaces.0 != 0).then_some(sought.replaces.0),
            beyond: excess.keys().map(str::to_owned).collect(),
            since_ns: since.0,
            until_ns: until.map(|until| until.0),
        })
    }
}

/// What waits and what is approved, by the engine's slot.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Waiting(pub(super) BTreeMap<u32, Approval>);

impl Waiting {
    /// Takes what the engine thread says.
    pub fn say(&mut self, told: &Told) {
        match told.shown() {
            Some(approval) => self.0.insert(told.slot, approval),
            None => self.0.remove(&told.slot),
        };
    }

    /// All of it, the oldest first.
    pub fn list(&self) -> Vec<Approval> {
        let mut list: Vec<Approval> = self.0.values().cloned().collect();
        list.sort_by_key(|approval| approval.number);
        list
    }
}

impl OperatorDesk {
    /// Who may approve, in the order of cost; then the passphrase is checked.
    pub(super) fn approve(
        &mut self,
        ticket: Ticket,
        uid: u32,
        asks: Approve,
        now: Instant,
        stalled: bool,
    ) -> Result<(), Answer> {
        let Approve { approval, seconds, operator, reason, passphrase } = asks;
        let reason = clean_reason(&reason);
        let name = self.person(uid, &operator, &reason)?;
        let number = approval.number;
        if !self.waiting.0.values().any(|waiting| *waiting == approval) {
            return Err(not_waiting());
        }
        let for_ns = seconds.saturating_mul(SECOND);
        if !(1..=Control::APPROVAL_NS_MAX).contains(&for_ns) {
            let most = Control::APPROVAL_NS_MAX / SECOND;
            return Err(Answer::refused("bad_time", format!("1 to {most} seconds")));
        }
        if stalled {
            return Err(stands_still());
        }
        let note = Note::lossy(&reason);
        let control = Control::Approve { number, for_ns, operator: name, note };
        let scope = Scope::Account(approval.account.clone());
        let what = format!("approval of {approval}, for {seconds} s");
        let who = (operator, name, reason);
        self.begin_check(ticket, (control, scope, Act::Approves), what, who, passphrase, now)
    }
}

/// Nothing waits under that number, or no longer with those terms.
pub(super) fn not_waiting() -> Answer {
    let text =
        "no such order waits: it was approved, pushed out by later ones, or is another's now";
    Answer::refused("not_waiting", text)
}

#[cfg(test)]
mod tests {
    use model::{Conditions, Link, OrderId, Px, Qty, Side, Tif, Ts};

    use super::*;

    /// Goal: whoever approves sees all that the approval is of. Method: an order with every condition, and one with none.
    #[test]
    fn conditions_are_shown() {
        let conditions = Conditions {
            stop_px: Px(1_005_000),
            display: Qty(10),
            expires: Ts(7),
            link: Some(Link::OneCancels(OrderId(9))),
            post_only: true,
            reduce_only: true,
            parent_only: false,
        };
        let sought = approvals::Sought {
            account: model::AccountId(0),
            instrument: model::InstrumentId(0),
            side: Side::Buy,
            order_type: model::OrderType::StopLimit,
            tif: Tif::Gtd,
            conditions,
            replaces: OrderId(0),
            qty: Qty(60),
            px: Px(1_006_000),
        };
        let named = ["agent", "AAPL"].map(|name| Symbol::new(name).unwrap());
        let shown = |sought| {
            let excess = risk::Excess::default();
            let approval =
                approvals::Approval { number: 7, sought, excess, since: Ts(1), until: None };
            Told { slot: 0, approval: Some((approval, named, [4, 0])) }.shown().unwrap()
        };
        let with = shown(sought);
        assert_eq!((with.px.as_str(), with.qty.as_str()), ("100.6000", "60"));
        assert_eq!(
            with.conditions,
            [
                "stop_px=100.5000",
                "display=10",
                "expires_ns=7",
                "one_cancels=9",
                "post_only",
                "reduce_only"
            ]
        );
        assert!(with.to_string().contains("stop_limit, gtd, stop_px=100.5000, display=10"));
        let none = shown(approvals::Sought { conditions: Conditions::NONE, ..sought });
        assert!(none.conditions.is_empty());
    }
}
