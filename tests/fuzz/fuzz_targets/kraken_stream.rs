//! Any life of a feed of Kraken: see `stream.rs`.
#![no_main]

mod stream;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    stream::play(["BTC/USD", "ETH/USD"], feeds::kraken::Kraken::new, data);
});
