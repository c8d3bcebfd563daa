//! A venue, a network that spoils what it carries, and a feed, on virtual time.

use std::collections::VecDeque;

use feeds::stream::{Action, HttpFailure, StreamCounters, StreamFeed, Venue};
use model::Ts;

use crate::fold::Fold;
use crate::model::{Model, Out};
use crate::truth::{Rng, Truth};

const MS: u64 = 1_000_000;
/// What one in a thousand texts suffers, of each kind.
const SPOILT: u64 = 12;

/// What becomes of a request for a connection.
struct Opening {
    at: u64,
    succeeds: bool,
}

/// What becomes of a request over HTTP.
struct Answer {
    at: u64,
    request: u32,
    body: Result<Out, HttpFailure>,
}

pub struct World<M, V> {
    model: M,
    feed: StreamFeed<V>,
    pub fold: Fold,
    truths: Vec<Truth>,
    rng: Rng,
    now: u64,
    faulty: bool,
    open: bool,
    opening: Option<Opening>,
    /// Texts on their way to the feed.
    texts: VecDeque<(u64, Out)>,
    /// Texts on their way to the venue.
    requests: VecDeque<(u64, String)>,
    answers: Vec<Answer>,
    stalled_until: u64,
    /// Latest version of each book that has reached the feed.
    known: [usize; 2],
    /// How often a book was found live and right.
    pub proofs: u64,
}

impl<M: Model, V: Venue> World<M, V> {
    pub fn new(feed: StreamFeed<V>, seed: u64) -> World<M, V> {
        let mut rng = Rng(seed);
        let truths = M::SYMBOLS.map(|name| Truth::new(name, M::DEPTH, &mut rng));
        let mut world = World {
            model: M::new(),
            feed,
            fold: Fold::default(),
            truths: truths.into(),
            rng,
            now: 1_700_000_000_000 * MS,
            faulty: true,
            open: false,
            opening: None,
            texts: VecDeque::new(),
            requests: VecDeque::new(),
            answers: Vec::new(),
            stalled_until: 0,
            known: [0; 2],
            proofs: 0,
        };
        world.tell(|feed, now, fold| feed.start(now, &mut |event| fold.apply(event)));
        world
    }

    pub fn counters(&self) -> StreamCounters {
        self.feed.counters()
    }

    /// Runs through faults, then until the books are right again, and holds them against the truth at every step.
    pub fn run(&mut self) {
        for _ in 0..150 {
            self.step(100);
        }
        self.faulty = false;
        // What is spoilt already arrives.
        self.stalled_until = 0;
        self.now += 1_000 * MS;
        self.deliver();
        for step in 0..600 {
            self.step(500);
            if step > 20 && self.fold.books.values().all(|book| book.is_live()) {
                break;
            }
        }
        self.now += 1_000 * MS;
        self.deliver();
        for (truth, book) in self.truths.iter().zip(self.fold.books.values()) {
            assert!(
                book.is_live(),
                "{} {:?}: {:?}",
                truth.symbol,
                book.cause,
                self.feed.counters()
            );
            assert_eq!(&book.sides, &truth.now().0, "{}", truth.symbol);
        }
    }

    fn step(&mut self, ms: u64) {
        let second = self.now / (1_000 * MS);
        self.now += ms * MS;
        for symbol in 0..2 {
            if self.rng.one_in(500)
                && let Some(changes) = self.truths[symbol].evolve(&mut self.rng)
            {
                let outs = self.model.update(symbol, &self.truths[symbol], &changes);
                self.send(outs);
            }
        }
        if second != self.now / (1_000 * MS) {
            let outs = self.model.second();
            self.send(outs);
        }
        if self.faulty && self.rng.one_in(10) {
            self.stalled_until = self.now + self.rng.below(20_000) * MS;
        }
        if self.faulty && self.open && self.rng.one_in(10) {
            self.cut();
        }
        self.deliver();
        if self.feed.wake_at().is_some_and(|at| at.0 <= self.now) {
            self.tell(|feed, now, fold| feed.on_time(now, &mut |event| fold.apply(event)));
        }
    }

    fn cut(&mut self) {
        self.hang_up();
        self.tell(|feed, now, fold| feed.on_close(now, &mut |event| fold.apply(event)));
    }

    fn hang_up(&mut self) {
        self.open = false;
        self.opening = None;
        self.texts.clear();
        self.requests.clear();
    }

    /// Puts texts of the venue on their way, some of them spoilt.
    fn send(&mut self, outs: Vec<Out>) {
        if !self.open {
            return;
        }
        for out in outs {
            let at = self.now + self.rng.below(150) * MS;
            let at = self.texts.back().map_or(at, |(last, _)| at.max(*last));
            let is_book = out.tag.is_some();
            let fault = if self.faulty { self.rng.below(1_000) / SPOILT } else { u64::MAX };
            match fault {
                0 if M::SHOWS_LOSS || !is_book => {}
                1 => {
                    self.texts.push_back((at, out.clone()));
                    self.texts.push_back((at, out));
                }
                2 if M::SHOWS_ORDER && !out.is_whole => {
                    // Not before a whole book: what precedes that is of no account to anyone.
                    let later = self.texts.iter().rev().take_while(|(_, later)| !later.is_whole);
                    let back = later.take(self.rng.below(4) as usize).count();
                    self.texts.insert(self.texts.len() - back, (at, out));
                }
                3 if M::SHOWS_ORDER && !out.is_whole => {
                    self.texts.push_back((at, out.clone()));
                    self.texts.push_back((at + self.rng.below(400) * MS, out));
                }
                4 => {
                    let len = self.rng.below(out.text.len() as u64) as usize;
                    self.texts.push_back((at, Out { text: out.text[..len].to_owned(), ..out }));
                }
                5 => {
                    let text = self.model.corrupt(&out.text).unwrap_or_else(|| out.text.clone());
                    self.texts.push_back((at, Out { text, ..out }));
                }
                _ => self.texts.push_back((at, out)),
            }
        }
    }

    /// Lets everything arrive that is due.
    fn deliver(&mut self) {
        while self.requests.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, text) = self.requests.pop_front().unwrap();
            let refused = self.faulty && self.rng.one_in(40);
            let refusal = self.model.refusal(&text).filter(|_| refused);
            let outs = match refusal {
                Some(refusal) => vec![refusal],
                None => self.model.reply(&text, &self.truths),
            };
            self.send(outs);
        }
        if let Some(opening) = self.opening.take_if(|opening| opening.at <= self.now) {
            self.open = opening.succeeds;
            if self.open {
                self.model.opened();
                self.tell(|feed, now, fold| feed.on_open(now, &mut |event| fold.apply(event)));
            } else {
                self.tell(|feed, now, fold| feed.on_close(now, &mut |event| fold.apply(event)));
            }
        }
        while self.now >= self.stalled_until
            && self.open
            && self.texts.front().is_some_and(|(at, _)| *at <= self.now)
        {
            let (_, out) = self.texts.pop_front().unwrap();
            if let Some((symbol, version)) = out.tag {
                self.known[symbol] = self.known[symbol].max(version);
            }
            self.tell(|feed, now, fold| {
                feed.on_text(out.text.as_bytes(), now, &mut |event| fold.apply(event))
            });
            // A connection that breaks while a snapshot is being joined to what follows.
            if self.faulty && out.is_whole && self.rng.one_in(30) {
                self.cut();
            }
        }
        while let Some(place) = self.answers.iter().position(|answer| answer.at <= self.now) {
            // A body alone makes no book live: the update that follows it says which version is reached.
            let Answer { request, body, .. } = self.answers.swap_remove(place);
            let body = body.as_ref().map(|out| out.text.as_bytes()).map_err(|error| *error);
            self.tell(|feed, now, fold| {
                feed.on_response(request, body, now, &mut |event| fold.apply(event))
            });
        }
    }

    /// Tells the feed something, does what it asks for, and holds its books against the truth.
    fn tell(&mut self, what: impl FnOnce(&mut StreamFeed<V>, Ts, &mut Fold)) {
        let World { feed, fold, now, .. } = self;
        what(feed, Ts(*now), fold);
        while let Some(action) = self.feed.next_action() {
            self.act(action);
        }
        for (place, book) in self.fold.books.values().enumerate() {
            if !book.is_live() {
                continue;
            }
            assert!(self.open, "live without a connection");
            let truth = &self.truths[place];
            let known = &truth.seen[self.known[place]];
            assert_eq!(&book.sides, &known.0, "{} {:?}", truth.symbol, self.feed.counters());
            self.proofs += 1;
        }
    }

    fn act(&mut self, action: Action) {
        let at = self.now + self.rng.below(300) * MS;
        let luck = if self.faulty { self.rng.below(100) } else { 100 };
        match action {
            Action::Connect { .. } => {
                assert!(!self.open && self.opening.is_none(), "a second connection");
                // Now and then nobody ever answers.
                let at = if luck < 5 { u64::MAX } else { at };
                self.opening = Some(Opening { at, succeeds: luck >= 15 });
            }
            Action::Close => self.hang_up(),
            Action::Send { text } => {
                assert!(self.open, "sent into nothing");
                let at = self.requests.back().map_or(at, |(last, _)| at.max(*last));
                self.requests.push_back((at, text));
            }
            Action::Get { request, url, .. } => {
                let body = match luck {
                    0..5 => return,
                    5..10 => Err(HttpFailure::Status(503)),
                    // An answer from before what waits for it.
                    10..20 => {
                        self.model.rest(&url, &self.truths, 5).ok_or(HttpFailure::Unreachable)
                    }
                    _ => self.model.rest(&url, &self.truths, 0).ok_or(HttpFailure::Unreachable),
                };
                let late = if luck < 40 { self.rng.below(12_000) * MS } else { 0 };
                self.answers.push(Answer { at: at + late, request, body });
            }
        }
    }
}
