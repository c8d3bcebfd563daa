//! Real captures: what is known of each must come out.

use std::collections::BTreeSet;
use std::process::Command;

use model::{Integrity, Kind};
use tests::{captured, program};

fn output(program_name: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(program(program_name)).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Goal: the published book after message 1,001 comes out as a set; every reference resolves; nothing is bad. Method: the
/// book tool on the AAPL capture, and a whole replay.
#[test]
fn aapl_book_equals_the_published_one() {
    let Some(capture) = captured("itch/aapl-20200130-10k.itch") else { return };
    let Some(published) = captured("itch/aapl-20200130-book-after-1001.csv") else { return };
    let path = capture.to_str().unwrap();
    let (code, book, _) = output("tickgate-book", &[path, "--symbol", "AAPL", "--after", "1001"]);
    assert_eq!(code, 0);
    let published = std::fs::read_to_string(published).unwrap();
    let rows = |text: &str| -> BTreeSet<String> {
        text.lines()
            .skip(1)
            .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(","))
            .collect()
    };
    assert_eq!(rows(&book), rows(&published));
    assert_eq!(rows(&book).len(), 64);

    let (code, json, _) = output("tickgate", &["replay", path, "--json"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["messages"], &json["bad_messages"], &json["unknown_messages"]),
        (&10_000.into(), &0.into(), &0.into())
    );

    let stage = tests::Stage::new(10_000, 1);
    let mut engine = engine::step::Engine::new(&stage.config("aapl")).unwrap();
    let mut out = engine.output();
    for event in tests::events(&capture) {
        let input = model::Input {
            seq: engine.seq() + 1,
            now: event.ts_recv,
            body: model::Body::Event(event),
        };
        engine.step(&input, &mut out, &mut ());
        out.forget();
    }
    let board = engine.board(0).unwrap();
    assert_eq!(board.instrument.symbol.as_str(), "AAPL");
    assert_eq!(board.integrity, Integrity::Live, "{}", board.cause);
}

/// Goal: 993 instruments are listed. Method: the real directory.
#[test]
fn directory_lists_993() {
    let Some(capture) = captured("itch/directory-first-1000.itch") else { return };
    let listed =
        tests::events(&capture).iter().filter(|event| event.kind == Kind::Directory).count();
    assert_eq!(listed, 993);
    let (_, json, _) = output("tickgate", &["replay", capture.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["books"], 993);
}

/// Goal: broken framing is refused with exit code 3, naming file, offset and cause. Method: the zero-prefix capture, a file
/// cut inside a frame, a file of something else.
#[test]
fn broken_framing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &std::path::Path, offset: &str| {
        let (code, out, error) = output("tickgate", &["replay", path.to_str().unwrap()]);
        assert_eq!((code, out.as_str()), (3, ""), "{error}");
        assert!(error.contains(path.to_str().unwrap()) && error.contains(offset), "{error}");
    };
    let cut = folder.path().join("cut.itch");
    std::fs::write(&cut, [0, 12, b'S', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'O', 0, 12, b'S']).unwrap();
    refused(&cut, "offset 14");
    let other = folder.path().join("other.csv");
    std::fs::write(&other, "side,price,shares\nB,1,2\n").unwrap();
    refused(&other, "offset 0");
    let Some(zero) = captured("itch/simulated-zero-length-prefix.itch.gz") else { return };
    refused(&zero, "offset 0");
}
