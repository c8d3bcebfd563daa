//! Stages `tick_to_board` and `tick_to_verdict`: from the bytes of a message on, through the whole engine, against the
//! length walk of the same bytes.
//!
//! `tick_to_board`: decode → step → tape and board pages in shared memory, published after each message, or after rounds
//! of 64 as the engine thread does when messages queue up. `tick_to_verdict`: a trade that makes the probe send, from its
//! bytes to the end of the gate; it includes one reading of the clock. The hop between the threads is a stage of its own.

use std::hint::black_box;
use std::time::Duration;

use benches::{
    DECODER, EVENTS_PER_ROUND, Round, Shared, Stream, check_digest, compare, criterion, digest,
    frames, on_cpu, sequencer, walk,
};
use criterion::Criterion;
use engine::sequencer::Sequencer;
use engine::step::{Stage, Stamp};
use feeds::nasdaq::itch::Decoder;
use host::Clock;
use model::{DAY_NS, Event, FeedId, Flags, Kind, Ts, VenueNumber};
use shm::Publisher;

/// The probe asks for an order on every so many trades.
const PROBE_EVERY: u64 = 10;
/// A day is long for one round.
const ROUNDS_TAKE: Duration = Duration::from_secs(6);

/// The same day again and again, each time a day later.
struct Days<'a> {
    day: &'a Stream,
    played: u64,
}

impl<'a> Days<'a> {
    fn next(&mut self) -> (Decoder, impl Iterator<Item = (&'a [u8], u64)> + use<'a>) {
        let first = 1 + self.played * self.day.events.len() as u64;
        let decoder = Decoder { midnight: Ts(self.played * DAY_NS), ..DECODER };
        self.played += 1;
        (decoder, frames(&self.day.bytes).zip(first..))
    }
}

/// What the engine thread publishes as soon as events are through.
fn publish(sequencer: &mut Sequencer, publisher: &mut Publisher) {
    let Sequencer { engine, out, .. } = sequencer;
    out.tape.drain(..).for_each(|record| publisher.push_tape(&record));
    out.boards.take(usize::MAX, |instrument| {
        engine.measure(instrument);
        if let Some(page) = engine.board(instrument) {
            publisher.publish_board(instrument as usize, &page);
        }
    });
}

fn digest_of(sequencer: &Sequencer) -> u64 {
    let engine = &sequencer.engine;
    digest(|number, side| {
        let book = engine.instruments().find(FeedId(0), VenueNumber(number.into()))?;
        engine.books_of(book)?.best(book as usize, side).map(|quote| (quote.px, quote.qty))
    })
}

fn tick_to_board(
    criterion: &mut Criterion,
    name: &str,
    per_round: usize,
    day: &Stream,
    right: u64,
) {
    let (count, mut days) = (day.events.len(), Days { day, played: 0 });
    let mut sequencer = sequencer(None);
    let mut shared = Shared::new();
    let bound = || on_cpu(count, || _ = black_box(walk(black_box(&day.bytes))));
    compare(criterion, ["tick_to_board", name], ("length walk", bound), || {
        let (decoder, mut messages) = days.next();
        let mut round = [Event::empty(Kind::Notice); EVENTS_PER_ROUND];
        on_cpu(count, || {
            loop {
                let mut used = 0;
                for (place, (message, seq)) in round[..per_round].iter_mut().zip(&mut messages) {
                    if let Ok(event) = decoder.decode(message, seq, Flags::LAST_OF_PACKET) {
                        *place = event;
                        used += 1;
                    }
                }
                if used == 0 {
                    break;
                }
                for (at, event) in round[..used].iter().enumerate() {
                    sequencer.engine.look_ahead(&round[..used], at);
                    sequencer.event(event, &mut ());
                }
                publish(&mut sequencer, &mut shared.publisher);
            }
        })
    });
    check_digest(&format!("tick_to_board/{name}"), digest_of(&sequencer), right);
}

/// Notes when the gate has judged.
struct Judged<'a> {
    clock: &'a Clock,
    at_ns: Option<u64>,
}

impl Stamp for Judged<'_> {
    fn mark(&mut self, stage: Stage) {
        if stage == Stage::Gate {
            self.at_ns = Some(self.clock.now_ns());
        }
    }
}

fn tick_to_verdict(criterion: &mut Criterion, day: &Stream, right: u64) {
    let trades = day.pick(|kind, _| b"CEPQ".contains(&kind));
    let bound = || on_cpu(trades.events.len(), || _ = black_box(walk(black_box(&trades.bytes))));
    let mut days = Days { day, played: 0 };
    let mut sequencer = sequencer(Some(PROBE_EVERY));
    let clock = Clock::start();
    let mut ticks = Vec::new();
    compare(criterion, ["tick_to_verdict", "probe"], ("length walk", bound), || {
        ticks.clear();
        let (decoder, messages) = days.next();
        for (message, seq) in messages {
            let mut judged = Judged { clock: &clock, at_ns: None };
            let start_ns = clock.now_ns();
            if let Ok(event) = decoder.decode(message, seq, Flags::LAST_OF_PACKET) {
                sequencer.event(&event, &mut judged);
            }
            ticks.extend(judged.at_ns.map(|at_ns| at_ns.saturating_sub(start_ns)));
            sequencer.out.forget();
        }
        Round::of_pieces(&mut ticks, 1)
    });
    check_digest("tick_to_verdict/probe", digest_of(&sequencer), right);
    let (passed, refused) =
        (sequencer.engine.passed(), sequencer.engine.refused().iter().sum::<u64>());
    println!("verdicts tick_to_verdict/probe {passed} passed, {refused} refused");
    assert!(passed > 9 * refused, "the way of a passed order is to be measured");
}

fn main() {
    let mut criterion = criterion().measurement_time(ROUNDS_TAKE);
    let (day, summary) = Stream::day();
    tick_to_board(&mut criterion, "each_message", 1, &day, summary.digest);
    tick_to_board(&mut criterion, "rounds_of_64", EVENTS_PER_ROUND, &day, summary.digest);
    tick_to_verdict(&mut criterion, &day, summary.digest);
    criterion.final_summary();
}
