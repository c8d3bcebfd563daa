//! How a packet is taken: in its turn, or before it.

use model::Ts;

use super::held::Slot;
use super::{Arbiter, Arbitrated, End, Held, Line, Message, Messages, MoldError, Packet, Put};

impl Arbiter {
    /// Begins to count the silence of the lines.
    #[inline]
    pub(super) fn start(&mut self, now: Ts) {
        if !self.started {
            (self.started, self.fresh) = (true, now);
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
        (self.next, self.confirmed) = (end, true);
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
                (self.next, self.confirmed) = (slot.end, true);
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
    pub(super) fn hold(
        &mut self,
        packet: &Packet<'_>,
        end: u64,
        line: Line,
        (received, now): (Ts, Ts),
    ) {
        let first = packet.header().first;
        if first > self.horizon() {
            self.line_mut(line).counters.dropped += end - first;
            return self.know(end, now);
        }
        let skew = self.wins.skew(first, received, line);
        let (lines, mut known) = (&mut self.lines, self.claim.end);
        let mut drop = |line: Line, first: u64, end: u64| {
            let state = lines.get_mut(line as usize);
            if let Some(state) = state {
                state.counters.dropped += end - first;
            }
            known = known.max(end);
        };
        let held: &mut Held = &mut self.held;
        let slot = Slot::new((first, end), line, (received, now));
        let put = held.put(slot, packet.blocks(), &mut |slot| {
            drop(slot.line, slot.first, slot.end);
        });
        if put == Put::Full {
            drop(line, first, end);
        }
        if known > self.claim.end {
            self.know(known, now);
        }
        match put {
            Put::Kept => {
                self.counters.held += 1;
                self.wins.set(first, received, line);
            }
            Put::Duplicate => self.line_mut(line).duplicate(end - first, skew),
            Put::Full => {}
        }
    }

    /// The end of the session, unless messages behind it are known.
    #[cold]
    pub(super) fn hear_end(&mut self, at: u64, now: Ts) {
        if at >= self.next {
            self.know(at, now);
            if self.end.is_none_or(|end| end.at != at) {
                self.end = Some(End { at, said: false });
            }
        }
    }

    /// Says that the session is over, once, when nothing of it is missing. What comes behind the end takes it
    /// back.
    #[inline]
    pub(super) fn tell_end<F: FnMut(Arbitrated<'_>)>(&mut self, out: &mut F) {
        if self.end.is_some() {
            self.weigh_end(out);
        }
    }

    #[cold]
    fn weigh_end<F: FnMut(Arbitrated<'_>)>(&mut self, out: &mut F) {
        let Some(end) = &mut self.end else { return };
        let held = self.held.last().map_or(0, |slot| slot.end);
        if self.next.max(self.claim.end).max(held) > end.at {
            self.end = None;
        } else if !end.said && self.gap.is_none() {
            end.said = true;
            out(Arbitrated::Ended);
        }
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
