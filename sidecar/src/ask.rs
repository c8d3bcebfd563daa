//! A request to the engine and the wait for its answer. The engine never waits; this side does, and
//! not for long.

use std::time::{Duration, Instant};

use model::page::{Answer, AnswerKind};
use model::{AccountId, Ask, DeskId, Note, Origin, Request};

use crate::fault::Fault;
use crate::server::Sidecar;

/// How long an answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Pause between two looks.
const POLL_EACH: Duration = Duration::from_micros(100);

impl Sidecar {
    /// Asks the engine and waits for what became of it.
    ///
    /// # Errors
    ///
    /// It was not sent, it was not judged (over budget), or there is no answer in time: then nobody knows.
    pub async fn ask(&self, account: AccountId, ask: Ask, note: &str) -> Result<Answer, Fault> {
        let note = Note::lossy(note);
        // Number and origin are set on sending, and the engine trusts neither.
        let request = Request { id: 0, origin: Origin::Desk(DeskId(0)), account, ask, note };
        let number = self.session().send(&request)?;
        let answer = self.wait_for(number).await;
        self.session().forget(number);
        judged(answer.ok_or_else(unknown_outcome)?)
    }

    async fn wait_for(&self, number: u64) -> Option<Answer> {
        let start = Instant::now();
        while start.elapsed() < ANSWER_WITHIN {
            match self.session().answer(number) {
                Ok(None) => {}
                Ok(answer) => return answer,
                Err(_) => return None,
            }
            // The runtime's own timers count whole milliseconds.
            std::thread::sleep(POLL_EACH);
            tokio::task::yield_now().await;
        }
        None
    }
}

fn judged(answer: Answer) -> Result<Answer, Fault> {
    match answer.kind {
        AnswerKind::OverBudget => Err(Fault::new(
            "over_budget",
            "this client asks faster than the engine allows; nothing happened",
            "wait a second, then send the same again; the same client_request_id is safe",
        )),
        AnswerKind::Malformed => Err(Fault::new(
            "malformed",
            "the engine could not read the request; nothing happened",
            "report this: sidecar and engine disagree; trade from elsewhere meanwhile",
        )),
        _ => Ok(answer),
    }
}

fn unknown_outcome() -> Fault {
    Fault::new(
        "unknown_outcome",
        "the engine took the request but did not answer within 1 s: it may or may not have been done",
        "look with orders_list; the same client_request_id with the same terms is safe to send again",
    )
}
