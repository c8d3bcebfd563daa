//! A venue that says anything: the gateway neither panics nor tells without end, and an error of a message
//! names a byte of it.
#![no_main]

use engine::gateway::ouch::wire::{WireError, decode};
use engine::gateway::ouch::{Action, Known, Options, Ouch, Standing};
use feeds::session::soup::Login;
use libfuzzer_sys::fuzz_target;
use model::{AccountId, Instrument, OrderId, Symbol, Ts};

fuzz_target!(|bytes: &[u8]| {
    let login = Login::new("t", "").unwrap_or_else(|| unreachable!());
    let order = OrderId(1 << 20);
    let known = vec![Known { order, account: AccountId(0), asked: 1, standing: Standing::Works }];
    let mut ouch = Ouch::new(Options::new(login, vec![None], 8), known);
    let symbol = Symbol::new("AAPL").unwrap_or_default();
    ouch.list(Instrument { symbol, px_decimals: 4, ..Instrument::default() });
    let mut now = Ts(1_790_000_000_000_000_000);
    let mut connections = 0;
    // Each message behind its length; what follows an open connection is bytes of the session itself.
    let mut rest = bytes;
    while let Some((&length, tail)) = rest.split_first() {
        let cut = usize::from(length).min(tail.len());
        let (message, after) = tail.split_at(cut);
        rest = after;
        match decode(message) {
            Ok(_) | Err(WireError::Empty | WireError::Unknown(_)) => {}
            Err(WireError::Short { got, .. }) => assert_eq!(usize::from(got), message.len()),
            Err(WireError::Options { offset, .. } | WireError::Field { offset, .. }) => {
                assert!(usize::from(offset) <= message.len());
            }
        }
        ouch.on_time(now);
        while let Some(action) = ouch.next_action() {
            if action == Action::Open {
                connections += 1;
                ouch.on_opened(now);
                let next = if connections == 1 { 2 } else { 1 };
                let accepted = [&[0, 31, b'A'][..], format!("SESSION001{next:>20}").as_bytes()].concat();
                ouch.on_bytes(&accepted, now);
            }
        }
        let framed = [&(message.len() as u16 + 1).to_be_bytes()[..], b"S", message].concat();
        ouch.on_bytes(if length == 255 { message } else { &framed }, now);
        assert!(std::iter::from_fn(|| ouch.next_told()).take(64).count() < 64);
        now = Ts(now.0 + 1_000_000_000);
    }
});
