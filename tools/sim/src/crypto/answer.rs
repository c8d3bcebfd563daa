//! What a venue answers over HTTP.

/// An answer, and when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When, in nanoseconds; `u64::MAX`: never.
    pub at: u64,
    /// The status: 200, 429 …
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Answer {
    pub(super) fn refused(at: u64, status: u16) -> Answer {
        let body = "{\"code\":-1003,\"msg\":\"Too much request weight used\"}".to_owned();
        Answer { at, status, body }
    }
}
