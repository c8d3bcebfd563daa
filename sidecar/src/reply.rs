//! The envelope of every result: what moment it describes, in which mode, how far it may be believed.

use std::collections::BTreeMap;

use model::page::{Answer, AsOf as PageAsOf, Board, Control};
use model::{Cause, Integrity};
use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::fault::{Fault, Refusal};

/// The moment that an answer describes: the number of the input after which it was true, venue time and
/// receive time of the last event in it, and how long before this answer that was received.
#[derive(Serialize, JsonSchema)]
pub struct AsOf {
    pub engine_seq: u64,
    pub ts_venue_ns: Option<String>,
    pub ts_recv_ns: String,
    pub age_us: u64,
}

/// What stands on every answer.
#[derive(Serialize, JsonSchema)]
pub struct Stamp {
    /// The moment described.
    pub as_of: AsOf,
    /// What becomes of orders that pass: paper, replay or live.
    pub mode: &'static str,
    /// How far the book may be believed: live, incomplete, stale, crossed or recovering.
    pub integrity: &'static str,
    /// Why it is not live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity_cause: Option<&'static str>,
    /// Why a field is null, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub null_reasons: BTreeMap<&'static str, &'static str>,
}

/// What the sidecar itself has to say with an answer.
#[derive(Default, Serialize)]
pub struct Notice {
    /// The engine was started again since the answer before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_restarted: Option<bool>,
    /// Its epoch now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// Its epoch then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_epoch: Option<String>,
}

/// The engine at the moment of a call.
#[derive(Clone, Copy)]
pub struct Moment {
    /// Its page.
    pub control: Control,
    /// Nanoseconds since its last sign of life.
    pub silence_ns: u64,
}

impl Moment {
    /// The stamp of an answer about the engine as a whole; one that gives no sign of life is a
    /// fault instead.
    pub fn stamp(&self) -> Stamp {
        let page = PageAsOf {
            engine_seq: self.control.engine_seq,
            ts_recv: self.control.now,
            ..Default::default()
        };
        let mut stamp = self.stamp_of(&page, Integrity::Live, Cause::None);
        stamp.as_of.ts_venue_ns = None;
        stamp.why("as_of.ts_venue_ns", "about the engine as a whole, not about one venue event");
        stamp
    }

    /// The stamp of an answer about one page.
    pub fn stamp_of(&self, page: &PageAsOf, integrity: Integrity, cause: Cause) -> Stamp {
        Stamp {
            as_of: self.as_of(page),
            mode: self.control.mode.name(),
            integrity: integrity.name(),
            integrity_cause: cause_name(cause),
            null_reasons: BTreeMap::new(),
        }
    }

    /// The stamp of the engine's answer to a request, with the integrity of the book that it was about.
    pub fn stamp_of_answer(&self, answer: &Answer, board: &Board) -> Stamp {
        let moment = PageAsOf {
            engine_seq: answer.engine_seq,
            ts_venue: board.as_of.ts_venue,
            ts_recv: answer.now,
        };
        self.stamp_of(&moment, board.integrity, board.cause)
    }

    /// The moment of one page. While the engine is silent its pages age.
    pub fn as_of(&self, page: &PageAsOf) -> AsOf {
        let age_ns = self.control.now.since(page.ts_recv).saturating_add(self.silence_ns);
        AsOf {
            engine_seq: page.engine_seq,
            ts_venue_ns: Some(page.ts_venue.0.to_string()),
            ts_recv_ns: page.ts_recv.0.to_string(),
            age_us: age_ns / 1_000,
        }
    }
}

/// The name of a cause, if there is one.
pub fn cause_name(cause: Cause) -> Option<&'static str> {
    (cause != Cause::None).then(|| cause.name())
}

impl Stamp {
    /// Says why `field` is null.
    pub fn why(&mut self, field: &'static str, reason: &'static str) {
        self.null_reasons.insert(field, reason);
    }

    /// Passes `value` on, and says why it is null if it is.
    pub fn or_why<T>(
        &mut self,
        value: Option<T>,
        field: &'static str,
        reason: &'static str,
    ) -> Option<T> {
        if value.is_none() {
            self.why(field, reason);
        }
        value
    }
}

/// What a tool answers with.
#[derive(Serialize)]
pub struct Reply<T> {
    /// The envelope.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The content.
    #[serde(flatten)]
    pub body: T,
    /// Whether it says no to what was asked.
    #[serde(skip)]
    pub refused: bool,
}

impl<T> Reply<T> {
    /// An answer that says yes.
    pub fn new(stamp: Stamp, body: T) -> Reply<T> {
        Reply { stamp, body, refused: false }
    }
}

/// The result of a call as the protocol wants it: the same object as structured content and as text.
pub fn result<T: Serialize>(outcome: Result<Reply<T>, Fault>, notice: &Notice) -> CallToolResult {
    let refused = outcome.as_ref().map_or(true, |reply| reply.refused);
    let body = match outcome {
        Ok(reply) => serde_json::to_value(reply),
        Err(error) => serde_json::to_value(Refusal { error }),
    };
    let joined = body.and_then(|body| join(body, notice));
    match joined {
        Ok(body) if refused => CallToolResult::structured_error(body),
        Ok(body) => CallToolResult::structured(body),
        Err(error) => CallToolResult::structured_error(Value::String(error.to_string())),
    }
}

fn join(mut body: Value, notice: &Notice) -> serde_json::Result<Value> {
    let notice = serde_json::to_value(notice)?;
    if let (Value::Object(body), Value::Object(notice)) = (&mut body, notice) {
        body.extend(notice);
    }
    Ok(body)
}
