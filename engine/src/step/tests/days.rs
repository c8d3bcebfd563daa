//! What is known of a venue's day, and when it ends.

use feeds::new_york_midnight;
use feeds::session::SESSION_JOINED;

use super::*;

/// Goal: a session that was joined begins a day where all that is known is of an earlier day in New York, and nothing where it
/// is of the same: an engine that was started again goes on. Method: a trade, and the event on the same evening and the morning
/// after.
#[test]
fn a_joined_session_begins_another_day() {
    let hour = 3_600_000_000_000;
    let morning = new_york_midnight(Ts(1_704_500_000_000_000_000));
    for (joined_at, volume) in [(23 * hour, 5), (25 * hour, 0)] {
        let mut bench = Bench::new(Venue::NasdaqItch);
        let mut take = |event: Event, after: u64| {
            let now = Ts(morning.0 + after);
            bench.seq += 1;
            bench.message += 1;
            let event = Event { seq: bench.message, ts_venue: now, ts_recv: now, ..event };
            let input = Input { seq: bench.seq, now, body: Body::Event(event) };
            bench.engine.step(&input, &mut bench.out, &mut ());
            bench.out.forget();
        };
        let (px, qty) = (Px(100_000_000_000), Qty(5));
        take(Event { px, qty, number: NUMBER, ..Event::empty(Kind::Trade) }, 10 * hour);
        take(Event { aux: 1, number: NUMBER, ..Event::empty(Kind::VenueHalt) }, 11 * hour);
        take(Event { aux: SESSION_JOINED, ..Event::empty(Kind::Session) }, joined_at);
        let listed = bench.engine.instruments().get(0).unwrap();
        assert_eq!((listed.volume.0, listed.venue_halted), (volume, volume > 0));
        let knows = bench.engine.instruments().find(FeedId(0), NUMBER).is_some();
        assert_eq!(knows, volume > 0, "the venue's numbers are void");
    }
}
