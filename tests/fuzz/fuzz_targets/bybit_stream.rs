//! Any life of a feed of Bybit: see `stream.rs`.
#![no_main]

mod stream;

use feeds::bybit::{Bybit, Product};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    stream::play(["BTCUSDT", "ETHUSDT"], |config: &_| Bybit::new(config, Product::Linear), data);
});
