//! Finds orders in a journal while it is replayed, and has each explained where it is judged.

use std::ops::ControlFlow;

use engine::config::{Config, FeedSource};
use engine::replay::{Replay, ReplayError, Seen, Witness};
use engine::step::Engine;
use journal::progress::Progress;
use model::page::{AsOf, TapeKind};
use model::{
    AccountId, Ask, BasketEnd, Body, ClientOrderId, Event, Flags, Input, Order, OrderId, Origin,
    Px, Qty, Request, Symbol,
};

use crate::story::{Happened, Judged, Life, Sight, Stages, Standing, Story, Unjudged, line_of};

/// Which orders are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The order of this number, and every change of it.
    Order(OrderId),
    /// Whatever was judged in this input.
    Input(u64),
    /// What a client or strategy called so.
    ClientId(ClientOrderId),
    /// What an asker numbered so.
    Request(u64),
}

/// A search, of one account if one is named.
pub struct Search {
    /// Which orders.
    pub wanted: Wanted,
    /// Whose.
    pub account: Option<Symbol>,
}

/// Replays a journal until nothing more can happen to the orders that are meant, or to its end.
///
/// # Errors
///
/// [`ReplayError`] if it cannot be replayed so far.
pub fn find(replay: &mut Replay, search: Search, progress: Progress) -> Result<Story, ReplayError> {
    let account = search.account.map(|name| replay.engine.account(name));
    let mut finder = Finder::new(search.wanted, account, &replay.config, progress);
    replay.attend(None, &mut finder)?;
    let Finder { mut story, mut progress, ended, .. } = finder;
    progress.finish();
    (story.replayed_to, story.to_the_end) = (replay.engine.seq(), !ended);
    (story.mode, story.checkpoints) = (Some(replay.engine.mode()), replay.checkpoints);
    for life in &mut story.orders {
        life.end = standing(&replay.engine, life.id).or(life.end);
    }
    Ok(story)
}

/// Beside the gate.
struct Finder {
    wanted: Wanted,
    /// `Some(None)`: an account that there is not.
    account: Option<Option<AccountId>>,
    progress: Progress,
    story: Story,
    /// The input that is stepped.
    current: Option<Input>,
    /// Orders judged in it so far.
    judged: usize,
    /// The place of the last that was explained.
    last_place: usize,
    /// Those that were explained, by their place among all that the step judged.
    explained: Vec<(usize, Judged)>,
    /// By instrument: its last event, and the input.
    last: Vec<Option<(u64, Event)>>,
    /// By feed: its venue, and whether two lines were heard.
    feeds: Vec<(&'static str, bool)>,
    ended: bool,
}

impl Finder {
    fn new(
        wanted: Wanted,
        account: Option<Option<AccountId>>,
        config: &Config,
        progress: Progress,
    ) -> Finder {
        let feeds = config.engine.feeds.iter().map(|feed| {
            let has_two = match &feed.source {
                FeedSource::Lines(lines) => lines.lines.len() > 1,
                _ => false,
            };
            (feed.venue.name(), has_two)
        });
        Finder {
            wanted,
            account,
            progress,
            story: Story::default(),
            current: None,
            judged: 0,
            last_place: 0,
            explained: Vec::new(),
            last: vec![None; config.engine.capacity.instruments as usize],
            feeds: feeds.collect(),
            ended: false,
        }
    }

    /// Whether a request before the gate may be one that is meant.
    fn is_meant(&self, request: &Request, order: &Order) -> bool {
        let of_account = self.account.is_none_or(|account| account == Some(request.account));
        of_account
            && match self.wanted {
                Wanted::Order(id) => order.id == id,
                Wanted::Input(seq) => self.current.as_ref().is_some_and(|input| input.seq == seq),
                Wanted::ClientId(id) => order.client_id == id,
                Wanted::Request(number) => is_numbered(request, number),
            }
    }

    /// The same of a request that did not come before the gate.
    fn is_meant_unjudged(&self, input: &Input, request: &Request) -> bool {
        let of_account = self.account.is_none_or(|account| account == Some(request.account));
        let (order, client_id) = match request.ask {
            Ask::New(terms) => (None, Some(terms.client_id)),
            Ask::Replace { order, client_id, .. } => (Some(order), Some(client_id)),
            Ask::Cancel { order } => (Some(order), None),
            Ask::Basket(_) | Ask::Halt { .. } | Ask::Check(_) | Ask::Beat => (None, None),
        };
        of_account
            && match self.wanted {
                Wanted::Order(id) => order == Some(id),
                Wanted::Input(seq) => input.seq == seq,
                Wanted::ClientId(id) => client_id == Some(id),
                Wanted::Request(number) => is_numbered(request, number),
            }
    }

    fn sight(&self, engine: &Engine, order: &Order) -> Option<Sight> {
        let board = engine.board(order.instrument.0)?;
        let feed = board.instrument.feed;
        let (venue, mut has_two) = self.feeds.get(usize::from(feed.0)).copied()?;
        let current = self.current.as_ref().and_then(|input| match input.body {
            Body::Event(event) => Some((input.seq, event)),
            _ => None,
        });
        let of_it = |event: &Event| is_of(engine, event, order.instrument.0);
        let last = self.last.get(order.instrument.0 as usize).copied().flatten();
        let event = current.filter(|(_, event)| of_it(event)).or(last);
        has_two |= event.is_some_and(|(_, event)| event.flags.has(Flags::LINE_B));
        Some(Sight {
            venue,
            feed_seq: engine.feed_seq(order.instrument),
            line: event.and_then(|(_, event)| line_of(&event, has_two)),
            age_ns: engine.now().since(board.as_of.ts_recv),
            event,
            board,
        })
    }

    /// Keeps the event of the step as its instrument's last.
    fn keep_event(&mut self, engine: &Engine, seq: u64, event: &Event) {
        if event.flags.has(Flags::LINE_B)
            && let Some((_, has_two)) = self.feeds.get_mut(usize::from(event.feed.0))
        {
            *has_two = true;
        }
        let found = engine.instruments().find(event.feed, event.number);
        if let Some(place) = found.and_then(|id| self.last.get_mut(id as usize)) {
            *place = Some((seq, *event));
        }
    }

    /// Takes what was explained in the step into the story, with what the gate then said.
    fn keep_judged(&mut self, seen: &Seen<'_>) {
        for (place, mut judged) in std::mem::take(&mut self.explained) {
            judged.said = seen.out.judged.get(place).map(|judged| judged.verdict);
            // The number of a new order that is refused is given to the next one.
            if matches!(self.wanted, Wanted::Order(_)) && judged.order_id().is_none() {
                continue;
            }
            if let Some(id) = judged.order_id()
                && !self.story.orders.iter().any(|life| life.id == id)
            {
                let (since, decimals) = (judged.seq, judged.decimals());
                let basket = judged.order.basket().map(|number| (judged.order.account, number));
                let life = Life { id, since, decimals, basket, events: Vec::new(), end: None };
                self.story.orders.push(life);
            }
            self.story.judged.push(judged);
        }
    }

    fn keep_lives(&mut self, seen: &Seen<'_>) {
        for record in &seen.out.tape {
            let is_verdict = matches!(record.kind, TapeKind::Passed | TapeKind::Refused);
            let (seq, now, kind) = (record.engine_seq, record.now, record.kind);
            let is_basket = kind == TapeKind::Basket;
            let basket_end = BasketEnd::from_code(record.code).filter(|_| is_basket);
            let exec_id = (kind == TapeKind::Fill).then_some(record.aux);
            let (px, qty) = if is_basket { (Px(0), Qty(0)) } else { (record.px, record.qty) };
            let is_of = |life: &&mut Life| match is_basket {
                // A number is free again when its basket is over.
                true => {
                    let is_first = life.events.iter().all(|event| event.kind != kind);
                    life.basket == Some((record.account, record.aux)) && is_first
                }
                false => life.id == record.order && !is_verdict,
            };
            for life in self.story.orders.iter_mut().filter(is_of) {
                life.events.push(Happened { seq, now, kind, px, qty, exec_id, basket_end });
                life.end = standing(seen.engine, life.id).or(life.end);
            }
        }
    }

    fn keep_unjudged(&mut self, seen: &Seen<'_>) {
        let Body::Request(request) = seen.input.body else { return };
        let Some(answer) = seen.out.answer else { return };
        if self.judged == 0 && self.is_meant_unjudged(seen.input, &request) {
            self.story.unjudged.push(Unjudged {
                seq: seen.input.seq,
                now: seen.engine.now(),
                request,
                account: name_of(seen.engine, request.account),
                kind: answer.kind,
                verdict: answer.verdict,
                order: answer.order,
            });
        }
    }

    /// Whether nothing more can become of what was asked about.
    fn is_done(&self, engine: &Engine) -> bool {
        let found = match self.wanted {
            Wanted::Order(_) => !self.story.judged.is_empty(),
            Wanted::Input(seq) => engine.seq() >= seq,
            Wanted::ClientId(_) | Wanted::Request(_) => false, // There may be another one.
        };
        found
            && self.story.orders.iter().all(|life| {
                engine.orders().get(life.id).is_none_or(|record| !record.state.is_open())
            })
    }
}

impl Witness for Finder {
    fn before(&mut self, _: &Engine, input: &Input) {
        self.current = Some(*input);
        self.judged = 0;
    }

    fn judging(&mut self, engine: &Engine, request: &Request, order: &Order) {
        let place = self.judged;
        self.judged += 1;
        if !self.is_meant(request, order) {
            return;
        }
        self.last_place = place;
        let explanation = engine.explain(request, order);
        let mut accounts: Vec<(AccountId, Symbol)> = Vec::new();
        for id in explanation.checks.iter().filter_map(|check| check.account) {
            if !accounts.iter().any(|(known, _)| *known == id) {
                accounts.extend(name_of(engine, id).map(|name| (id, name)));
            }
        }
        let judged = Judged {
            seq: engine.seq(),
            now: engine.now(),
            request: *request,
            order: *order,
            is_replace: matches!(request.ask, Ask::Replace { .. }),
            accounts,
            sight: self.sight(engine, order),
            explanation,
            said: None,
            stages: Stages::default(),
        };
        self.explained.push((place, judged));
    }

    fn stages(&mut self, seq: u64, ns: [u64; 3]) {
        let last = self.story.judged.last_mut().filter(|judged| judged.seq == seq);
        let is_last = self.judged == self.last_place + 1;
        if let Some(judged) = last.filter(|_| is_last) {
            let [book_ns, indicators_ns, gate_ns] = ns.map(|ns| (ns > 0).then_some(ns));
            judged.stages = Stages { book_ns, indicators_ns, gate_ns };
        }
    }

    fn after(&mut self, seen: &Seen<'_>) -> ControlFlow<()> {
        if self.ended {
            return ControlFlow::Break(()); // One input late: what was measured stands behind its own.
        }
        let flow = self.progress.show(seen.input.seq);
        if let Body::Event(event) = &seen.input.body {
            self.keep_event(seen.engine, seen.input.seq, event);
        }
        let is_wanted = !self.explained.is_empty();
        self.keep_judged(seen);
        self.keep_unjudged(seen);
        if !self.story.orders.is_empty() {
            self.keep_lives(seen);
        }
        let may_end = is_wanted || !seen.out.tape.is_empty();
        let reached = matches!(self.wanted, Wanted::Input(seq) if seen.input.seq == seq);
        if (may_end || reached) && self.is_done(seen.engine) {
            self.ended = true;
        }
        flow
    }
}

fn is_numbered(request: &Request, number: u64) -> bool {
    request.id == number && !matches!(request.origin, Origin::Strategy(_))
}

fn is_of(engine: &Engine, event: &Event, instrument: u32) -> bool {
    engine.instruments().find(event.feed, event.number) == Some(instrument)
}

fn standing(engine: &Engine, id: OrderId) -> Option<Standing> {
    let record = engine.orders().get(id)?;
    Some(Standing { state: record.state, filled: record.filled, leaves: record.leaves() })
}

/// The name of an account.
pub fn name_of(engine: &Engine, id: AccountId) -> Option<Symbol> {
    engine.risk().account_page(id, AsOf::default(), engine.now()).map(|page| page.name)
}
