//! Any life of a feed of Binance: see `stream.rs`. The first byte picks the rule of sequence.
#![no_main]

mod stream;

use feeds::binance::{Binance, Market};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let market = if *first == b's' { Market::Spot } else { Market::Usdm };
    stream::play(["BTCUSDT", "ETHUSDT"], |_| Binance::new(market), data);
});
