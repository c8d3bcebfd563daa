//! When another session takes over: one packet of a strange name, or an old one, must not.

use model::Ts;

use super::{Arbiter, Arbitrated, Claim, Header, Line, LineState, Packet, PacketKind};
use crate::session::SessionId;

/// Packets that a session must be heard by before it takes over from one that is alive.
const PACKETS: u32 = 3;

/// A session that is heard while another is current.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rival {
    session: SessionId,
    /// The lowest sequence heard; one below it begins anew.
    first: u64,
    /// Sequence after the highest.
    end: u64,
    since: Ts,
    /// When a packet last went on where the others led.
    last: Ts,
    packets: u32,
}

impl Rival {
    /// Takes one more packet; one that does not go on where the others led counts for nothing.
    fn follow(&mut self, first: u64, end: u64, now: Ts) {
        if first >= self.end {
            self.packets = self.packets.saturating_add(1);
            self.last = now;
        }
        self.end = self.end.max(end);
    }
}

impl Arbiter {
    #[cold]
    pub(super) fn pass_by(&mut self, line: Line) {
        self.line_mut(line).counters.foreign += 1;
    }

    /// A packet of another session than the current one: `true` if that begins with it.
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
        if line == Line::Answer {
            self.pass_by(line);
            return false;
        }
        if let Err(error) = Packet::parse(packet) {
            self.refuse(line, error);
            return false;
        }
        let returns = self.past.contains(&Some(header.session));
        let heard = if self.next == 0 || self.gives_way(header.kind(), returns, now) {
            Some(header.first)
        } else {
            self.repeated(header, returns, now)
        };
        let Some(heard) = heard else {
            self.pass_by(line);
            return false;
        };
        self.enter(header, Some(heard).filter(|_| !returns), now, out);
        true
    }

    /// Whether the current session is over, so that any other may follow at once. One that is past returns
    /// only where nothing else is heard, and by its end, which is repeated for long, only in place of a name.
    fn gives_way(&self, kind: PacketKind, returns: bool, now: Ts) -> bool {
        let silent = self.silent || now.since(self.fresh) >= self.options.line_dead_ns;
        if returns {
            return silent && (kind != PacketKind::End || !self.confirmed);
        }
        // A chain of names without messages must not empty the books once a packet.
        let (settled, wait) = (now.since(self.began), self.options.switch_ns);
        let settled = self.confirmed || self.counters.sessions == 1 || settled >= wait;
        silent || (self.is_ended() && settled) || wait == 0
    }

    /// Counts a packet of a session that would take over from one that is alive; the first sequence heard of it
    /// if it does now. Where the current session has shown nothing but its name, messages bring a past one
    /// back.
    fn repeated(&mut self, header: &Header, returns: bool, now: Ts) -> Option<u64> {
        let kind = header.kind();
        let counts = match returns {
            true => !self.confirmed && kind == PacketKind::Messages,
            false => kind != PacketKind::End,
        };
        if !counts {
            return None;
        }
        self.compete(header, now)
    }

    fn compete(&mut self, header: &Header, now: Ts) -> Option<u64> {
        let (session, first) = (header.session, header.first);
        let end = first.saturating_add(header.messages().into());
        let wait = self.options.switch_ns;
        let known = |rival: &Rival| {
            let leads = first >= rival.end || now.since(rival.last) < wait;
            rival.session == session && rival.first <= first && leads
        };
        let rival = match &mut self.rival {
            Some(rival) if known(rival) => {
                rival.follow(first, end, now);
                rival
            }
            _ => {
                self.rival.insert(Rival { session, first, end, since: now, last: now, packets: 1 })
            }
        };
        let taken = rival.packets >= PACKETS && now.since(rival.since) >= wait;
        taken.then_some(rival.first)
    }

    /// A packet of the current session that is not of the past: its rival starts again. Of a session that has
    /// shown nothing but its name only messages say as much.
    #[cold]
    pub(super) fn outlive(&mut self, kind: PacketKind) {
        if self.confirmed || kind == PacketKind::Messages {
            self.rival = None;
        }
    }

    /// A packet of the past, after a silence: the venue may have begun the session again from a lower sequence,
    /// or what was taken for its place may have been wrong. If more follow it, all begins again there.
    #[cold]
    pub(super) fn begin_again<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        line: Line,
        header: &Header,
        packet: &[u8],
        now: Ts,
        out: &mut F,
    ) {
        let sound = line != Line::Answer && Packet::parse(packet).is_ok();
        if !sound {
            return;
        }
        // Behind an end it begins as another session would: at its first packet.
        let heard =
            if self.is_ended() && header.first == 1 { Some(1) } else { self.compete(header, now) };
        if let Some(heard) = heard {
            self.enter(header, Some(heard), now, out);
        }
    }

    /// Begins the session of a packet, of which `heard` was heard first: from its start, if that may still be
    /// had, else, or if it returns, where it stands.
    fn enter<F: FnMut(Arbitrated<'_>)>(
        &mut self,
        header: &Header,
        heard: Option<u64>,
        now: Ts,
        out: &mut F,
    ) {
        if self.next != 0 {
            self.give_up(now, out);
        }
        if self.next != 0 && header.session != self.session {
            for past in &mut self.past {
                *past = past.filter(|past| *past != header.session);
            }
            self.past.rotate_right(1);
            if let Some(last) = self.past.first_mut() {
                *last = Some(self.session);
            }
        }
        self.session = header.session;
        (self.claim, self.doubted, self.asked_end) = (Claim::default(), 0, 0);
        (self.end, self.rival, self.confirmed) = (None, None, false);
        (self.began, self.fresh, self.silent) = (now, now, false);
        self.wins.clear();
        self.lines.iter_mut().for_each(LineState::new_session);
        let whole = heard.is_some_and(|heard| heard - 1 <= self.options.join_messages_max);
        self.next = if whole { 1 } else { header.first };
        self.counters.sessions += 1;
        out(Arbitrated::Session { session: self.session, first: self.next, now });
    }
}
