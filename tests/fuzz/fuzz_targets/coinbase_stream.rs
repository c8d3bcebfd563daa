//! Any life of a feed of Coinbase: see `stream.rs`.
#![no_main]

mod stream;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    stream::play(["BTC-USD", "ETH-EUR"], feeds::coinbase::Coinbase::new, data);
});
