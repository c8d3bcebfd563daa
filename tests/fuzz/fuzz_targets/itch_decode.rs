//! One message of any bytes: neither face of the decoder panics, both agree on what a message is, and what
//! the complete face reads it writes back the same.
#![no_main]

use feeds::nasdaq::MESSAGE_MAX;
use feeds::nasdaq::itch::{DecodeError, Decoder};
use feeds::nasdaq::message::Message;
use libfuzzer_sys::fuzz_target;
use model::{Event, FeedId, Flags, Ts};

fuzz_target!(|bytes: &[u8]| {
    let decoder = Decoder { feed: FeedId(0), midnight: Ts(0) };
    let event = decoder.decode(bytes, 1, Flags::NONE);
    let message = Message::decode(bytes);
    if let Ok(message) = message {
        assert_eq!(message.encode(&mut [0; MESSAGE_MAX]), bytes);
    }
    match event {
        Ok(event) => assert_eq!(Event::from_words(&event.to_words()), Ok(event)),
        Err(DecodeError::Field { .. }) => {}
        Err(error) => assert_eq!(message, Err(error)),
    }
});
