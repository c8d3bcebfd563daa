//! The treasury alone, against engines that are a slice and what is used of it. With whole engines: `tests/shards.rs`.

mod shards;

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const ACCOUNT: AccountId = AccountId(0);
const LIMIT: CreditKind = CreditKind::OpenOrders;

/// What an engine holds after an input.
#[derive(Clone, Copy, Debug)]
struct State {
    seq: u64,
    version: u32,
    total: i128,
    slice: i128,
    used: i128,
}

/// What an engine says, in order.
#[derive(Clone, Copy, Debug)]
enum Told {
    Seen(View),
    Done(u64, Option<(i128, Ts)>),
}

/// An engine as the treasury knows one, with every state that a crash can bring back.
struct Fake {
    number: u16,
    count: u16,
    now: State,
    /// From the last that is durable on.
    since: Vec<State>,
    durable: u64,
    asked: VecDeque<Move>,
    told: VecDeque<Told>,
}

impl Fake {
    fn new(number: u16, count: u16, total: i128) -> Fake {
        let slice = risk::Share::new(number, count).unwrap().of(total);
        let now = State { seq: 1, version: 1, total, slice, used: 0 };
        let (asked, told) = (VecDeque::new(), VecDeque::new());
        Fake { number, count, now, since: vec![now], durable: 0, asked, told }
    }

    /// Engines whose clocks differ: each is as many nanoseconds on as it had inputs.
    fn at(&self) -> Ts {
        Ts(self.now.seq)
    }

    fn input(&mut self, change: impl FnOnce(&mut State)) {
        self.now.seq += 1;
        change(&mut self.now);
        self.since.push(self.now);
    }

    fn step(&mut self) {
        let Some(asked) = self.asked.pop_front() else { return };
        let mut slice = None;
        self.input(|now| {
            if asked.version == now.version {
                let to = asked.to.min(now.total);
                now.slice = if to < now.slice { to.max(now.used.min(now.slice)) } else { to };
                slice = Some(now.slice);
            }
        });
        let slice = slice.map(|slice| (slice, self.at()));
        self.told.push_back(Told::Done(self.now.seq, slice));
    }

    fn look(&mut self) {
        let State { seq, version, total, slice, used } = self.now;
        let (account, limit, at) = (ACCOUNT, LIMIT, self.at());
        let view = View { seq, at, version, account, limit, total, slice, used };
        self.told.push_back(Told::Seen(view));
    }

    fn reload(&mut self, total: i128) {
        let equal = risk::Share::new(self.number, self.count).unwrap().of(total);
        self.input(|now| {
            if total < now.total {
                now.slice = now.slice.min(equal);
            }
            (now.total, now.version) = (total, now.version + 1);
        });
    }

    /// Goes back to a state that may be what is left.
    fn crash(&mut self, pick: usize) {
        self.since.truncate(pick % self.since.len() + 1);
        self.now = *self.since.last().unwrap();
        self.since = vec![self.now];
        (self.durable, self.asked, self.told) = (0, VecDeque::new(), VecDeque::new());
    }

    /// The largest slice that it has or that a crash can bring back.
    fn worst(&self) -> i128 {
        self.since.iter().map(|state| state.slice).max().unwrap()
    }
}

struct World {
    fakes: Vec<Fake>,
    treasury: Treasury,
    moves: usize,
}

impl World {
    fn new(count: u16, total: i128) -> World {
        let fakes = (0..count).map(|number| Fake::new(number, count, total)).collect();
        World { fakes, treasury: Treasury::new(count.into(), 1), moves: 0 }
    }

    fn sync(&mut self, shard: usize, pick: usize) {
        let fake = &mut self.fakes[shard];
        fake.since.drain(..pick % fake.since.len());
        fake.durable = fake.since[0].seq;
        self.treasury.durable(shard, fake.durable);
    }

    fn hear(&mut self, shard: usize) {
        match self.fakes[shard].told.pop_front() {
            None => {}
            Some(Told::Seen(view)) => self.treasury.see(shard, &view),
            Some(Told::Done(seq, slice)) => {
                self.treasury.confirm(shard, seq, ACCOUNT, LIMIT, slice);
            }
        }
    }

    fn tick(&mut self) {
        let mut moves = Vec::new();
        self.treasury.tick(&mut moves);
        self.moves += moves.len();
        moves.into_iter().for_each(|asked| self.fakes[asked.shard].asked.push_back(asked));
    }

    /// Everything goes on as fast as it can, but for one that is silent; the clocks too.
    fn round(&mut self, silent: Option<usize>) {
        let latest = self.fakes.iter().map(|fake| fake.now.seq).max().unwrap();
        for shard in (0..self.fakes.len()).filter(|shard| Some(*shard) != silent) {
            let fake = &mut self.fakes[shard];
            while fake.now.seq < latest {
                fake.input(|_| ());
            }
            fake.step();
            fake.look();
            while !self.fakes[shard].told.is_empty() {
                self.hear(shard);
            }
            self.sync(shard, self.fakes[shard].since.len() - 1);
        }
        self.tick();
        self.holds();
    }

    /// Whatever crashes now, and wherever the journal of each ends then.
    fn holds(&self) {
        let total = self.fakes.iter().map(|fake| fake.now.total.max(fake.since[0].total)).max();
        let worst: i128 = self.fakes.iter().map(Fake::worst).sum();
        assert!(worst <= total.unwrap(), "{worst} of {total:?}");
    }

    fn slices(&self) -> Vec<i128> {
        self.fakes.iter().map(|fake| fake.now.slice).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Use { shard: usize, more: i128 },
    Free { shard: usize, part: i128 },
    Wait { shard: usize, inputs: u8 },
    Step { shard: usize },
    Look { shard: usize },
    Hear { shard: usize },
    Sync { shard: usize, pick: usize },
    Tick,
    Crash { shard: usize, pick: usize },
    CrashAll { pick: usize },
    Reload { shard: usize },
    NewTotal { total: i128 },
}

fn ops() -> impl Strategy<Value = Op> {
    let shard = || 0_usize..4;
    prop_oneof![
        8 => (shard(), 1_i128..60).prop_map(|(shard, more)| Op::Use { shard, more }),
        4 => (shard(), 1_i128..4).prop_map(|(shard, part)| Op::Free { shard, part }),
        2 => (shard(), 1_u8..20).prop_map(|(shard, inputs)| Op::Wait { shard, inputs }),
        8 => shard().prop_map(|shard| Op::Step { shard }),
        8 => shard().prop_map(|shard| Op::Look { shard }),
        12 => shard().prop_map(|shard| Op::Hear { shard }),
        8 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Sync { shard, pick }),
        8 => Just(Op::Tick),
        2 => (shard(), any::<usize>()).prop_map(|(shard, pick)| Op::Crash { shard, pick }),
        1 => any::<usize>().prop_map(|pick| Op::CrashAll { pick }),
        1 => shard().prop_map(|shard| Op::Reload { shard }),
        1 => (0_i128..300).prop_map(|total| Op::NewTotal { total }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]
    /// Goal: the slices of all engines never sum up to more than the limit, nor would they after a crash of any of them at any
    /// time, with any part of what is not durable. Method: everything that can happen to a message, a journal and a limit, in
    /// any order; after each the largest slices that a crash could bring back.
    #[test]
    fn never_over_the_total(
        count in 1_u16..5,
        total in 0_i128..300,
        reloads: bool,
        ops in prop::collection::vec(ops(), 1..400),
    ) {
        let mut world = World::new(count, total);
        let mut wanted = total;
        for op in ops {
            let of = |shard: usize| shard % usize::from(count);
            match op {
                Op::Use { shard, more } => world.fakes[of(shard)].input(|now| {
                    now.used += if now.used + more <= now.slice { more } else { 0 };
                }),
                Op::Free { shard, part } => {
                    world.fakes[of(shard)].input(|now| now.used -= now.used / part);
                }
                Op::Wait { shard, inputs } => {
                    (0..inputs).for_each(|_| world.fakes[of(shard)].input(|_| ()));
                }
                Op::Step { shard } => world.fakes[of(shard)].step(),
                Op::Look { shard } => world.fakes[of(shard)].look(),
                Op::Hear { shard } => world.hear(of(shard)),
                Op::Sync { shard, pick } => world.sync(of(shard), pick),
                Op::Tick => world.tick(),
                Op::Crash { shard, pick } => {
                    world.fakes[of(shard)].crash(pick);
                    world.treasury.forget(of(shard));
                }
                Op::CrashAll { pick } => {
                    for (place, fake) in world.fakes.iter_mut().enumerate() {
                        fake.crash(pick.rotate_left(place as u32 * 8));
                    }
                    world.treasury = Treasury::new(count.into(), 1);
                }
                Op::Reload { shard } if reloads => {
                    // Nobody reloads while what was reloaded before is not everywhere: one at a time is on its way.
                    world.fakes[of(shard)].reload(wanted);
                }
                Op::NewTotal { total } if reloads => {
                    if world.fakes.iter().all(|fake| fake.now.total == wanted && fake.since[0].total == wanted) {
                        wanted = total;
                    }
                }
                Op::Reload { .. } | Op::NewTotal { .. } => {}
            }
            world.holds();
        }
    }

    /// Goal: while nobody uses more or less, slices come to rest, in few moves, and stay. Method: any use of each, rounds until
    /// nothing moves, then as many again.
    #[test]
    fn comes_to_rest(
        count in 1_u16..5,
        total in prop_oneof![0_i128..20, 100_i128..10_000, Just(1 << 90)],
        used in prop::collection::vec(0_i128..100, 4),
    ) {
        let mut world = World::new(count, total);
        for (fake, part) in world.fakes.iter_mut().zip(used) {
            fake.input(|now| now.used = now.slice * part / 99);
        }
        (0..60).for_each(|_| world.round(None));
        prop_assert!(world.moves <= 6 * usize::from(count), "{} moves", world.moves);
        let (moves, slices) = (world.moves, world.slices());
        (0..60).for_each(|_| world.round(None));
        prop_assert_eq!((world.moves, world.slices()), (moves, slices));
    }

    /// Goal: whoever needs more gets all but what the others use and a quarter of their parts. Method: one that uses all that it
    /// has, others that use some of theirs.
    #[test]
    fn whoever_needs_it_gets_it(
        count in 2_u16..5,
        total in 40_i128..100_000,
        used in prop::collection::vec(0_i128..50, 4),
    ) {
        let mut world = World::new(count, total);
        let mut others = 0;
        for (fake, part) in world.fakes.iter_mut().skip(1).zip(used) {
            fake.input(|now| now.used = now.slice * part / 100);
            others += fake.now.used + (total / i128::from(count) / 4).max(1) + total / 16;
        }
        for _ in 0..200 {
            world.fakes[0].input(|now| now.used = now.slice);
            world.round(None);
        }
        prop_assert!(world.fakes[0].now.slice >= total - others, "{:?} of {total}", world.slices());
    }
}

/// Goal: one that does not answer keeps its slice, and the others go on without it. Method: three engines; the one with all the
/// room is silent.
#[test]
fn silence_keeps_a_slice() {
    let mut world = World::new(3, 300);
    (0..3).for_each(|_| world.round(None));
    world.fakes[0].input(|now| now.used = 100);
    world.fakes[1].input(|now| now.used = 20);
    (0..40).for_each(|_| world.round(Some(2)));
    assert_eq!(world.slices()[2], 100, "whatever it was asked");
    assert!(world.slices()[0] > 110 && world.slices()[1] < 100, "{:?}", world.slices());
    (0..20).for_each(|_| world.round(None));
    assert!(world.slices()[2] < 100, "it heard what it was asked");
}

/// Goal: slices beyond the total are called back, and nothing is given before they are within it. Method: a start with a total
/// that is smaller than what two engines hold, part of it used.
#[test]
fn beyond_the_total_nothing_is_given() {
    let mut world = World::new(2, 100);
    for (fake, used) in world.fakes.iter_mut().zip([50, 14]) {
        fake.input(|now| (now.total, now.used) = (70, used));
    }
    for _ in 0..10 {
        for shard in 0..2 {
            world.fakes[shard].step();
            world.fakes[shard].look();
            while !world.fakes[shard].told.is_empty() {
                world.hear(shard);
            }
            world.sync(shard, world.fakes[shard].since.len() - 1);
        }
        assert_eq!(world.slices()[0], 50, "although it has no room");
        world.tick();
    }
    assert_eq!(world.slices(), [50, 20]);
}

/// Goal: that both halves of the rule are needed, and that this world sees it when one is missing. Method: a journal that is said
/// to be durable as far as the engine is, and then crashes; an engine that is said to have done what it was asked for.
#[test]
fn the_rule_is_needed() {
    let begun = || {
        let mut world = World::new(2, 100);
        (0..3).for_each(|_| world.round(None));
        world.fakes[0].input(|now| now.used = 50);
        world
    };
    let over = |world: &World| world.fakes.iter().map(Fake::worst).sum::<i128>() > 100;
    let mut world = begun();
    for _ in 0..6 {
        for shard in 0..2 {
            world.fakes[shard].step();
            world.fakes[shard].look();
            while !world.fakes[shard].told.is_empty() {
                world.hear(shard);
            }
            world.treasury.durable(shard, world.fakes[shard].now.seq);
        }
        world.tick();
    }
    assert!(over(&world) && world.slices().iter().sum::<i128>() <= 100, "{:?}", world.slices());
    world.fakes[1].crash(0);
    assert!(world.slices().iter().sum::<i128>() > 100);

    let mut world = begun();
    world.round(None);
    let asked = world.fakes[1].asked.pop_front().unwrap();
    world.treasury.confirm(1, 99, ACCOUNT, LIMIT, Some((asked.to, Ts(0))));
    world.treasury.durable(1, 99);
    world.tick();
    world.fakes[0].step();
    assert!(world.slices().iter().sum::<i128>() > 100, "{:?}", world.slices());
}

/// An engine's slice of a hundred, as it was after an input of this number and time.
fn view(slice: i128, used: i128, seq: u64) -> View {
    let (version, account, limit) = (1, ACCOUNT, LIMIT);
    View { seq, at: Ts(seq), version, account, limit, total: 100, slice, used }
}

/// Goal: an engine whose time is behind the end of somebody's lease gets nothing of it until it is there. Method: a slice that
/// became free at 40 is wanted by an engine at 30.
#[test]
fn nothing_is_given_back_in_time() {
    let view = |slice, used, at| View { seq: 9, ..view(slice, used, at) };
    let (mut treasury, mut moves) = (Treasury::new(2, 1), Vec::new());
    (0..2).for_each(|shard| treasury.durable(shard, 9));
    treasury.see(0, &view(50, 50, 20));
    treasury.see(1, &view(50, 0, 20));
    treasury.tick(&mut moves);
    assert_eq!((moves.len(), moves[0].shard, moves[0].to), (1, 1, 25));
    treasury.durable(1, 12);
    treasury.confirm(1, 12, ACCOUNT, LIMIT, Some((25, Ts(40))));
    for (at, given) in [(30, 0), (39, 0), (40, 1)] {
        moves.clear();
        treasury.see(0, &view(50, 50, at));
        treasury.tick(&mut moves);
        assert_eq!(moves.len(), given, "at {at}");
    }
    assert_eq!((moves[0].shard, moves[0].to), (0, 75));
}

/// Goal: what an engine had of a limit that was switched off says nothing of what it has when that is on again. Method: slices of
/// 88 and 12; both go, one comes back with its equal part and wants more; then the other does.
#[test]
fn a_limit_that_was_off_is_seen_anew() {
    let (mut treasury, mut moves) = (Treasury::new(2, 1), Vec::new());
    let look = |treasury: &mut Treasury, shard, view: View| {
        treasury.see(shard, &view);
        treasury.durable(shard, view.seq);
    };
    look(&mut treasury, 0, view(88, 60, 9));
    look(&mut treasury, 1, view(12, 4, 9));
    treasury.tick(&mut moves);
    assert!(moves.is_empty(), "{moves:?}");
    (0..2).for_each(|shard| treasury.off(shard, ACCOUNT, LIMIT));
    look(&mut treasury, 0, view(50, 46, 11));
    treasury.tick(&mut moves);
    assert!(moves.is_empty(), "the other may have 50 as well: {moves:?}");
    look(&mut treasury, 1, view(50, 0, 12));
    treasury.tick(&mut moves);
    assert_eq!((moves.len(), moves[0].shard), (1, 1), "less comes first");
    assert!(moves[0].to < 50, "{moves:?}");
}
