//! What is missing before the next message can go out, and what is done about it.

use model::Ts;

use super::{Arbiter, Arbitrated, Line};
use crate::session::mold::{Header, PacketKind, Request};

/// Whether something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapState {
    /// Nothing that is known of.
    None,
    /// The other line may still bring it.
    Waiting,
    /// It was asked for.
    Asked,
}

/// Sequences that a single packet may be ahead of all that is known. What lies farther waits for a second one
/// that tells the same: a stray packet, or a broken one, must not make the lines' own messages the past.
pub(super) const FAR: u64 = 1 << 16;

/// The highest sequence that was told of, by packets that hold no messages or found no room.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claim {
    /// The next message has this sequence.
    pub(super) end: u64,
    /// When anything missing was first told of.
    pub(super) since: Ts,
    /// Packets that bear it out.
    pub(super) by: u32,
    /// Packets since that told of less.
    pub(super) against: u32,
}

impl Claim {
    /// Whether it is far from `next`, and little or nothing but its own word speaks for it.
    fn is_far(&self, next: u64) -> bool {
        let weak = self.by < 2 || self.against / 16 > self.by;
        weak && self.end.saturating_sub(next) > FAR
    }
}

/// The gap before the first message that is held, or before what a heartbeat told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// The first sequence missing.
    at: u64,
    /// When to act, if nothing comes.
    deadline: Ts,
    /// When it must be closed for good, if it was asked for.
    give_up: Ts,
    asked: bool,
    attempts: u32,
}

impl Gap {
    pub(super) fn wake_at(&self) -> Ts {
        if self.asked { self.deadline.min(self.give_up) } else { self.deadline }
    }
}

impl Arbiter {
    /// Whether something is missing.
    pub fn gap(&self) -> GapState {
        match self.gap {
            None => GapState::None,
            Some(gap) if gap.asked => GapState::Asked,
            Some(_) => GapState::Waiting,
        }
    }

    /// The next request to send to the re-request server; every one is said once.
    pub fn next_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    /// Looks at what is missing now and waits for it; when its time has come it is asked for, or given up. That is said by the
    /// clock or an answer, never by a packet of a `line`: they are read in turn, and the other one's may lie there unread.
    pub(super) fn reassess<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        line: Option<Line>,
        now: Ts,
        out: &mut F,
    ) {
        let Some((end, seen)) = self.gap_end() else {
            (self.gap, self.request) = (None, None);
            return;
        };
        let until = Ts(seen.0.saturating_add(self.options.gap_wait_ns));
        let mut gap = match self.gap {
            Some(gap) if gap.at == self.next => gap,
            // The answer to what was asked is under way, whatever the lines bring meanwhile. If it breaks off,
            // the rest is asked for.
            Some(gap) if gap.asked && self.next < self.asked_end => {
                let gap = Gap { at: self.next, ..gap };
                let rest = Ts(now.0.saturating_add(self.options.gap_wait_ns));
                if line == Some(Line::Answer) {
                    Gap { deadline: rest, attempts: 0, ..gap }
                } else {
                    gap
                }
            }
            Some(gap) => Gap { at: self.next, deadline: until, asked: false, attempts: 0, ..gap },
            None => {
                self.counters.gaps += 1;
                let give_up = Ts(u64::MAX);
                Gap { at: self.next, deadline: until, give_up, asked: false, attempts: 0 }
            }
        };
        if matches!(line, Some(Line::A | Line::B)) {
            self.gap = Some(gap);
            return;
        }
        let is_due = now >= gap.deadline;
        // Nobody is asked for what is out of all reach.
        let is_far = self.held.is_empty() && self.claim.is_far(self.next);
        let tried = gap.attempts >= self.options.attempts_max;
        if now >= gap.give_up || is_due && (is_far || tried) {
            // Not by an answer: what is missing may lie unread in a line.
            if line.is_none() {
                self.give_up(now, out)
            } else {
                self.gap = Some(gap)
            }
            return;
        }
        if now >= gap.deadline {
            let count = (end - self.next).min(self.options.request_messages_max.into()) as u16;
            self.request = Some(Request { session: self.session, first: self.next, count });
            self.asked_end = self.next + u64::from(count);
            self.counters.requests += 1;
            gap.asked = true;
            gap.attempts += 1;
            gap.deadline = Ts(now.0.saturating_add(self.options.request_timeout_ns));
            if gap.give_up == Ts(u64::MAX) {
                gap.give_up = Ts(now.0.saturating_add(self.options.recovery_ns_max));
            }
        }
        self.gap = Some(gap);
    }

    /// Where the first gap ends, and when it was seen; `None` if nothing is missing.
    fn gap_end(&self) -> Option<(u64, Ts)> {
        if let Some(slot) = self.held.front() {
            return Some((slot.first, slot.seen));
        }
        (self.claim.end > self.next).then_some((self.claim.end, self.claim.since))
    }

    /// Gives up all that is missing, so that what is held goes out. A server that has not answered for one
    /// gap will not for the others, and each would cost as long.
    pub(super) fn give_up<F: FnMut(Arbitrated<'_>)>(&mut self, now: Ts, out: &mut F) {
        (self.gap, self.request) = (None, None);
        // Each round ends one gap: at most one before each slot, and one behind the last.
        while let Some((end, _)) = self.gap_end() {
            if self.disbelieve() {
                continue;
            }
            let (first, count) = (self.next, end - self.next);
            self.counters.lost = self.counters.lost.saturating_add(count);
            self.next = end;
            out(Arbitrated::Lost { first, count, now });
            self.drain(out);
        }
    }

    /// Forgets what one packet alone told, if the lines have contradicted it, or it is out of all reach. If it
    /// was true they will tell it again.
    fn disbelieve(&mut self) -> bool {
        if let Some(slot) = self.held.front().copied() {
            let doubtful = self.held.len() == 1 && self.moved > slot.seen;
            if doubtful {
                self.held.pop();
                self.line_mut(slot.line).counters.dropped += slot.end - slot.first;
                self.counters.disbelieved += 1;
            }
            return doubtful;
        }
        let Claim { end, by, against, .. } = self.claim;
        let doubtful = (by < 2 && against > 0) || self.claim.is_far(self.next);
        if doubtful {
            self.claim = Claim::default();
            self.doubted = end;
            self.end = self.end.filter(|told| told.at != end);
            self.counters.disbelieved += 1;
        }
        doubtful
    }

    /// The venue's next sequence is at least `end`.
    pub(super) fn know(&mut self, end: u64, now: Ts) {
        let Claim { end: known, since, by, .. } = self.claim;
        let missing = known > self.next;
        if end > known {
            let again =
                end >= self.doubted && end - self.doubted <= FAR && self.doubted > self.next;
            let by = match missing && end - known <= FAR {
                true => by.saturating_add(1),
                false => 1 + u32::from(again),
            };
            self.claim = Claim { end, since: if missing { since } else { now }, by, against: 0 };
        } else if end == known && missing {
            self.claim.by = by.saturating_add(1);
        }
    }

    /// Holds a packet of a line against what is said to be missing.
    #[cold]
    pub(super) fn weigh(&mut self, line: Line, end: u64, now: Ts) {
        if line == Line::Answer || end < self.next {
            return;
        }
        if end == self.next {
            self.moved = now;
        }
        if end < self.claim.end {
            self.claim.against = self.claim.against.saturating_add(1);
        }
    }

    /// The first sequence that no single packet can speak for.
    pub(super) fn horizon(&self) -> u64 {
        let told = if self.claim.by > 1 { self.claim.end } else { 0 };
        let held = self.held.last().map_or(0, |slot| slot.first);
        self.next.max(told).max(held).saturating_add(FAR)
    }

    /// Where the part of an answer ends that was asked for; `None`: nothing of it was.
    #[cold]
    pub(super) fn asked_part(&self, header: &Header, end: u64) -> Option<u64> {
        let asked = self.gap.is_some_and(|gap| gap.asked)
            && header.kind() == PacketKind::Messages
            && header.first < self.asked_end
            && end > self.next;
        asked.then(|| end.min(self.asked_end))
    }
}
