//! Where two processors are. A guest's are threads of its host, which moves them: at one time both are of one core, at another
//! of one cache, then of two, and a line takes 14, 35 or 205 ns from one to the other. Rounds of two places compare nothing.

use std::time::Duration;

use serde::Serialize;

/// Looks that tell where they are when a contest begins, and how many of them must have seen something.
const LOOKS: usize = 9;
const SEEN: usize = 5;
/// How far a hop may be from those, in hundredths, for the place to be the same.
const SAME: std::ops::RangeInclusive<u64> = 75..=133;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// Looks elsewhere that a contest bears with, before a round or after one that is then done again.
const PATIENCE: u32 = 300;

/// Two processors, held to where they were when a contest began.
pub struct Pair<L> {
    /// How long a bare hop takes now; `None`: nobody can tell.
    look: L,
    patience: u32,
    place: Place,
}

/// What a reader must know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// A bare hop there, one way, nanoseconds.
    pub hop_ns: u64,
    /// Rounds that were done again, because they ended elsewhere.
    pub again: u32,
    /// Rounds that count although they began or ended elsewhere: nobody could wait any longer.
    pub elsewhere: u32,
}

/// Two processors of this host; `None`: nothing can be measured of them.
pub fn of_host(cpus: [usize; 2]) -> Option<Pair<impl FnMut() -> Option<u64>>> {
    Pair::find(move || {
        std::thread::sleep(PAUSE);
        doctor::measure_hops(&cpus).first().map(|hop| hop.median_ns)
    })
}

impl<L: FnMut() -> Option<u64>> Pair<L> {
    fn find(mut look: L) -> Option<Pair<L>> {
        let mut hops: Vec<u64> = (0..LOOKS).filter_map(|_| look()).collect();
        hops.sort_unstable();
        let hop_ns = *hops.get(hops.len() / 2).filter(|_| hops.len() >= SEEN)?;
        Some(Pair { look, patience: PATIENCE, place: Place { hop_ns, again: 0, elsewhere: 0 } })
    }

    /// Does `round` until both were there before and after it.
    pub fn hold(&mut self, mut round: impl FnMut()) -> Place {
        loop {
            let mut began_there = self.is_there();
            while !began_there && self.has_patience() {
                began_there = self.is_there();
            }
            round();
            if began_there && self.is_there() {
                return self.place;
            }
            if !self.has_patience() {
                self.place.elsewhere += 1;
                return self.place;
            }
            self.place.again += 1;
        }
    }

    fn has_patience(&mut self) -> bool {
        let has = self.patience > 0;
        self.patience = self.patience.saturating_sub(1);
        has
    }

    fn is_there(&mut self) -> bool {
        let hundredths = |now: u64| now * 100 / self.place.hop_ns.max(1);
        (self.look)().is_some_and(|now| SAME.contains(&hundredths(now)))
    }
}

impl Place {
    /// In words.
    pub fn text(&self) -> String {
        let Place { hop_ns, again, elsewhere } = self;
        let mut text = format!("a bare hop took {hop_ns} ns before and after each round");
        if *again > 0 {
            text += &format!(", {again} were done again");
        }
        if *elsewhere > 0 {
            text += &format!(", BUT NOT OF {elsewhere}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two processors at places that are told one by one, from the tenth look on; the last one for ever.
    fn pair(looks: &[u64]) -> Pair<impl FnMut() -> Option<u64>> {
        let mut looks = looks.to_vec();
        looks.reverse();
        let mut first = LOOKS;
        Pair::find(move || {
            first = first.saturating_sub(1);
            let known =
                if first > 0 || looks.len() == 1 { looks.last().copied() } else { looks.pop() };
            known.filter(|ns| *ns > 0)
        })
        .unwrap()
    }

    /// Goal: a round counts only between two looks at the same place, another is done again, and what nobody can wait for is
    /// told. Method: places of which one is left before a round, in one, and for ever.
    #[test]
    fn held_to_a_place() {
        let hold = |looks: &[u64]| {
            let mut rounds = 0;
            let Place { again, elsewhere, .. } = pair(looks).hold(|| rounds += 1);
            (rounds, again, elsewhere)
        };
        assert_eq!(hold(&[35, 35, 46]), (1, 0, 0));
        assert_eq!(hold(&[35, 205, 205, 35, 35]), (1, 0, 0), "waits for it");
        assert_eq!(hold(&[35, 35, 205, 35, 35]), (2, 1, 0), "does it again");
        assert_eq!(hold(&[35, 0, 35, 35]), (1, 0, 0), "a look that saw nothing is none");
        assert_eq!(hold(&[35, 205]), (1, 0, 1), "moved for good");
        assert_eq!(hold(&[35, 47]), (1, 0, 1), "beyond the edge");
    }

    /// Goal: what cannot be measured is not held. Method: too few looks that see anything.
    #[test]
    fn nothing_to_hold_to() {
        let mut looks = 0;
        let sees = |most| {
            move || {
                looks += 1;
                (looks <= most).then_some(35)
            }
        };
        assert!(Pair::find(sees(SEEN - 1)).is_none());
        assert_eq!(Pair::find(sees(SEEN)).unwrap().place.hop_ns, 35);
    }
}
