//! Dead-man timers: clients whose orders work, and that neither ask nor beat.
//!
//! Silence is counted in looks, as the loop's standing still is: whoever stopped this process stopped the clients' being heard.

use model::{AccountId, DeskId, Origin};

use crate::step::Engine;

/// Looks within the shortest timer.
const LOOKS: u64 = 16;

/// A timer for each desk.
#[derive(Debug)]
pub(super) struct DeadMen {
    /// By account: how long a client may say nothing, the shortest of it and all above it; nanoseconds.
    bounds: Vec<Option<u64>>,
    shortest_ns: u64,
    longest_ns: u64,
    /// Time between two looks.
    period_ns: u64,
    /// When to look again, by the host's clock; never if every timer is off.
    next_ns: u64,
    looked_ns: u64,
    /// Time that passed while somebody looked.
    elapsed_ns: u64,
    /// By desk: when it was heard last, on that clock.
    heard: Vec<u64>,
    /// By desk: what was heard last when every timer had gone off.
    through: Vec<Option<u64>>,
    /// By desk and account: what was heard last when its timer went off.
    gone_off: Vec<Option<u64>>,
}

/// By account: how long a client may say nothing, the shortest of it and all above it; nanoseconds.
pub(super) fn bounds(engine: &Engine) -> Vec<Option<u64>> {
    let rules = &engine.rules().accounts;
    let own = |id: AccountId| rules.get(usize::from(id.0))?.triggers.dead_man_ns;
    let of = |account| engine.risk().counted_on(AccountId(account)).filter_map(own).min();
    (0..rules.len() as u16).map(of).collect()
}

/// Whose orders work, and on which accounts.
pub(super) fn open(engine: &Engine) -> impl Iterator<Item = (DeskId, AccountId)> {
    engine.orders().open().filter_map(|record| match record.order.origin {
        Origin::Desk(desk) => Some((desk, record.order.account)),
        Origin::File | Origin::Strategy(_) => None,
    })
}

impl DeadMen {
    /// Timers of `desks` desks that begin at `now_ns`. `bounds`: by account.
    pub fn new(bounds: Vec<Option<u64>>, desks: usize, now_ns: u64) -> DeadMen {
        let shortest = bounds.iter().flatten().min().copied();
        let period_ns = shortest.map_or(u64::MAX, |ns| ns / LOOKS);
        DeadMen {
            shortest_ns: shortest.unwrap_or(u64::MAX),
            longest_ns: bounds.iter().flatten().max().copied().unwrap_or(0),
            period_ns,
            next_ns: now_ns.saturating_add(period_ns),
            looked_ns: now_ns,
            elapsed_ns: 0,
            heard: vec![0; desks],
            through: vec![None; desks],
            gone_off: vec![None; desks * bounds.len()],
            bounds,
        }
    }

    /// A desk asked something, whatever it was.
    pub fn hear(&mut self, desk: DeskId, now_ns: u64) {
        let at = self.elapsed_at(now_ns);
        if let Some(heard) = self.heard.get_mut(usize::from(desk.0)) {
            *heard = at;
        }
    }

    /// Time that passed while somebody looked, up to `now_ns`.
    fn elapsed_at(&self, now_ns: u64) -> u64 {
        let passed = now_ns.saturating_sub(self.looked_ns).min(self.period_ns.saturating_mul(2));
        self.elapsed_ns.saturating_add(passed)
    }

    /// Whether it is time to look.
    #[inline]
    pub fn is_due(&self, now_ns: u64) -> bool {
        now_ns >= self.next_ns
    }

    /// Lets time pass, to be told of what went off by [`DeadMen::next`].
    pub fn look(&mut self, now_ns: u64) {
        self.elapsed_ns = self.elapsed_at(now_ns);
        (self.looked_ns, self.next_ns) = (now_ns, now_ns.saturating_add(self.period_ns));
    }

    /// A client that is silent for too long, and an account where orders of it work; each once until it speaks again.
    /// `open`: who asked for the orders that work, and on which accounts.
    pub fn next(
        &mut self,
        open: impl Iterator<Item = (DeskId, AccountId)>,
    ) -> Option<(DeskId, AccountId)> {
        let elapsed_ns = self.elapsed_ns;
        let is_silent = |(heard, through): (&u64, &Option<u64>)| {
            elapsed_ns.saturating_sub(*heard) > self.shortest_ns && *through != Some(*heard)
        };
        if !self.heard.iter().zip(&self.through).any(is_silent) {
            return None;
        }
        for (desk, account) in open {
            let (at, number) = (usize::from(desk.0), usize::from(account.0));
            let bound = self.bounds.get(number).copied().flatten();
            let (Some(heard), Some(bound)) = (self.heard.get(at).copied(), bound) else { continue };
            let place = self.gone_off.get_mut(at * self.bounds.len() + number);
            if elapsed_ns.saturating_sub(heard) > bound
                && let Some(place) = place.filter(|place| **place != Some(heard))
            {
                *place = Some(heard);
                return Some((desk, account));
            }
        }
        for (heard, through) in self.heard.iter().zip(&mut self.through) {
            if elapsed_ns.saturating_sub(*heard) > self.longest_ns {
                *through = Some(*heard); // It can have no new orders without asking.
            }
        }
        None
    }

    /// For how long a desk has said nothing, to a look, nanoseconds.
    pub fn silent_ns(&self, desk: usize) -> u64 {
        self.heard.get(desk).map_or(0, |heard| self.elapsed_ns.saturating_sub(*heard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: AccountId = AccountId(1);

    /// Looks each period up to `now_ns`; what went off, and at which look.
    fn until(
        timers: &mut DeadMen,
        now_ns: u64,
        open: &[(DeskId, AccountId)],
    ) -> Vec<(u64, DeskId, AccountId)> {
        let mut seen = Vec::new();
        while timers.looked_ns < now_ns {
            let at = timers.looked_ns + timers.period_ns;
            assert!(!timers.is_due(at - 1) && timers.is_due(at));
            timers.look(at);
            while let Some((desk, account)) = timers.next(open.iter().copied()) {
                seen.push((at, desk, account));
            }
        }
        seen
    }

    /// Goal: a timer goes off a look after its bound, once for each silence, on each account where orders work, and for nobody
    /// who speaks, has no orders, or whose account has no timer. Method: three desks over four silences.
    #[test]
    fn silence_goes_off_once() {
        let [mute, speaks, idle] = [0, 1, 2].map(DeskId);
        let mut timers = DeadMen::new(vec![None, Some(1_600), Some(3_200)], 3, 0);
        let other = AccountId(2);
        let open =
            [(mute, AGENT), (speaks, AGENT), (mute, other), (mute, AccountId(0)), (mute, AGENT)];
        let mut seen = Vec::new();
        for round in 1..50 {
            timers.hear(speaks, timers.looked_ns);
            seen.extend(until(&mut timers, round * 100, &open));
        }
        assert_eq!(seen, [(1_700, mute, AGENT), (3_300, mute, other)]);
        timers.hear(mute, timers.looked_ns);
        assert_eq!(timers.silent_ns(0), 0);
        assert_eq!(until(&mut timers, 6_500, &open[..1]), [], "it spoke at 4,900");
        assert_eq!(until(&mut timers, 6_600, &open[..1]), [(6_600, mute, AGENT)]);
        assert_eq!(until(&mut timers, 99_000, &[(idle, AccountId(9)), (mute, AGENT)]), []);
    }

    /// Goal: what was heard between two looks counts from then: no timer is early. Method: heard just after and just before
    /// a look.
    #[test]
    fn no_timer_is_early() {
        for (heard, goes_off) in [(1, 1_700), (99, 1_700), (101, 1_800)] {
            let mut timers = DeadMen::new(vec![None, Some(1_600)], 1, 0);
            let open = [(DeskId(0), AGENT)];
            assert_eq!(until(&mut timers, heard / 100 * 100, &open), []);
            timers.hear(DeskId(0), heard);
            assert_eq!(until(&mut timers, 9_000, &open), [(goes_off, DeskId(0), AGENT)]);
        }
    }

    /// Goal: time in which nobody looked counts two looks at most; without a timer nobody ever looks. Method: an hour's pause.
    #[test]
    fn a_pause_is_no_silence() {
        let mut timers = DeadMen::new(vec![None, Some(1_600)], 1, 0);
        timers.look(3_600_000_000_000);
        assert_eq!(
            (timers.silent_ns(0), timers.next([(DeskId(0), AGENT)].into_iter())),
            (200, None)
        );
        assert!(!DeadMen::new(vec![None], 16, 0).is_due(u64::MAX - 1));
    }
}
