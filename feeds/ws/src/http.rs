//! Snapshots over HTTP, each on a thread of its own, two at a time: more is not needed, and less memory is.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use feeds::stream::HttpFailure;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::socket::is_allowed;

/// Longest body that is taken.
const BODY_MAX: u64 = 32 << 20;
/// Bodies at a time, until the machine has read them.
const AT_ONCE: usize = 2;

/// A body, or why there is none.
pub(crate) struct Asked {
    pub request: u32,
    pub symbol: String,
    pub body: Result<Vec<u8>, HttpFailure>,
    /// The next may be asked for when this one is gone.
    _permit: Option<OwnedSemaphorePermit>,
}

/// Who asks.
pub(crate) struct Bodies {
    agent: ureq::Agent,
    permits: Arc<Semaphore>,
}

impl Bodies {
    pub fn new(timeout: Duration) -> Bodies {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(true)
            .max_redirects(0)
            // What is plain must stay on this machine, and the stream knows no proxy either.
            .proxy(None)
            .build();
        Bodies { agent: config.into(), permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Asks for a body when it is its turn. Whoever is dropped meanwhile never asks, and a request that is on its way keeps its
    /// place until it has ended.
    pub fn get(
        &self,
        request: u32,
        symbol: String,
        url: String,
    ) -> impl Future<Output = Asked> + Send + 'static {
        let (agent, permits) = (self.agent.clone(), self.permits.clone());
        async move {
            let permit = permits.acquire_owned().await.ok();
            let got = tokio::task::spawn_blocking(move || (get(&agent, &url), permit)).await;
            let (body, _permit) = got.unwrap_or((Err(HttpFailure::Unreachable), None));
            Asked { request, symbol, body, _permit }
        }
    }
}

/// Asks for a body.
fn get(agent: &ureq::Agent, url: &str) -> Result<Vec<u8>, HttpFailure> {
    if !is_allowed(url, "https://", "http://") {
        return Err(HttpFailure::Unreachable);
    }
    let mut answer = agent.get(url).call().map_err(|error| failure(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(HttpFailure::Status(status.as_u16())); // Sent elsewhere: not followed.
    }
    let mut body = Vec::new();
    let reader = answer.body_mut().as_reader();
    let read = reader.take(BODY_MAX + 1).read_to_end(&mut body);
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err(HttpFailure::TimedOut),
        Err(error) => Err(broken(error)),
        Ok(_) if body.len() as u64 > BODY_MAX => Err(HttpFailure::TooLong),
        Ok(_) => Ok(body),
    }
}

/// What an error in mid-body means.
fn broken(error: std::io::Error) -> HttpFailure {
    error.downcast::<ureq::Error>().map_or(HttpFailure::Unreachable, |error| failure(&error))
}

fn failure(error: &ureq::Error) -> HttpFailure {
    match error {
        ureq::Error::StatusCode(status) => HttpFailure::Status(*status),
        ureq::Error::Timeout(_) => HttpFailure::TimedOut,
        _ => HttpFailure::Unreachable,
    }
}
