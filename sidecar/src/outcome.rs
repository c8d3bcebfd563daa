//! What became of an order, a cancel or a replace.

use model::page::{Answer, AnswerKind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fault::Fault;
use crate::order::Progress;
use crate::reply::{Reply, Stamp};
use crate::rule::{self, FailedRule, Judged};
use crate::session::Session;

/// The engine's answer.
#[derive(Serialize, JsonSchema)]
pub struct Outcome {
    /// accepted, refused or recorded.
    status: &'static str,
    passed: bool,
    order_id: Option<String>,
    /// After it.
    order: Option<Progress>,
    failed: Vec<FailedRule>,
}

impl Outcome {
    /// Puts the answer in words, with the order as it stands now.
    ///
    /// # Errors
    ///
    /// A page cannot be read. The message then says what the engine answered.
    pub fn reply(
        session: &Session,
        answer: &Answer,
        judged: &Judged<'_>,
    ) -> Result<Reply<Outcome>, Fault> {
        let passed = answer.verdict.passed();
        let status = match answer.kind {
            AnswerKind::Recorded => "recorded",
            _ if passed => "accepted",
            _ => "refused",
        };
        let (mut stamp, order) = read(session, answer, judged).map_err(|fault| Fault {
            message: format!("the engine answered \"{status}\", but {}", fault.message),
            fix: format!("do not ask for it again; look with orders_list; {}", fault.fix),
            ..fault
        })?;
        let order_id = (answer.order.0 != 0).then(|| answer.order.0.to_string());
        let body = Outcome {
            status,
            passed,
            order_id: stamp.or_why(
                order_id,
                "order_id",
                "the gate refused: there is no such order",
            ),
            order: stamp.or_why(order, "order", "the engine keeps no such order"),
            failed: rule::failed(answer, judged),
        };
        Ok(Reply { stamp, body, refused: !passed })
    }
}

fn read(
    session: &Session,
    answer: &Answer,
    judged: &Judged<'_>,
) -> Result<(Stamp, Option<Progress>), Fault> {
    let mut stamp = session.moment()?.stamp_of_answer(answer, judged.board);
    let cell = session.order(answer.order)?;
    let order = cell.map(|cell| Progress::of(&cell, judged.board, &mut stamp));
    Ok((stamp, order))
}
