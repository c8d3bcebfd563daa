//! Snapshots over HTTP, each on a thread of its own, two at a time: more is not needed, and less memory is.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use feeds::stream::{BODY_MAX, HttpFailure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::socket::is_allowed;

/// Bodies at a time, until the machine has read them.
const AT_ONCE: usize = 2;

/// Status codes by which a venue says that it is asked too often: the second after the first was not heeded.
const TOO_OFTEN: [u16; 2] = [429, 418];
/// How long it is left alone then, unless it says itself.
const PAUSE: Duration = Duration::from_secs(60);
/// And how long at most, whatever it says.
const PAUSE_MAX: Duration = Duration::from_secs(600);

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
    timeout: Duration,
    ban: Ban,
}

impl Bodies {
    pub fn new(timeout: Duration) -> Bodies {
        let config = ureq::Agent::config_builder()
            // An answer by which the venue refuses says for how long.
            .http_status_as_error(false)
            .max_redirects(0)
            // What is plain must stay on this machine, and the stream knows no proxy either.
            .proxy(None)
            .build();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        Bodies { agent: config.into(), permits, timeout, ban: Ban::default() }
    }

    /// Asks for a body when it is its turn. Whoever is dropped meanwhile never asks, nor does anyone whose time is up before its
    /// turn has come: nobody wants the answer any more. A request that is on its way keeps its place until it has ended.
    pub fn get(
        &self,
        request: u32,
        symbol: String,
        url: String,
    ) -> impl Future<Output = Asked> + Send + 'static {
        let (agent, permits, ban) = (self.agent.clone(), self.permits.clone(), self.ban.clone());
        let until = Instant::now() + self.timeout;
        async move {
            let turn = tokio::time::timeout_at(until.into(), permits.acquire_owned()).await;
            let permit = turn.ok().and_then(Result::ok);
            let (body, _permit) = match permit {
                None => (Err(HttpFailure::TimedOut), None),
                Some(permit) => {
                    let ask = move || (get(&agent, &url, until, &ban), Some(permit));
                    let got = tokio::task::spawn_blocking(ask).await;
                    got.unwrap_or((Err(HttpFailure::Unreachable), None))
                }
            };
            Asked { request, symbol, body, _permit }
        }
    }
}

/// Until when the venue is not to be asked, and by which status it said so.
#[derive(Clone, Default)]
struct Ban(Arc<Mutex<Option<(Instant, u16)>>>);

impl Ban {
    /// The status, as long as it holds.
    fn holds(&self) -> Option<u16> {
        let ban = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ban.filter(|(until, _)| Instant::now() < *until).map(|(_, status)| status)
    }

    fn begin(&self, status: u16, retry_after: Option<&str>) {
        let until = Instant::now() + pause(retry_after);
        let mut ban = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two answers the one that lasts longer counts.
        if ban.is_none_or(|(before, _)| before < until) {
            *ban = Some((until, status));
        }
    }
}

/// How long a venue wants to be left alone: seconds, as its header `Retry-After` has them.
fn pause(retry_after: Option<&str>) -> Duration {
    match retry_after.and_then(|text| text.trim().parse().ok()) {
        Some(seconds @ 1..) => Duration::from_secs(seconds).min(PAUSE_MAX),
        _ => PAUSE,
    }
}

/// Asks for a body, unless the venue is not to be asked.
fn get(agent: &ureq::Agent, url: &str, until: Instant, ban: &Ban) -> Result<Vec<u8>, HttpFailure> {
    if !is_allowed(url, "https://", "http://") {
        return Err(HttpFailure::Unreachable);
    }
    if let Some(status) = ban.holds() {
        return Err(HttpFailure::Status(status));
    }
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(HttpFailure::TimedOut);
    }
    let request = agent.get(url).config().timeout_global(Some(left)).build();
    let mut answer = request.call().map_err(|error| failure(&error))?;
    let status = answer.status();
    if TOO_OFTEN.contains(&status.as_u16()) {
        let retry_after = answer.headers().get("retry-after");
        ban.begin(status.as_u16(), retry_after.and_then(|text| text.to_str().ok()));
    }
    if !status.is_success() {
        return Err(HttpFailure::Status(status.as_u16())); // Sent elsewhere: not followed.
    }
    let mut body = Vec::new();
    let reader = answer.body_mut().as_reader();
    let read = reader.take(BODY_MAX as u64 + 1).read_to_end(&mut body);
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err(HttpFailure::TimedOut),
        Err(error) => Err(broken(error)),
        Ok(_) if body.len() > BODY_MAX => Err(HttpFailure::TooLong),
        Ok(_) => Ok(body),
    }
}

/// What an error in mid-body means.
fn broken(error: std::io::Error) -> HttpFailure {
    error.downcast::<ureq::Error>().map_or(HttpFailure::Unreachable, |error| failure(&error))
}

fn failure(error: &ureq::Error) -> HttpFailure {
    match error {
        ureq::Error::Timeout(_) => HttpFailure::TimedOut,
        _ => HttpFailure::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A server that says this to everyone, or nothing; and how many have come.
    fn server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for mut client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                if !answer.is_empty() {
                    let _ = client.read(&mut [0; 1_024]);
                    let _ = client.write_all(answer.as_bytes());
                    continue;
                }
                held.push(client);
            }
        });
        (url, count)
    }

    fn ask(bodies: &Bodies, url: &str, times: u32) -> Vec<Result<Vec<u8>, HttpFailure>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut asked = tokio::task::JoinSet::new();
            for request in 0..times {
                asked.spawn(bodies.get(request, String::new(), url.to_owned()));
            }
            let mut bodies = Vec::new();
            while let Some(asked) = asked.join_next().await {
                bodies.push(asked.unwrap().body);
            }
            bodies
        })
    }

    /// Goal: what nobody waits for any more is not sent: time counts from the ask, not from the turn. Method: a server that is
    /// silent, asked eight times at once, two at a time.
    #[test]
    fn late_ones_are_not_sent() {
        let (url, count) = server("");
        let bodies = Bodies::new(Duration::from_millis(400));
        let began = Instant::now();
        assert_eq!(ask(&bodies, &url, 8), vec![Err(HttpFailure::TimedOut); 8]);
        assert!(began.elapsed() < Duration::from_millis(800), "{:?}", began.elapsed());
        assert_eq!(count.load(Ordering::Relaxed), AT_ONCE);
    }

    /// Goal: a venue that is asked too often is left alone for as long as it says. Method: both statuses; asks meanwhile
    /// bring the status and are not sent, one after the time is.
    #[test]
    fn too_often() {
        for (answer, status) in [
            (
                "HTTP/1.1 429 X\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                429,
            ),
            (
                "HTTP/1.1 418 X\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                418,
            ),
        ] {
            let (url, count) = server(answer);
            let bodies = Bodies::new(Duration::from_secs(10));
            let refused = Err(HttpFailure::Status(status));
            assert_eq!(ask(&bodies, &url, 1), vec![refused.clone(); 1]);
            assert_eq!(ask(&bodies, &url, 5), vec![refused.clone(); 5]);
            assert_eq!(count.load(Ordering::Relaxed), 1, "{status}");
            std::thread::sleep(Duration::from_millis(1_050));
            assert_eq!(ask(&bodies, &url, 1), [refused]);
            assert_eq!(count.load(Ordering::Relaxed), 2, "{status}");
        }
    }

    /// Goal: the venue's own word counts if it is sane. Method: headers.
    #[test]
    fn pauses() {
        for (header, seconds) in [
            (None, 60),
            (Some("5"), 5),
            (Some(" 120 "), 120),
            (Some("259200"), 600),
            (Some("0"), 60),
            (Some("-1"), 60),
            (Some("Wed, 21 Oct 2026 07:28:00 GMT"), 60),
        ] {
            assert_eq!(pause(header), Duration::from_secs(seconds), "{header:?}");
        }
    }
}
