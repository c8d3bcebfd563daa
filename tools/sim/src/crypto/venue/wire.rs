//! The way from the venue to a client, and what is spoilt on it.

use super::{CryptoVenue, Frame, SECOND, Tag};
use crate::crypto::faults::{Fault, STRANGE};
use crate::crypto::session::Outgoing;

/// Bytes of a text that no client should take.
const OVERSIZE: usize = (16 << 20) + 1;
/// Longest way of a frame, nanoseconds.
const WAY_NS: u64 = 30_000_000;

impl CryptoVenue {
    /// Sends a frame as it is.
    pub(super) fn push(&mut self, id: u64, frame: Frame, tag: Option<Tag>) {
        let due = self.now + self.rng.below(WAY_NS);
        if let Some(session) = self.sessions.get_mut(&id)
            && !session.push(Outgoing { due, frame, tag })
        {
            self.counters.cut += 1;
        }
    }

    fn push_text(&mut self, id: u64, text: String, tag: Option<Tag>) {
        if let Some(tag) = tag {
            self.remember(&text, tag);
        }
        self.push(id, Frame::Text(text.into()), tag);
    }

    /// Sends a text, or what becomes of it on the way.
    pub(super) fn say(&mut self, id: u64, text: String, tag: Option<Tag>) {
        let (faults, protocol) = (self.config.faults, self.config.protocol);
        let is_book = tag.is_some();
        let is_whole = tag.is_some_and(|tag| tag.whole);
        let may_go = protocol.shows_loss() || !is_book;
        let may_move = protocol.shows_order() && !is_whole && is_book;
        let mut strikes = |fault| faults.strikes(fault, &mut self.rng);
        let spoilt = self.counters.spoilt;
        self.counters.spoilt += 1;
        if strikes(Fault::Drop) && may_go {
        } else if strikes(Fault::Oversize) {
            self.push(id, Frame::Oversize(OVERSIZE), tag);
        } else if strikes(Fault::Truncate) {
            let rubbish = self.rubbish(&text);
            self.push_text(id, rubbish, tag);
        } else if strikes(Fault::Checksum)
            && let Some(text) = wrong_checksum(&text)
        {
            self.push_text(id, text, tag);
        } else if strikes(Fault::Reorder) && may_move {
            if let Some(tag) = tag {
                self.remember(&text, tag);
            }
            let (back, due) = (1 + self.rng.below(3) as usize, self.now);
            let frame = Frame::Text(text.into());
            if let Some(session) = self.sessions.get_mut(&id).filter(|session| !session.over) {
                session.push_before(Outgoing { due, frame, tag }, back);
            }
        } else if strikes(Fault::Duplicate) && is_book {
            self.push_text(id, text.clone(), tag);
            self.push_text(id, text, tag);
        } else if strikes(Fault::LateCopy) && may_move {
            self.push_text(id, text.clone(), tag);
            self.push_late(id, text, tag);
        } else {
            if strikes(Fault::Strange) {
                let strange = STRANGE[self.rng.below(STRANGE.len() as u64) as usize];
                self.push(id, Frame::Text(strange.into()), None);
            } else {
                self.counters.spoilt = spoilt;
            }
            self.push_text(id, text, tag);
        }
    }

    /// Some time passes before it, and those that come meanwhile pass too.
    fn push_late(&mut self, id: u64, text: String, tag: Option<Tag>) {
        let later = self.now + self.rng.below(SECOND / 2);
        let (now, stall) = (self.now, later.saturating_sub(self.now));
        self.now = now + stall;
        self.push(id, Frame::Text(text.into()), tag);
        self.now = now;
    }

    /// The beginning of a text and rubbish, which is never the same twice.
    fn rubbish(&mut self, text: &str) -> String {
        self.rubbish += 1;
        let mut len = self.rng.below(text.len() as u64) as usize;
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        format!("{}\u{1}#{}", &text[..len], self.rubbish)
    }

    /// What happens to a connection now and then.
    pub(super) fn disturb(&mut self, id: u64) {
        let (faults, now) = (self.config.faults, self.now);
        if faults.strikes(Fault::Stall, &mut self.rng) {
            let until = now + self.rng.below(20 * SECOND);
            if let Some(session) = self.sessions.get_mut(&id) {
                session.stalled_until = until;
            }
        }
        if faults.strikes(Fault::Cut, &mut self.rng) {
            self.cut(id, now);
        }
        if faults.strikes(Fault::Farewell, &mut self.rng)
            && let Some(text) = self.dialect.farewell()
        {
            self.push(id, Frame::Text(text.into()), None);
            self.end(id, now + SECOND);
        }
    }

    fn cut(&mut self, id: u64, at: u64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            self.counters.cut += 1;
            session.cut(at);
        }
    }

    /// The connection ends behind what is on its way.
    fn end(&mut self, id: u64, at: u64) {
        if let Some(session) = self.sessions.get_mut(&id)
            && !session.over
        {
            self.counters.cut += 1;
            session.push(Outgoing { due: at, frame: Frame::Close, tag: None });
            session.over = true;
        }
    }

    /// The connection ends in a moment: what was said last may still arrive.
    pub(super) fn cut_soon(&mut self, id: u64) {
        let at = self.now + self.rng.below(SECOND / 2);
        self.end(id, at);
    }
}

/// A text with another checksum; `None`: it has none.
fn wrong_checksum(text: &str) -> Option<String> {
    let at = text.find("\"checksum\":")? + "\"checksum\":".len();
    let end = at + text[at..].find([',', '}'])?;
    let sum: i64 = text[at..end].parse().ok().filter(|sum| *sum != 0)?;
    Some(format!("{}{}{}", &text[..at], sum ^ 0x11, &text[end..]))
}
