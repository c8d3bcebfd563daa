//! Captured texts in place of a venue: each client hears them from the first, at their own pace or faster.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::Arc;

use super::answer::Answer;
use super::server::Speaker;
use super::session::{Frame, SessionId};

/// A captured text and when it was received, nanoseconds.
type Line = (u64, Arc<str>);

/// Captured texts.
#[derive(Debug)]
pub struct Play {
    texts: Vec<Line>,
    /// Whole books that stood among them: they were asked for by address.
    bodies: Vec<Line>,
    /// By session: when it began, and how many texts it has heard.
    sessions: BTreeMap<u64, (Option<u64>, usize)>,
    next: u64,
    /// Whether texts keep their distances.
    paced: bool,
}

impl Play {
    /// Reads lines `recv_ns SPACE json`, or `seconds: json`; others (what was sent, empty ones) are passed over. A line
    /// that begins with `{"lastUpdateId":` is a body for whoever asks by address, and one that begins with `{"tickgate":` a
    /// remark of the recorder. All of it is kept in memory.
    ///
    /// # Errors
    ///
    /// Those of the reader, and one if no line is a captured text.
    pub fn read(lines: impl BufRead, paced: bool) -> io::Result<Play> {
        let (mut texts, mut bodies) = (Vec::new(), Vec::new());
        for line in lines.lines() {
            let line = line?;
            let Some((ns, text)) = split(&line) else { continue };
            if text.starts_with("{\"tickgate\":") {
                continue;
            }
            let kept =
                if text.starts_with("{\"lastUpdateId\":") { &mut bodies } else { &mut texts };
            kept.push((ns, text.into()));
        }
        if texts.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no line is a captured text"));
        }
        Ok(Play { texts, bodies, sessions: BTreeMap::new(), next: 0, paced })
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none: never.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many texts the client has heard that has heard the most.
    pub fn heard(&self) -> usize {
        self.sessions.values().map(|(_, heard)| *heard).max().unwrap_or(0)
    }
}

/// Time and text of a line.
fn split(line: &str) -> Option<(u64, &str)> {
    let (time, text) = line.split_once(' ')?;
    let ns = match time.strip_suffix(':') {
        None => time.parse().ok()?,
        Some(seconds) => {
            let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
            let part = format!("{part:0<9}");
            whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?
                + part.get(..9)?.parse::<u64>().ok()?
        }
    };
    Some((ns, text))
}

impl Speaker for Play {
    fn open(&mut self, _: u64) -> Option<SessionId> {
        self.next += 1;
        self.sessions.insert(self.next, (None, 0));
        Some(SessionId(self.next))
    }

    fn close(&mut self, session: SessionId) {
        self.sessions.remove(&session.0);
    }

    /// Whatever it says: from its first text on, it hears the captured ones.
    fn on_text(&mut self, session: SessionId, _: &str, now: u64) {
        if let Some((begun, _)) = self.sessions.get_mut(&session.0) {
            begun.get_or_insert(now);
        }
    }

    fn poll(&mut self, session: SessionId, now: u64) -> Option<Frame> {
        let (begun, heard) = self.sessions.get_mut(&session.0)?;
        let since = now.checked_sub((*begun)?)?;
        let (ns, text) = self.texts.get(*heard)?;
        if self.paced && ns.saturating_sub(self.texts.first()?.0) > since {
            return None;
        }
        *heard += 1;
        Some(Frame::Text(text.clone()))
    }

    /// The body that belongs where the first client is: the first that is not older than what it has heard.
    fn get(&mut self, _: &str, now: u64) -> Answer {
        let heard = self.sessions.values().map(|(_, heard)| *heard).next().unwrap_or(0);
        let at = self.texts.get(heard).or(self.texts.last()).map_or(0, |(ns, _)| *ns);
        let body = self.bodies.iter().find(|(ns, _)| *ns >= at).or(self.bodies.last());
        match body {
            Some((_, body)) => Answer { at: now, status: 200, body: body.to_string() },
            None => Answer { at: now, status: 404, body: "{}".to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: lines of both kinds keep their times, pace is kept, bodies are kept apart. Method: a few lines by hand.
    #[test]
    fn plays() {
        let lines = "1 {\"tickgate\":\"open\"}\n5000000000 {\"a\":1}\n\n\
                     wss://x <- 1.5: {\"op\":1}\n6.5: {\"b\":2}\n6000000000 {\"lastUpdateId\":7}\n";
        let mut play = Play::read(lines.as_bytes(), true).unwrap();
        assert_eq!((play.len(), play.is_empty()), (2, false));
        let session = play.open(0).unwrap();
        assert_eq!(play.poll(session, 10), None, "it has not said anything");
        play.on_text(session, "subscribe", 100);
        assert_eq!(play.poll(session, 100), Some(Frame::Text("{\"a\":1}".into())));
        assert_eq!(play.poll(session, 1_500_000_099), None);
        assert_eq!(play.get("/", 7).body, "{\"lastUpdateId\":7}");
        assert_eq!(play.poll(session, 1_500_000_100), Some(Frame::Text("{\"b\":2}".into())));
        assert_eq!((play.poll(session, u64::MAX), play.heard()), (None, 2));
        assert!(Play::read(&b"nothing\n"[..], false).is_err());
    }
}
