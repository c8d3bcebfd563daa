//! Any bytes as a server's words: no panic, the same in one chunk as in two or one by one, and bounded.
#![no_main]

use feeds::session::soup::{Client, ClientOptions, Login, SoupError};
use libfuzzer_sys::fuzz_target;
use model::Ts;

fn run(chunks: &[&[u8]]) -> (Vec<String>, Result<(), SoupError>, u64) {
    let mut client = Client::new(Login::new("u", "p").unwrap(), ClientOptions::default());
    client.on_opened(Ts(0));
    let mut said = Vec::new();
    for chunk in chunks {
        let mut keep = |received: feeds::session::soup::Received<'_>| {
            said.push(format!("{received:?}"));
        };
        if let Err(error) = client.on_bytes(chunk, Ts(0), &mut keep) {
            return (said, Err(error), client.next());
        }
    }
    (said, Ok(()), client.next())
}

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let whole = run(&[bytes]);
    let (before, after) = bytes.split_at(bytes.len().min(cut.into()));
    assert_eq!(run(&[before, after]), whole);
    assert_eq!(run(&bytes.chunks(1).collect::<Vec<_>>()), whole);
});
