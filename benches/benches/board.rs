//! Stage `board`: a page published into shared memory, and read by an attached client, each against an empty loop over
//! the same pages. The pages are those of an engine in the middle of the day.

use std::hint::black_box;

use benches::{Shared, Stream, compare, criterion, on_cpu, sequencer};
use model::page::Board;

/// Pages of one round.
const PAGES: usize = 10_000;
/// Events before the pages are taken.
const EVENTS: usize = 100_000;

fn pages() -> Vec<Board> {
    let (day, _) = Stream::day();
    let mut sequencer = sequencer(None);
    for event in &day.events[..EVENTS] {
        sequencer.event(event, &mut ());
        sequencer.out.forget();
    }
    let engine = &sequencer.engine;
    let pages =
        (0..engine.instruments().len() as u32).map_while(|instrument| engine.board(instrument));
    pages.collect::<Vec<_>>().into_iter().cycle().take(PAGES).collect()
}

fn main() {
    let mut criterion = criterion();
    let pages = pages();
    let Shared { publisher, client, .. } = &mut Shared::new();
    let instrument = |page: &Board| page.instrument.id.0 as usize;
    let empty = || on_cpu(PAGES, || pages.iter().for_each(|page| _ = black_box(page)));
    compare(&mut criterion, ["board", "publish"], ("empty loop", empty), || {
        on_cpu(PAGES, || {
            pages
                .iter()
                .for_each(|page| publisher.publish_board(instrument(page), black_box(page)));
        })
    });
    compare(&mut criterion, ["board", "read"], ("empty loop", empty), || {
        on_cpu(PAGES, || {
            pages.iter().for_each(|page| _ = black_box(client.board(instrument(page))))
        })
    });
    let same = |page: &&Board| client.board(instrument(page)).as_ref() == Ok(*page);
    assert_eq!(pages.iter().filter(same).count(), PAGES, "what was published is what is read");
    criterion.final_summary();
}
