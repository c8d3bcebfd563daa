//! What became of an order, a cancel or a replace.

use model::page::{Answer, AnswerKind, OrderCell};
use model::{OrderId, OrderState};
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
    /// accepted, recorded, refused (by the gate) or rejected (by the venue).
    status: &'static str,
    /// The gate.
    passed: bool,
    order_id: Option<String>,
    /// After it.
    order: Option<Progress>,
    failed: Vec<FailedRule>,
}

impl Outcome {
    /// Puts the answer in words, with the order as it stands now. `about`: the order that a change was asked of; zero: none.
    ///
    /// # Errors
    ///
    /// A page cannot be read. The message then says what the engine answered.
    pub fn reply(
        session: &Session,
        answer: &Answer,
        about: OrderId,
        judged: &Judged<'_>,
    ) -> Result<Reply<Outcome>, Fault> {
        let passed = answer.verdict.passed();
        let id = if answer.order.0 == 0 { about } else { answer.order };
        let status = |rejected| match answer.kind {
            AnswerKind::Recorded => "recorded",
            _ if !passed => "refused",
            _ if rejected => "rejected",
            _ => "accepted",
        };
        let (mut stamp, cell) = read(session, answer, id, judged).map_err(|fault| Fault {
            message: format!("the engine answered \"{}\", but {}", status(false), fault.message),
            fix: format!("do not ask for it again; look with orders_list; {}", fault.fix),
            ..fault
        })?;
        let rejected = cell.is_some_and(|cell| cell.state == OrderState::Rejected);
        let order = cell.map(|cell| Progress::of(&cell, judged.board, &mut stamp));
        let order_id = (id.0 != 0).then(|| id.0.to_string());
        let body = Outcome {
            status: status(rejected),
            passed,
            order_id: stamp.or_why(
                order_id,
                "order_id",
                "the gate refused: there is no such order",
            ),
            order: stamp.or_why(order, "order", "the engine keeps no such order"),
            failed: rule::failed(answer, judged),
        };
        Ok(Reply { stamp, body, refused: !passed || rejected })
    }
}

fn read(
    session: &Session,
    answer: &Answer,
    id: OrderId,
    judged: &Judged<'_>,
) -> Result<(Stamp, Option<OrderCell>), Fault> {
    let stamp = session.moment()?.stamp_of_answer(answer, judged.board);
    Ok((stamp, session.order(id)?))
}
