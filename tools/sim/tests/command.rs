//! The program as a user meets it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Nobody listens to what is sent, and no port of anybody's is taken.
const ANY: [&str; 8] = [
    "mold",
    "--a=127.0.0.1:9",
    "--b=127.0.0.1:9",
    "--request=127.0.0.1:0",
    "--snapshot=127.0.0.1:0",
    "--linger=0",
    "--flat-out",
    "--json",
];

fn sim(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickgate-sim")).args(words).output().unwrap()
}

fn run(words: &[&str]) -> Output {
    sim(&[&ANY, words].concat())
}

fn object(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Goal: a day is published to its end, and the summary adds up. Method: a small day with a lossy
/// line B.
#[test]
fn publishes_a_day() {
    let output =
        run(&["--messages=1000", "--symbols=5", "--faults-b=loss=500", "--packet-messages=2"]);
    assert!(output.status.success(), "{output:?}");
    let told = object(&output);
    let number = |path: &str| told.pointer(path).and_then(|value| value.as_u64()).unwrap();
    assert!(number("/messages") > 900);
    assert_eq!(number("/lines/a/sent"), number("/packets"));
    assert_eq!(number("/lines/b/sent") + number("/lines/b/dropped"), number("/packets"));
    assert!(number("/lines/b/dropped") > 100);
}

/// Goal: what cannot be done is said, with the exit code of its kind. Method: faulty options, a
/// damaged file.
#[test]
fn refusals() {
    for words in [&["--faults-a=loss=x"][..], &["--session=12345678901"], &["--file=-", "--seed=1"]]
    {
        assert_eq!(run(words).status.code(), Some(2), "{words:?}");
    }
    assert_eq!(run(&["--file=/nowhere/day.itch"]).status.code(), Some(2));
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickgate-sim"))
        .args(ANY)
        .arg("--file=-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&[0, 1, b'x', 0, 9, 1]).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(object(&output)["messages"], 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("frame at byte 3"), "{output:?}");
}

/// Goal: Ctrl-C ends a publisher cleanly, with its summary. Method: send it the signal once it says
/// where it is.
#[test]
fn interrupted() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickgate-sim"))
        .args(&ANY[..5])
        .args(["--repeat", "--json"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"line A");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(object(&output)["interrupted"], true);
}

/// Goal: a crypto venue serves for its time and says what it did; captured texts are played; a plan that cannot be read is
/// refused by name. Method: the program at free ports for a second, with and without a file.
#[test]
fn crypto_venues() {
    let any = ["crypto", "--stream-port=0", "--bodies-port=0", "--time=1", "--json"];
    let output = sim(&[&any[..], &["--venue=kraken", "--faults=all", "--speed=20"]].concat());
    assert!(output.status.success(), "{output:?}");
    assert!(object(&output)["versions"].as_u64().unwrap() > 50);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickgate-sim"))
        .args(any)
        .arg("--file=-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"1 {\"a\":1}\n2 {\"b\":2}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(object(&output), serde_json::json!({ "texts": 2, "heard": 0 }));
    for (words, said) in [
        (["--venue=nowhere", "--seed=1"], "not one of binance_spot"),
        (["--faults=nothing=1", "--seed=1"], "nothing=1"),
        (["--file=/nowhere/day", "--seed=1"], "/nowhere/day"),
    ] {
        let output = sim(&[&any[..], &words].concat());
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}

/// Goal: a venue over connections publishes to its end and says what it did; a plan that cannot be read is refused by name.
/// Method: a small day that nobody hears.
#[test]
fn connections() {
    let any = ["soup", "--listen=127.0.0.1:0", "--linger=0", "--flat-out", "--json"];
    let output = sim(&[&any[..], &["--messages=1000", "--symbols=5"]].concat());
    assert!(output.status.success(), "{output:?}");
    assert!(object(&output)["messages"].as_u64().unwrap() > 900);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("SoupBinTCP 127.0.0.1:"));
    for (word, said) in
        [("--faults=nothing=1", "nothing=1"), ("--file=/nowhere/day", "/nowhere/day")]
    {
        let output = sim(&[&any[..], &[word]].concat());
        assert_eq!(output.status.code(), Some(2), "{word}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}
