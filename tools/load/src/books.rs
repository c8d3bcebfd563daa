//! What the books of a run came to.

use engine::hash::StateHash;
use engine::step::Engine;
use model::Side;

/// A hash of every level of every book, and of what traded; and how many orders rest in the books.
pub(crate) fn hash(engine: &Engine) -> (u64, usize) {
    let mut listed: Vec<_> = engine.instruments().iter().collect();
    // Numbers are given in the order of the venue's directory; names hold whatever that was.
    listed.sort_by_key(|listed| listed.instrument.symbol);
    let mut hash = StateHash::default();
    for listed in listed {
        let id = listed.instrument.id.0;
        hash.fold_words(&listed.instrument.symbol.to_words());
        hash.fold_pair(listed.trades, listed.volume.0 as u64);
        for side in [Side::Buy, Side::Sell] {
            let levels = engine.books_of(id).map(|books| books.levels(id as usize, side));
            let mut count = 0;
            for level in levels.into_iter().flatten() {
                hash.fold_pair(level.px.0 as u64, level.qty.0 as u64);
                hash.fold(level.orders.into());
                count += 1;
            }
            hash.fold(count);
        }
    }
    (hash.value(), engine.live_orders())
}
