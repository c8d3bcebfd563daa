//! Any life of a feed of OKX: see `stream.rs`.
#![no_main]

mod stream;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    stream::play(["BTC-USDT", "ETH-USD-SWAP"], feeds::okx::Okx::new, data);
});
