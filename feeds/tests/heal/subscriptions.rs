//! Subscriptions by which the stream itself gives whole books.

use feeds::okx::Okx;
use feeds::stream::{Phase, Venue};
use model::{Cause, Integrity};

use super::{Rig, SECOND};

const SWAP: &str = "BTC-USD-SWAP";

/// A book message of OKX.
fn okx(name: &str, action: &str, prev: i64, seq: i64) -> String {
    format!(
        "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"{name}\"}},\"action\":\"{action}\",\"data\":[{{\"asks\":[],\
         \"bids\":[],\"ts\":\"5\",\"checksum\":0,\"prevSeqId\":{prev},\"seqId\":{seq}}}]}}"
    )
}

/// Lets so many seconds pass; the venue answers pings, and sends what `says` has for each.
fn seconds<V: Venue>(rig: &mut Rig<V>, count: u64, mut says: impl FnMut(&mut Rig<V>, u64)) {
    for second in 1..=count {
        rig.pass(SECOND);
        rig.text("pong");
        says(rig, second);
    }
}

/// Goal: books that a venue never gives cost a good one little, whether it refuses them or says nothing; those that it refuses
/// are seldom asked for. Method: four of the first kind, twelve of the second, listed before a good one that misses a message
/// after an hour; it is back within two minutes.
#[test]
fn books_that_are_never_given() {
    for (refuses, count) in [(true, 4), (false, 12)] {
        let never: Vec<String> = (0..count).map(|place| format!("S{place}-USD-SWAP")).collect();
        let names: Vec<&str> = never.iter().map(String::as_str).chain([SWAP]).collect();
        let mut rig = Rig::new(&names, Okx::new);
        let (mut seq, mut asked) = (0, 0);
        let mut answer = |rig: &mut Rig<Okx>, hole: bool| {
            for text in std::mem::take(&mut rig.sent) {
                asked += u32::from(text.contains("\"subscribe\""));
                for name in never.iter().filter(|name| refuses && text.contains(name.as_str())) {
                    let words = format!("channel:books,instId:{name} doesn't exist");
                    rig.text(&format!(
                        "{{\"event\":\"error\",\"code\":\"60018\",\"msg\":\"{words}\"}}"
                    ));
                }
                if text.contains("\"subscribe\"") && text.contains(SWAP) {
                    rig.text(&okx(SWAP, "snapshot", -1, seq));
                }
            }
            seq += 1 + i64::from(hole);
            rig.text(&okx(SWAP, "update", seq - 1, seq));
        };
        seconds(&mut rig, 3_600, |rig, _| answer(rig, false));
        assert_eq!(rig.phase(SWAP), Phase::Live);
        seconds(&mut rig, 1, |rig, _| answer(rig, true));
        assert_ne!(rig.phase(SWAP), Phase::Live);
        seconds(&mut rig, 120, |rig, _| answer(rig, false));
        assert_eq!(rig.phase(SWAP), Phase::Live, "{refuses}");
        assert_eq!(asked < 60, refuses, "{asked}");
    }
}

/// Goal: a book that its connection goes on without is doubted and subscribed to again; one of which the venue says each minute
/// that nothing changes stays live. Method: a minute of keep-alives for ten minutes, then none.
#[test]
fn subscriptions_that_die() {
    let mut rig = Rig::new(&[SWAP], Okx::new);
    rig.text(&okx(SWAP, "snapshot", -1, 7));
    seconds(&mut rig, 600, |rig, second| {
        if second.is_multiple_of(60) {
            rig.text(&okx(SWAP, "update", 7, 7));
        }
        assert_eq!(rig.said(1), (Integrity::Live, Cause::None), "{second}");
    });
    rig.sent.clear();
    seconds(&mut rig, 89, |rig, second| assert_eq!(rig.phase(SWAP), Phase::Live, "{second}"));
    seconds(&mut rig, 1, |_, _| {});
    assert_eq!(rig.said(1), (Integrity::Incomplete, Cause::Silent));
    let asked = rig.sent.iter().filter(|text| text.contains("\"subscribe\"")).count();
    assert_eq!((asked, rig.phase(SWAP), rig.is_open), (1, Phase::Snapshot, true));
    rig.text(&okx(SWAP, "snapshot", -1, 9));
    assert_eq!(rig.said(1), (Integrity::Live, Cause::None));
}
