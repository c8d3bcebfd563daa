//! What is known of one line: how much it carried, lost, and lagged.

use model::Ts;

/// Where a packet came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// The first line, or the only one.
    A,
    /// The second line.
    B,
    /// The re-request server.
    Answer,
}

/// What a line has carried. Messages are wins, duplicates, dropped, or still held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Packets of the session, heartbeats included.
    pub packets: u64,
    /// Messages in them.
    pub messages: u64,
    /// Messages that this line brought first.
    pub wins: u64,
    /// Messages that were there already.
    pub duplicates: u64,
    /// Messages that found no room in the reorder buffer.
    pub dropped: u64,
    /// Sequences that the line passed over.
    pub losses: u64,
    /// Packets that came after a later one of the same line.
    pub late: u64,
    /// Packets refused whole.
    pub malformed: u64,
    /// Packets of another session, and answers that nothing was asked for.
    pub foreign: u64,
    /// Heartbeats and ends of session.
    pub heartbeats: u64,
    /// Times that the line fell silent.
    pub deaths: u64,
    /// Nanoseconds that the last duplicate of a packet came after the other line's copy.
    pub skew_ns_last: u64,
    /// The largest of those.
    pub skew_ns_max: u64,
}

/// Holes of a line that a late packet may still fill; of more, the oldest are forgotten and stay losses.
const HOLES: usize = 64;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct LineState {
    pub(super) counters: LineCounters,
    /// Sequence after the highest carried; zero before the first packet of a session.
    expected: u64,
    /// First and end of what was passed over, a ring.
    holes: [(u64, u64); HOLES],
    holes_next: usize,
    pub(super) heard: Ts,
    pub(super) alive: bool,
}

impl LineState {
    pub(super) fn new() -> LineState {
        LineState {
            counters: LineCounters::default(),
            expected: 0,
            holes: [(0, 0); HOLES],
            holes_next: 0,
            heard: Ts(0),
            alive: true,
        }
    }

    /// Forgets where the line stands: another session counts from elsewhere.
    pub(super) fn new_session(&mut self) {
        self.expected = 0;
        self.holes = [(0, 0); HOLES];
    }

    /// Takes note of a packet with the messages from `first` to before `end`.
    #[inline]
    pub(super) fn carry(&mut self, first: u64, end: u64, now: Ts) {
        self.heard = now;
        self.alive = true;
        self.counters.packets += 1;
        let count = end.saturating_sub(first);
        self.counters.messages = self.counters.messages.saturating_add(count);
        self.counters.heartbeats += u64::from(count == 0);
        if first == self.expected || self.expected == 0 {
            self.expected = end;
        } else {
            self.out_of_turn(first, end);
        }
    }

    #[cold]
    fn out_of_turn(&mut self, first: u64, end: u64) {
        if first > self.expected {
            let lost = first - self.expected;
            self.counters.losses = self.counters.losses.saturating_add(lost);
            if let Some(hole) = self.holes.get_mut(self.holes_next) {
                *hole = (self.expected, first);
            }
            self.holes_next = (self.holes_next + 1) % HOLES;
        } else if end > first {
            self.counters.late += 1;
            self.fill(first, end);
        }
        self.expected = self.expected.max(end);
    }

    /// Takes what lies between `first` and `end` out of the holes. A hole that is filled in its middle keeps
    /// its longer part; the rest stays a loss even if it comes.
    fn fill(&mut self, first: u64, end: u64) {
        for hole in &mut self.holes {
            let (from, to) = (hole.0.max(first), hole.1.min(end));
            if from < to {
                self.counters.losses = self.counters.losses.saturating_sub(to - from);
                let (before, after) = ((hole.0, from), (to, hole.1));
                *hole = if before.1 - before.0 > after.1 - after.0 { before } else { after };
            }
        }
    }

    /// Losses, and what the line has missed since it fell silent.
    pub(super) fn counters(&self, head: u64) -> LineCounters {
        let missed =
            if self.alive || self.expected == 0 { 0 } else { head.saturating_sub(self.expected) };
        LineCounters { losses: self.counters.losses.saturating_add(missed), ..self.counters }
    }

    #[inline]
    pub(super) fn duplicate(&mut self, messages: u64, skew_ns: Option<u64>) {
        self.counters.duplicates = self.counters.duplicates.saturating_add(messages);
        if let Some(skew_ns) = skew_ns {
            self.counters.skew_ns_last = skew_ns;
            self.counters.skew_ns_max = self.counters.skew_ns_max.max(skew_ns);
        }
    }
}

/// Packets whose receive time is kept, by their first sequence.
const WINS: usize = 1_024;

/// When the first copy of each recent packet came, and by which line.
#[derive(Clone, Debug)]
pub(super) struct Wins(Box<[(u64, Ts, Line); WINS]>);

impl Wins {
    pub(super) fn new() -> Wins {
        Wins(Box::new([(0, Ts(0), Line::A); WINS]))
    }

    #[inline]
    pub(super) fn set(&mut self, first: u64, now: Ts, line: Line) {
        if let Some(win) = self.0.get_mut(first as usize % WINS) {
            *win = (first, now, line);
        }
    }

    /// How long ago another line brought the packet that begins with `first`, if that is remembered.
    #[inline]
    pub(super) fn skew(&self, first: u64, now: Ts, line: Line) -> Option<u64> {
        let (seen, when, by) = *self.0.get(first as usize % WINS)?;
        (seen == first && by != line).then(|| now.since(when))
    }

    pub(super) fn clear(&mut self) {
        self.0.fill((0, Ts(0), Line::A));
    }
}
