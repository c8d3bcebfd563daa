//! The asking end: a tool's.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::passphrase::wipe;
use crate::socket::{RELOAD_MAX, REQUEST_MAX};
use crate::words::{Answer, Request};

/// Longest answer.
const ANSWER_MAX: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("no engine listens there")]
    NoEngine,
    /// Whoever listens is neither this user, nor root, nor the owner of the socket's folder.
    #[error("what listens there is another user's; it is told nothing")]
    Foreign,
    /// It did not answer in time.
    #[error("the engine does not answer; it may be stopped")]
    Silent,
    /// What it said is no answer.
    #[error("what answers is no engine of this version")]
    NoAnswer,
    /// The operating system refused.
    #[error("cannot speak to the engine: {0}")]
    Io(#[source] std::io::Error),
}

/// Asks the engine that listens at `path`, and waits at most `patience` for its answer.
///
/// # Errors
///
/// [`AskError`]; what was asked may have been done, unless nobody listened.
pub fn ask(path: &Path, request: &Request, patience: Duration) -> Result<Answer, AskError> {
    let until = Instant::now() + patience;
    let mut socket = UnixStream::connect(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => AskError::NoEngine,
        _ => AskError::Io(error),
    })?;
    let peer = rustix::net::sockopt::socket_peercred(&socket);
    let peer = peer.map_err(|error| AskError::Io(error.into()))?.uid.as_raw();
    let folder = path.parent().and_then(|folder| folder.metadata().ok());
    let ours = [Some(0), Some(rustix::process::geteuid().as_raw()), folder.map(|f| f.uid())];
    if !ours.contains(&Some(peer)) {
        return Err(AskError::Foreign);
    }
    // At once as long as it may be: growing would leave copies behind.
    let mut line = Vec::with_capacity(match request {
        Request::Reload(_) => RELOAD_MAX,
        _ => REQUEST_MAX,
    });
    serde_json::to_writer(&mut line, request).map_err(|error| AskError::Io(error.into()))?;
    line.push(b'\n');
    let sent = socket.set_write_timeout(Some(patience)).and_then(|()| socket.write_all(&line));
    wipe(&mut line);
    sent.map_err(silent)?;
    let mut answer = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(left)).map_err(AskError::Io)?;
        let count = match socket.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(silent)?,
        };
        answer.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if let Some(line) = answer.strip_suffix(b"\n") {
            return serde_json::from_slice(line).map_err(|_| AskError::NoAnswer);
        }
        if count == 0 || answer.len() > ANSWER_MAX {
            return Err(AskError::NoAnswer);
        }
        if Instant::now() >= until {
            return Err(AskError::Silent);
        }
    }
}

fn silent(error: std::io::Error) -> AskError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => AskError::Silent,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => AskError::NoAnswer,
        _ => AskError::Io(error),
    }
}
