//! One order at the venue, with all its replacements.

use model::{Holder, OrderId, Px, Qty, Report, ReportKind};

use super::OuchError;
use super::wire::PX_DECIMALS;

/// An order at the venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    pub order: OrderId,
    pub holder: Option<Holder>,
    /// Decimals of price and quantity.
    scale: [u32; 2],
    /// The UserRefNum that the venue works.
    pub live: u32,
    /// That of a replacement which is not answered.
    pub replacing: Option<u32>,
    /// The last change that was asked of it, and how many queries had been sent by then.
    asked: (u16, u64),
    /// The last change that the venue is known to have dealt with.
    dealt: u16,
    /// The change that is a cancel on its way.
    pub cancelling: Option<u16>,
    pub px: Px,
    /// Open quantity.
    pub open: i64,
    /// Quantity that ever traded.
    pub cum: i64,
    /// Whether it is marked as a short sale.
    pub is_short: bool,
    /// Whether it is for a cross alone.
    pub crosses: bool,
    /// Whether the venue took it.
    pub accepted: bool,
    /// How it ended.
    pub ended: Option<ReportKind>,
}

impl Chain {
    /// An order of which nothing is known yet.
    pub fn new(order: OrderId, holder: Option<Holder>, scale: [u32; 2], live: u32) -> Chain {
        Chain {
            order,
            holder,
            scale,
            live,
            replacing: None,
            asked: (0, 0),
            dealt: 0,
            cancelling: None,
            px: Px(0),
            open: 0,
            cum: 0,
            is_short: false,
            crosses: false,
            accepted: false,
            ended: None,
        }
    }

    /// A report of it.
    pub fn report(&self, kind: ReportKind) -> Report {
        let (px, qty) = (self.px, Qty(self.cum.saturating_add(self.open)));
        let (holder, cum) = (self.holder, Some(Qty(self.cum)));
        Report { holder, px, qty, cum, change: self.dealt, ..Report::of(kind, self.order) }
    }

    /// A change of it goes out, behind so many queries.
    pub fn ask(&mut self, change: u16, queries: u64) {
        self.asked = (self.asked.0.max(change), queries);
    }

    /// The venue dealt with this change.
    pub fn dealt(&mut self, change: u16) {
        self.dealt = self.dealt.max(change);
    }

    /// Where it stands when query number `query` was answered: what was asked before it is dealt with.
    pub fn standing(&mut self, round: u32, query: u64) -> Report {
        let (change, queries) = self.asked;
        if queries < query {
            self.dealt(change);
            (self.replacing, self.cancelling) = (None, None);
        }
        Report { exec_id: round.into(), ..self.report(ReportKind::Restated) }
    }

    /// Query number `query` was answered: what was sent before it and is not taken never came.
    pub fn lose(&mut self, query: u64) {
        if !self.accepted && self.ended.is_none() && self.asked.1 < query {
            self.end(ReportKind::NotFound);
        }
    }

    /// How it ends if the venue takes all of it off for this reason.
    pub const fn end_for(&self, reason: u8) -> ReportKind {
        match reason {
            b'T' | b'E' | b'C' => ReportKind::Expired, // Its time, a day that is over, a cross that was.
            b'I' if self.crosses => ReportKind::Expired,
            _ => ReportKind::Cancelled,
        }
    }

    /// It ended.
    pub fn end(&mut self, kind: ReportKind) {
        (self.ended, self.replacing, self.cancelling) = (Some(kind), None, None);
    }

    /// A price of the wire in its instrument's units.
    pub fn price(&self, raw: u64) -> Result<Px, OuchError> {
        let raw = i64::try_from(raw).map_err(|_| OuchError::Scale)?;
        Px::from_venue(raw, PX_DECIMALS, self.scale[0]).map_err(|_| OuchError::Scale)
    }

    /// A quantity of the wire in its instrument's units.
    pub fn units(&self, raw: u32) -> Result<i64, OuchError> {
        let qty = Qty::from_venue(raw.into(), 0, self.scale[1]).map_err(|_| OuchError::Scale)?;
        Ok(qty.0)
    }
}
