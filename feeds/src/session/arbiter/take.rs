//! How a packet is taken: its turn, before its turn, or of another session.

use model::Ts;

use super::{Arbiter, Arbitrated, Header, Held, Line, Message, Messages, MoldError, Packet, Put};

impl Arbiter {
    /// Begins to count the silence of the lines.
    #[inline]
    pub(super) fn start(&mut self, now: Ts) {
        if !self.started {
            self.started = true;
            let two = self.options.two_lines;
            for (place, state) in self.lines.iter_mut().enumerate() {
                state.heard = now;
                state.alive = place == 0 || (place == 1 && two);
            }
        }
    }

    #[cold]
    pub(super) fn refuse(&mut self, line: Line, error: MoldError) {
        self.line_mut(line).counters.malformed += 1;
        self.counters.malformed_last = Some(error);
    }

    /// Sends out the messages of a packet that are due, the first of them at `self.next`.
    #[inline]
    pub(super) fn deliver<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        (first, end): (u64, u64),
        blocks: &[u8],
        line: Line,
        ts_recv: Ts,
        out: &mut F,
    ) {
        let next = self.next;
        send((first, end), next, blocks, line, ts_recv, out);
        self.next = end;
        let counters = &mut self.line_mut(line).counters;
        counters.wins += end - next;
        counters.duplicates += next - first;
    }

    /// Sends out what was held and is due now.
    #[inline]
    pub(super) fn drain<F: FnMut(Arbitrated<'_>)>(&mut self, out: &mut F) {
        while let Some(slot) = self.held.front().copied()
            && slot.first <= self.next
        {
            let next = self.next;
            let counters = &mut self.line_mut(slot.line).counters;
            if slot.end > next {
                counters.wins += slot.end - next;
                counters.duplicates += next - slot.first;
                self.next = slot.end;
                let blocks = self.held.blocks(&slot);
                send((slot.first, slot.end), next, blocks, slot.line, slot.ts_recv, out);
            } else {
                counters.duplicates += slot.end - slot.first;
            }
            self.held.pop();
        }
    }

    /// Keeps a packet until its turn.
    #[cold]
    pub(super) fn hold(&mut self, packet: &Packet<'_>, end: u64, line: Line, now: Ts) {
        let first = packet.header().first;
        let skew = self.wins.skew(first, now, line);
        let (lines, mut known) = (&mut self.lines, self.known_end.0);
        let mut drop = |line: Line, first: u64, end: u64| {
            let state = lines.get_mut(line as usize);
            if let Some(state) = state {
                state.counters.dropped += end - first;
            }
            known = known.max(end);
        };
        let held: &mut Held = &mut self.held;
        let put = held.put((first, end), packet.blocks(), line, now, &mut |slot| {
            drop(slot.line, slot.first, slot.end);
        });
        if put == Put::Full {
            drop(line, first, end);
        }
        self.know(known, now);
        match put {
            Put::Kept => {
                self.counters.held += 1;
                self.wins.set(first, now, line);
            }
            Put::Duplicate => self.line_mut(line).duplicate(end - first, skew),
            Put::Full => {}
        }
    }

    /// The venue's next sequence is at least `end`. The time is when anything beyond was first told of.
    pub(super) fn know(&mut self, end: u64, now: Ts) {
        let (known, since) = self.known_end;
        if end > known {
            self.known_end = (end, if known > self.next { since } else { now });
        }
    }

    /// Says that the session is over, once, when nothing of it is missing.
    #[inline]
    pub(super) fn tell_end<F: FnMut(Arbitrated<'_>)>(&mut self, out: &mut F) {
        if self.end == Some(false) && self.gap.is_none() {
            self.end = Some(true);
            out(Arbitrated::Ended);
        }
    }

    /// A packet of another session: of one that is over (`false`), or the start of the next.
    #[cold]
    pub(super) fn other_session<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        line: Line,
        header: &Header,
        packet: &[u8],
        now: Ts,
        out: &mut F,
    ) -> bool {
        // An answer repeats what a line told of; it is nobody's first word of a session.
        if self.past.contains(&Some(header.session)) || line == Line::Answer {
            self.line_mut(line).counters.foreign += 1;
            return false;
        }
        if let Err(error) = Packet::parse(packet) {
            self.refuse(line, error);
            return false;
        }
        if self.next != 0 {
            self.give_up(now, out);
            self.past.rotate_right(1);
            if let Some(last) = self.past.first_mut() {
                *last = Some(self.session);
            }
        }
        self.session = header.session;
        self.known_end = (0, now);
        self.asked_end = 0;
        self.end = None;
        self.wins.clear();
        self.lines.iter_mut().for_each(super::LineState::new_session);
        let late = header.first - 1 > self.options.join_messages_max;
        self.next = if late { header.first } else { 1 };
        self.counters.sessions += 1;
        out(Arbitrated::Session { session: self.session, first: self.next, now });
        true
    }
}

/// Sends out the messages from `next` on of the packet with those from `first` to before `end`.
#[inline]
fn send<F: FnMut(Arbitrated<'_>)>(
    (first, end): (u64, u64),
    next: u64,
    blocks: &[u8],
    line: Line,
    ts_recv: Ts,
    out: &mut F,
) {
    let skip = next.saturating_sub(first);
    let messages = Messages::of(blocks).skip(skip.try_into().unwrap_or(usize::MAX));
    for (seq, bytes) in (next..end).zip(messages) {
        let last_of_packet = seq + 1 == end;
        out(Arbitrated::Message(Message { seq, bytes, line, ts_recv, last_of_packet }));
    }
}
