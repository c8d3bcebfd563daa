//! What a venue says of an order of ours.

use crate::id::OrderId;
use crate::num::{Px, Qty};
use crate::state::codes;
use crate::words::BadWord;

codes!(
    /// What happened to the order.
    ReportKind {
        /// It rests, or will be matched, at the venue.
        Ack = 1 => "ack",
        /// A part or all of it traded.
        Fill = 2 => "fill",
        /// What was open is gone.
        Cancelled = 3 => "cancelled",
        /// The venue refused it; it never lived.
        Rejected = 4 => "rejected",
        /// It has new terms.
        Replaced = 5 => "replaced",
        /// The replace was refused; the old terms stand.
        ReplaceRejected = 6 => "replace_rejected",
        /// The cancel was refused.
        CancelRejected = 7 => "cancel_rejected",
    }
);

/// One report of a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// What happened.
    pub kind: ReportKind,
    /// Our order.
    pub order: OrderId,
    /// The venue's number of this execution, unique per venue and day; zero where nothing traded.
    pub exec_id: u64,
    /// Fill: trade price. Replaced: new limit. In price units.
    pub px: Px,
    /// Fill: quantity traded. Replaced: new total quantity. In quantity units.
    pub qty: Qty,
}

impl Report {
    /// Words of a report.
    pub const WORDS: usize = 5;

    /// The report as words.
    pub const fn to_words(&self) -> [u64; Self::WORDS] {
        let kind = self.kind as u64;
        [kind, self.order.0, self.exec_id, self.px.0.cast_unsigned(), self.qty.0.cast_unsigned()]
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] for an undefined kind.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Report, BadWord> {
        let [kind, order, exec_id, px, qty] = *words;
        let kind = u8::try_from(kind).ok().and_then(ReportKind::from_code).ok_or(BadWord(0))?;
        Ok(Report {
            kind,
            order: OrderId(order),
            exec_id,
            px: Px(px.cast_signed()),
            qty: Qty(qty.cast_signed()),
        })
    }
}
