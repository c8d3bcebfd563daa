//! Orders beyond a soft limit: what waits for the operator's word, what he says, and the order that comes again.

use model::{Ask, Control, Order, OrderId, Qty, Reject, Request, ResumeRefusal, Ts, Verdict};

use super::Engine;
use crate::approvals::Sought;
use crate::output::Output;

impl Engine {
    /// Approves what waits under this number. What nobody could be shown a record of is not approved.
    pub(super) fn approve(
        &mut self,
        number: u32,
        for_ns: u64,
        out: &mut Output,
    ) -> Result<(), ResumeRefusal> {
        if self.journal_full {
            return Err(ResumeRefusal::JournalFull);
        }
        if self.audit_full {
            return Err(ResumeRefusal::AuditFull);
        }
        let until = Ts(self.now.0.saturating_add(for_ns.min(Control::APPROVAL_NS_MAX)));
        let granted = self.approvals.grant(number, until, &mut out.approvals);
        if granted { Ok(()) } else { Err(ResumeRefusal::UnknownScope) }
    }

    /// Lets an order wait that a soft limit alone refused. The number by which it can be approved; zero: it cannot.
    pub(super) fn seek_approval(
        &mut self,
        request: &Request,
        order: &Order,
        verdict: Verdict,
        out: &mut Output,
    ) -> u32 {
        if verdict.bits != Verdict::bit(Reject::NeedsApproval) {
            return 0;
        }
        let market = self.market(order.instrument.0);
        let excess = self.risk.excess(order, &market, self.now);
        let sought = Sought::of(order, replaced(request));
        let number = self.approvals.seek(sought, excess, self.now, &mut out.approvals);
        self.hash.fold(number.into());
        number
    }

    /// The number of an order that was refused before and waits.
    pub(super) fn approval_of(&self, request: &Request, order: &Order, verdict: Verdict) -> u32 {
        let waits = verdict.bits == Verdict::bit(Reject::NeedsApproval);
        let number = self.approvals.waiting(&Sought::of(order, replaced(request)));
        number.filter(|_| waits).unwrap_or(0)
    }

    /// Uses up the approval that an order needed to pass: its number, or zero.
    pub(super) fn use_approval(
        &mut self,
        request: &Request,
        order: &Order,
        out: &mut Output,
    ) -> u32 {
        if !self.approvals.has_granted() {
            return 0;
        }
        let market = self.market(order.instrument.0);
        let excess = self.risk.excess(order, &market, self.now);
        if excess.is_none() {
            return 0;
        }
        let sought = Sought::of(order, replaced(request));
        self.approvals.take(&sought, excess, self.now, &mut out.approvals)
    }

    /// The largest quantity that is approved of a priced order, or of a change of the order `replaces`; zero: none.
    #[inline]
    pub(super) fn approved(&self, order: &Order, replaces: OrderId) -> Qty {
        if self.approvals.has_granted() { self.looked_up(order, replaces) } else { Qty(0) }
    }

    #[cold]
    fn looked_up(&self, order: &Order, replaces: OrderId) -> Qty {
        let excess = self.risk.excess(order, &self.market(order.instrument.0), self.now);
        self.approvals.allows(&Sought::of(order, replaces), excess, self.now)
    }
}

/// The order that a request changes.
fn replaced(request: &Request) -> OrderId {
    match request.ask {
        Ask::Replace { order, .. } => order,
        _ => OrderId(0),
    }
}
