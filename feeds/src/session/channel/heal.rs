//! How a channel heals, and when its books are live.

use model::{Cause, Event, Integrity, Ts};

use super::Channel;
use super::bridge::Bridge;
use super::events::Phase;
use crate::session::arbiter::GapState;
use crate::session::glimpse::GlimpseError;

const LIVE: (Integrity, Cause) = (Integrity::Live, Cause::None);

impl Channel {
    /// Draws the consequences of what came in.
    #[inline]
    pub(super) fn settle(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let quiet = self.events.phase == Phase::Whole
            && self.events.announced == Some(LIVE)
            && self.arbiter.gap() == GapState::None
            && !self.arbiter.is_ended()
            && !self.arbiter.is_silent();
        if !quiet {
            self.heal(now, emit);
        }
    }

    #[cold]
    fn heal(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if std::mem::take(&mut self.events.cancel)
            && let Some(glimpse) = &mut self.glimpse
        {
            glimpse.cancel(now);
        }
        if let Some(error) = self.events.fault.take() {
            self.fail(error, now);
        }
        if let Phase::Bridging { next } = self.events.phase {
            if self.events.bridge.first() > next {
                self.fail(GlimpseError::TooOld, now);
            } else if self.arbiter.head() >= next {
                self.join(next, now, emit);
            }
        }
        if self.events.phase == Phase::Snapshot
            && let Some(glimpse) = &mut self.glimpse
        {
            glimpse.want(now);
        }
        if let Some((integrity, cause)) = self.verdict()
            && self.events.announced != Some((integrity, cause))
        {
            self.events.announce(integrity, cause, now, emit);
        }
    }

    /// How far the books may be believed now; `None`: as before.
    fn verdict(&self) -> Option<(Integrity, Cause)> {
        let events = &self.events;
        match events.phase {
            Phase::None => None,
            Phase::Incomplete => Some((Integrity::Incomplete, events.cause)),
            Phase::Snapshot if !events.streaming => Some((Integrity::Incomplete, events.cause)),
            Phase::Snapshot | Phase::Bridging { .. } => {
                Some((Integrity::Recovering, Cause::Snapshot))
            }
            Phase::Whole => match self.arbiter.gap() {
                GapState::Asked => Some((Integrity::Recovering, Cause::Gap)),
                // No message yet: the books are empty because nothing is known, or because it is so.
                _ if !self.arbiter.is_confirmed() => Some((Integrity::Incomplete, events.cause)),
                _ if self.arbiter.is_silent() && !self.arbiter.is_ended() => {
                    Some((Integrity::Stale, Cause::Silent))
                }
                GapState::Waiting => None,
                GapState::None if self.arbiter.is_ended() => {
                    Some((Integrity::Stale, Cause::SessionEnd))
                }
                GapState::None => Some(LIVE),
            },
        }
    }

    /// The attempt at a snapshot has failed. If it has begun, the books hold a part of it.
    pub(super) fn fail(&mut self, error: GlimpseError, now: Ts) {
        let Some(glimpse) = &mut self.glimpse else { return };
        if matches!(self.events.phase, Phase::Snapshot | Phase::Bridging { .. })
            && glimpse.is_under_way()
        {
            glimpse.fail(error, now);
            self.events.counters.snapshots_failed += 1;
            self.events.phase = Phase::Snapshot;
            if std::mem::take(&mut self.events.streaming) {
                self.events.cause = Cause::Snapshot;
            }
        }
    }

    /// Joins a whole snapshot, which holds all before `next`, to the messages of the lines.
    fn join(&mut self, next: u64, now: Ts, emit: &mut impl FnMut(Event)) {
        let Channel { arbiter, events, glimpse } = self;
        events.phase = Phase::Whole;
        events.streaming = false;
        events.seq = next - 1;
        events.announce(Integrity::Recovering, Cause::Snapshot, now, emit);
        let bridge = std::mem::replace(&mut events.bridge, Bridge::new(0));
        for message in bridge.messages().filter(|message| message.seq >= next) {
            events.publish(&message, emit);
        }
        events.bridge = bridge;
        events.bridge.restart_at(arbiter.next().max(next));
        if let Some(glimpse) = glimpse {
            glimpse.done();
        }
        arbiter.skip_to(next, now, &mut |out| events.take(&out, emit));
    }
}
