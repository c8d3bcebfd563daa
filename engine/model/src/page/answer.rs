//! What the engine answers to a desk.

use crate::OrderId;
use crate::num::{Qty, Ts};
use crate::order::OrderState;
use crate::state::codes;
use crate::verdict::{Finding, Headroom, Reject, Verdict};
use crate::words::{BadWord, WordReader, WordWriter};

/// Checks whose numbers fit an answer.
pub const FINDINGS_MAX: usize = 56;

const _: () = {
    let [.., last] = Reject::ALL else { panic!() };
    assert!(last.slot() < FINDINGS_MAX, "a check without a place in an answer");
};

codes!(
    /// What became of a request.
    AnswerKind {
        /// It was done: the order passed the gate, the cancel or replace is on its way, the halt is in force.
        Accepted = 1 => "accepted",
        /// It was judged and refused; see the verdict.
        Refused = 2 => "refused",
        /// The same request was answered before; this is what was said then, and nothing happened now.
        Recorded = 3 => "recorded",
        /// The answer to a check: what the gate would say now.
        Checked = 4 => "checked",
        /// Its bytes were not a request; nothing happened.
        Malformed = 5 => "malformed",
        /// The desk asked faster than its budget allows; nothing happened.
        OverBudget = 6 => "over_budget",
    }
);

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The asker's number of the request; zero if it could not be read.
    pub request: u64,
    /// Number of the input that the request became, or of the last input if it became none.
    pub engine_seq: u64,
    /// Engine time.
    pub now: Ts,
    /// What became of it.
    pub kind: AnswerKind,
    /// The order concerned; zero if there is none.
    pub order: OrderId,
    /// Where that order stood right after the request.
    pub state: Option<OrderState>,
    /// What the gate said.
    pub verdict: Verdict,
    /// Of a refusal for a soft limit alone: the number by which an operator can approve the order; zero: there is none.
    pub approval: u32,
    /// How much of the order would pass; only for a check.
    pub headroom: Option<Headroom>,
    /// Every check with its numbers, at its [`Reject::slot`]; only for a check. Free places are `None`.
    pub findings: [Option<Finding>; FINDINGS_MAX],
}

impl Answer {
    /// Words of an answer.
    pub const WORDS: usize = 12 + FINDINGS_MAX * 5;

    /// An answer without order, verdict or findings.
    pub const fn bare(request: u64, engine_seq: u64, now: Ts, kind: AnswerKind) -> Answer {
        let (order, verdict) = (OrderId(0), Verdict::pass());
        Answer {
            request,
            engine_seq,
            now,
            kind,
            order,
            state: None,
            verdict,
            approval: 0,
            headroom: None,
            findings: [None; FINDINGS_MAX],
        }
    }

    /// The answer as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        to.u64(self.request);
        to.u64(self.engine_seq);
        to.u64(self.now.0);
        let state = self.state.map_or(0, OrderState::code);
        let binds = self.headroom.map_or(0, |headroom| headroom.binds.code());
        let [a, b, c, d] = self.approval.to_le_bytes();
        to.bytes([self.kind.code(), state, binds, 0, a, b, c, d]);
        to.u64(self.order.0);
        to.u64(self.verdict.bits);
        write_finding(&mut to, self.verdict.primary);
        to.i64(self.headroom.map_or(0, |headroom| headroom.qty.0));
        self.findings.iter().for_each(|finding| write_finding(&mut to, *finding));
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Answer, BadWord> {
        let mut from = WordReader::new(words);
        let [request, engine_seq, now] = core::array::from_fn(|_| from.u64());
        let [kind, state, binds, _, approval @ ..] = from.bytes();
        let kind = from.legal(AnswerKind::from_code(kind))?;
        let state = match state {
            0 => None,
            code => Some(from.legal(OrderState::from_code(code))?),
        };
        let binds = match binds {
            0 => None,
            code => Some(from.legal(Reject::from_code(code))?),
        };
        let order = OrderId(from.u64());
        let bits = from.u64();
        let primary = read_finding(&mut from)?;
        let qty = Qty(from.i64());
        let headroom = binds.map(|binds| Headroom { qty, binds });
        let mut findings = [None; FINDINGS_MAX];
        for finding in &mut findings {
            *finding = read_finding(&mut from)?;
        }
        let verdict = Verdict { bits, primary };
        let now = Ts(now);
        let approval = u32::from_le_bytes(approval);
        Ok(Answer {
            request,
            engine_seq,
            now,
            kind,
            order,
            state,
            verdict,
            approval,
            headroom,
            findings,
        })
    }
}

fn write_finding(to: &mut WordWriter<'_>, finding: Option<Finding>) {
    let code = finding.map_or(0, |f| f.code.code());
    let failed = finding.is_some_and(|f| f.failed);
    to.bytes([code, failed.into(), 0, 0, 0, 0, 0, 0]);
    to.i128(finding.map_or(0, |f| f.limit));
    to.i128(finding.map_or(0, |f| f.used));
}

fn read_finding(from: &mut WordReader<'_>) -> Result<Option<Finding>, BadWord> {
    let [code, failed, ..] = from.bytes();
    let code = match code {
        0 => None,
        code => Some(from.legal(Reject::from_code(code))?),
    };
    let (limit, used) = (from.i128(), from.i128());
    Ok(code.map(|code| Finding { code, failed: failed == 1, limit, used }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the answer fits its words and survives them. Method: findings at both ends.
    #[test]
    fn words_read_back() {
        let mut answer = Answer::bare(1, 2, Ts(3), AnswerKind::Checked);
        answer.order = OrderId::new(4, 5);
        answer.state = Some(OrderState::Working);
        answer.approval = u32::MAX - 1;
        let finding = Finding::at_most(Reject::Gross, i128::MAX, i128::MIN);
        answer.verdict.fold(finding);
        answer.headroom = Some(Headroom { qty: Qty(-6), binds: Reject::Clip });
        answer.findings[0] = Some(finding);
        answer.findings[FINDINGS_MAX - 1] = Some(Finding::holds(Reject::Cash, true));
        assert_eq!(Answer::from_words(&answer.to_words()), Ok(answer));
        assert!(Answer::from_words(&[0; Answer::WORDS]).is_err());
    }
}
