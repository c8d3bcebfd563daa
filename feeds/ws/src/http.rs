//! Snapshots over HTTP, on a thread of their own: one request at a time is all that a venue's limits allow.

use std::io::Read;
use std::time::Duration;

use feeds::stream::HttpFailure;

use crate::socket::is_allowed;

/// Longest body that is taken.
const BODY_MAX: u64 = 32 << 20;
/// Longest wait for an answer, from the request to the end of its body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Who asks.
pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(true)
        .max_redirects(0)
        .build();
    config.into()
}

/// Asks for a body.
pub(crate) fn get(agent: &ureq::Agent, url: &str) -> Result<Vec<u8>, HttpFailure> {
    if !is_allowed(url, "https://", "http://") {
        return Err(HttpFailure::Unreachable);
    }
    let mut answer = agent.get(url).call().map_err(|error| failure(&error))?;
    let mut body = Vec::new();
    let reader = answer.body_mut().as_reader();
    let read = reader.take(BODY_MAX + 1).read_to_end(&mut body);
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err(HttpFailure::TimedOut),
        Err(_) => Err(HttpFailure::Unreachable),
        Ok(_) if body.len() as u64 > BODY_MAX => Err(HttpFailure::TooLong),
        Ok(_) => Ok(body),
    }
}

fn failure(error: &ureq::Error) -> HttpFailure {
    match error {
        ureq::Error::StatusCode(status) => HttpFailure::Status(*status),
        ureq::Error::Timeout(_) => HttpFailure::TimedOut,
        _ => HttpFailure::Unreachable,
    }
}
