//! Any life of a feed of Coinbase's orders: see `stream.rs`; and each of its lines read by all three readers.
#![no_main]

#[path = "../../../feeds/tests/agree/mod.rs"]
mod agree;
mod stream;

use std::cell::RefCell;

use feeds::coinbase::CoinbaseFull;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static READERS: RefCell<agree::coinbase_full::Readers> = RefCell::default();
}

fuzz_target!(|data: &[u8]| {
    READERS.with_borrow_mut(|readers| {
        for line in data.split(|byte| *byte == b'\n').take(64) {
            readers.check(line);
            if let Some(body) = line.strip_prefix(b"r") {
                readers.check_body(body);
            }
        }
    });
    stream::play(agree::coinbase_full::NAMES, |config| CoinbaseFull::with_room(config, 64), data);
});
