//! All engines, the treasury between them, and what they count together.

use super::*;

pub(super) struct World {
    pub(super) shards: Vec<Shard>,
    pub(super) treasury: Treasury,
    pub(super) now: u64,
    /// Whether prices stay where they are: then nothing is used that no order asked for.
    pub(super) still: bool,
}

/// What all engines count together, worked out anew from their orders and fills. Money, those of marks doubled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recount {
    gross2: i128,
    net2: i128,
    pub(super) day: i128,
    pub(super) open: i128,
}

impl World {
    pub(super) fn new(count: u16, lags: &[u64], still: bool) -> World {
        let shards: Vec<Shard> =
            (0..count).zip(lags).map(|(number, lag)| Shard::new(number, count, *lag)).collect();
        let treasury = Treasury::new(count.into(), ACCOUNTS.len() as u16);
        let mut world = World { shards, treasury, now: BEGIN, still };
        (0..world.shards.len()).for_each(|shard| world.sync(shard, 0));
        world
    }

    pub(super) fn sync(&mut self, shard: usize, pick: usize) {
        let of = &mut self.shards[shard];
        of.durable += pick % (of.inputs.len() - of.durable + 1);
        self.treasury.durable(shard, of.durable as u64);
    }

    pub(super) fn hear(&mut self, shard: usize) {
        match self.shards[shard].told.pop_front() {
            None => {}
            Some(Told::Seen(view)) => self.treasury.see(shard, &view),
            Some(Told::Done(seq, Credited { account, limit, slice, at })) => {
                let slice = slice.map(|slice| (slice, at));
                self.treasury.confirm(shard, seq, account, limit, slice);
            }
        }
    }

    pub(super) fn tick(&mut self) -> usize {
        let mut moves = Vec::new();
        self.treasury.tick(&mut moves);
        moves.iter().for_each(|asked| self.shards[asked.shard].asked.push_back(*asked));
        moves.len()
    }

    /// Every engine is heard, asked, and heard again; a bit of `syncs` says whose journal has all of it for good.
    pub(super) fn round(&mut self, quarters: [i128; 4], syncs: u8) {
        for (turn, quarters) in [Some(quarters), None, None].into_iter().enumerate() {
            for shard in 0..self.shards.len() {
                let at = self.at(shard);
                while !self.shards[shard].asked.is_empty() {
                    self.shards[shard].serve(at);
                }
                if let Some(quarters) = quarters.and_then(|all| all.get(shard).copied()) {
                    self.shards[shard].step(at, Body::Timer);
                    self.shards[shard].look(quarters);
                }
                while !self.shards[shard].told.is_empty() {
                    self.hear(shard);
                }
                if syncs >> ((2 * shard + turn) % 8) & 1 == 1 {
                    let all = self.shards[shard].inputs.len() - self.shards[shard].durable;
                    self.sync(shard, all);
                }
            }
            self.tick();
        }
    }

    /// Everything that is on its way arrives and is durable, until nothing moves.
    pub(super) fn settle(&mut self) {
        for _ in 0..50 {
            self.now += MS;
            for shard in 0..self.shards.len() {
                let at = Ts(self.now); // No clock is behind.
                self.shards[shard].step(at, Body::Timer);
                while !self.shards[shard].asked.is_empty() {
                    self.shards[shard].serve(at);
                }
                self.shards[shard].look(4);
                while !self.shards[shard].told.is_empty() {
                    self.hear(shard);
                }
                let all = self.shards[shard].inputs.len() - self.shards[shard].durable;
                self.sync(shard, all);
            }
            if self.tick() == 0 {
                return;
            }
        }
        panic!("slices do not come to rest");
    }

    pub(super) fn total(&self, account: AccountId, limit: CreditKind) -> i128 {
        self.shards[0].engine.total(account, limit).unwrap()
    }

    /// `at`: when, to the engine that asks. What another one does in another session is not of this one.
    pub(super) fn recount(&self, account: AccountId, at: Ts) -> Recount {
        let is_late = |at: Ts| at.0 >= SESSION_AT;
        let (mut gross2, mut net, mut day, mut open) = (0, [0; 2], 0, 0);
        for shard in &self.shards {
            let board = shard.engine.board(0).unwrap();
            let mark2 = [board.bid, board.ask].map(|level| i128::from(level.unwrap().px.0));
            let mark2 = mark2[0] + mark2[1];
            let [mut position, mut buys, mut sells] = [0_i128; 3];
            for fill in shard.fills.iter().filter(|fill| counts(fill.account, account)) {
                let qty = i128::from(fill.qty.0);
                position += if fill.side == Side::Buy { qty } else { -qty };
                if is_late(fill.at) == is_late(at) {
                    day += i128::from(fill.px.0) * qty * FACTOR;
                }
            }
            for of in shard.open().filter(|of| counts(of.order.account, account)) {
                let qty = i128::from(of.order.qty.0 - of.filled.0);
                match of.order.side {
                    Side::Buy => buys += qty,
                    Side::Sell => sells += qty,
                }
                open += 1;
                if is_late(shard.engine.now()) <= is_late(at) {
                    day += i128::from(of.order.px.0) * qty * FACTOR;
                }
            }
            let (long, short) = (position + buys, sells - position);
            gross2 += long.max(short) * mark2 * FACTOR;
            net[0] += long * mark2 * FACTOR;
            net[1] += short * mark2 * FACTOR;
        }
        Recount { gross2, net2: net[0].max(net[1]), day, open }
    }

    /// What has just passed in an engine is what one engine of everything would have let pass.
    pub(super) fn within(&self, shard: usize, account: AccountId) {
        let at = self.shards[shard].engine.now();
        for above in [account, AccountId(0)] {
            let Recount { gross2, net2, day, open } = self.recount(above, at);
            for (limit, used, times) in [
                (CreditKind::Gross, gross2, 2),
                (CreditKind::Net, net2, 2),
                (CreditKind::DayGross, day, 1),
                (CreditKind::OpenOrders, open, 1),
            ] {
                let total = self.total(above, limit) * times;
                assert!(used <= total, "{limit} of {above:?}: {used} of {total}");
            }
        }
    }

    /// No window of any length of the limits', and no session, holds more than the limit.
    pub(super) fn windows_are_within(&self) {
        for above in (0..ACCOUNTS.len() as u16).map(AccountId) {
            let passes = self.shards.iter().flat_map(|shard| &shard.passes);
            let passes: Vec<&Pass> = passes.filter(|pass| counts(pass.account, above)).collect();
            for end in &passes {
                let within = |pass: &&&Pass| pass.at <= end.at && end.at.since(pass.at) < WINDOW_NS;
                let inside: Vec<_> = passes.iter().filter(within).collect();
                let money: i128 = inside.iter().map(|pass| pass.money).sum();
                assert!(inside.len() as i128 <= self.total(above, CreditKind::Rate));
                assert!(money <= self.total(above, CreditKind::Volume));
            }
            let fills = self.shards.iter().flat_map(|shard| &shard.fills);
            let fills = fills.filter(|fill| counts(fill.account, above));
            let mut days = [0; 2];
            for fill in fills {
                let money = i128::from(fill.px.0) * i128::from(fill.qty.0) * FACTOR;
                days[usize::from(fill.at.0 >= SESSION_AT)] += money;
            }
            let most = self.total(above, CreditKind::DayGross);
            assert!(!self.still || days.iter().all(|day| *day <= most), "{days:?} of {most}");
        }
    }

    pub(super) fn slices_are_within(&self) {
        for account in (0..ACCOUNTS.len() as u16).map(AccountId) {
            for limit in CreditKind::ALL {
                let slices = self.shards.iter().map(|shard| shard.slice(account, *limit));
                let sum: i128 = slices.sum();
                assert!(sum <= self.total(account, *limit), "{limit} of {account:?}: {sum}");
            }
        }
    }

    pub(super) fn apply(&mut self, op: Op) {
        let place = |shard: usize| shard % self.shards.len();
        match op {
            Op::Order { shard, account, side, qty, away, ioc } => {
                let (shard, account) = (place(shard), AccountId(account));
                let at = self.at(shard);
                // A sale never fills above its limit, so that no more trades than was asked for.
                let board = self.shards[shard].engine.board(0).unwrap();
                let (Some(bid), Some(ask)) = (board.bid, board.ask) else { return };
                let [bid, ask] = [bid, ask].map(|level| level.px.0);
                let px = if side == Side::Buy { ask - 500 * away } else { bid + 500 * away };
                let tif = if ioc { Tif::Ioc } else { Tif::Day };
                if self.shards[shard].order(at, account, side, qty, px, tif) && self.still {
                    self.within(shard, account);
                }
            }
            Op::Replace { shard, pick, qty } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                let of = &mut self.shards[shard];
                let Some((order, account, px)) = of.pick(pick) else { return };
                of.names += 1;
                let client_id = ClientOrderId::new(&format!("r{}", of.names)).unwrap();
                let ask = Ask::Replace { order, client_id, px, qty: Qty(qty) };
                let money = i128::from(px.0) * i128::from(qty) * FACTOR;
                if of.ask(at, account, ask, money) && self.still {
                    self.within(shard, account);
                }
            }
            Op::Cancel { shard, pick } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                let of = &mut self.shards[shard];
                let Some((order, account, _)) = of.pick(pick) else { return };
                let (origin, note, ask) = (Origin::File, Note::default(), Ask::Cancel { order });
                of.step(at, Body::Request(Request { id: 1, origin, account, ask, note }));
                of.out.answer = None;
            }
            Op::Quote { shard, by } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                if !self.still {
                    self.shards[shard].quote(at, [BID + 1_000 * by, ASK + 1_000 * by]);
                }
            }
            Op::Burst { shard, account, side, qty, count } => {
                for _ in 0..count {
                    self.apply(Op::Order { shard, account, side, qty, away: 0, ioc: true });
                    self.apply(Op::Order { shard, account, side, qty, away: 1, ioc: false });
                }
            }
            Op::Round { quarters, syncs } => self.round(quarters, syncs),
            Op::Wait { ms } => self.now += ms * MS,
            Op::Serve { shard } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                self.shards[shard].serve(at);
            }
            Op::Look { shard, quarters } => {
                let (shard, at) = (place(shard), self.at(place(shard)));
                self.shards[shard].step(at, Body::Timer);
                self.shards[shard].look(quarters);
            }
            Op::Hear { shard, count } => {
                let shard = place(shard);
                (0..count).for_each(|_| self.hear(shard));
            }
            Op::Sync { shard, pick } => self.sync(place(shard), pick),
            Op::Tick => _ = self.tick(),
            Op::Settle => self.settle(),
            Op::Crash { shard, pick } => {
                let shard = place(shard);
                self.shards[shard].crash(pick);
                self.treasury.forget(shard);
                self.sync(shard, 0);
            }
            Op::CrashAll { pick } => {
                self.treasury = Treasury::new(self.shards.len(), ACCOUNTS.len() as u16);
                for shard in 0..self.shards.len() {
                    self.shards[shard].crash(pick.rotate_left(shard as u32 * 8));
                    self.sync(shard, 0);
                }
            }
        }
    }

    pub(super) fn at(&self, shard: usize) -> Ts {
        Ts(self.now - self.shards[shard].lag)
    }
}
