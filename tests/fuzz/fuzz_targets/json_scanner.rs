//! Any text: the scanner, the general parser and serde_json read the same integers of it, or all refuse it.
#![no_main]

#[path = "../../../feeds/tests/agree/mod.rs"]
mod agree;

use std::cell::RefCell;

use feeds::stream::{Parsed, Symbols};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static READER: RefCell<(Symbols, Parsed)> = RefCell::new((agree::symbols(), Parsed::default()));
}

fuzz_target!(|data: &[u8]| {
    READER.with_borrow_mut(|(symbols, parsed)| agree::check(data, symbols, parsed));
});
