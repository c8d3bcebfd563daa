//! What a reader has seen.

/// What a reader has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DbnCounters {
    /// Records, of whatever type: the number of the last.
    pub records: u64,
    /// The venue's sequence of the last record that has one.
    pub last_sequence: u32,
    /// Bytes of the uncompressed streams.
    pub bytes: u64,
    /// Streams begun.
    pub streams: u64,
    /// Market-by-order records.
    pub mbo: u64,
    /// MBP-1, MBP-10 and TBBO records.
    pub mbp: u64,
    /// Records of the trades schema.
    pub trades: u64,
    /// Records of a type that the stream's own schema does not have, or that no book needs.
    pub other: u64,
    /// Orders and trades without a price.
    pub undefined_px: u64,
    /// Records whose receive time is known to be inexact.
    pub bad_ts_recv: u64,
    /// Records flagged as of a book that may be wrong.
    pub maybe_bad_book: u64,
    /// Records of no sense: an action or side that is none, levels out of order or among orders.
    pub bad: u64,
    /// Records of an instrument beyond the table, of which nothing was told.
    pub unlisted: u64,
    /// Records of another publisher than the one whose instrument it is.
    pub other_publishers: u64,
    /// Runs of snapshot records.
    pub snapshots: u64,
}
