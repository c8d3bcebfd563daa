//! The kill switch from a terminal: the real engine, the real commands, a passphrase typed at a pseudo-terminal.

mod approve;
mod books;
mod hiccups;
mod live;
mod rearm;
mod reload;
mod triggers;

use std::time::{Duration, Instant};

use engine::journal::Record;
use engine::journal::reader::Reader;
use engine::replay::Replay;
use model::page::TapeKind;
use model::{Body, Control, HaltCause, HaltLevel, HaltScope, OrderState, Reject};
use serde_json::{Value, json};
use shm::Next;
use tests::place::{self, PASSPHRASE, PATIENCE, Place, halted};

/// Goal: an operator halts an account, sees it, cannot resume it without the right name and passphrase, resumes it, halts
/// everything; a stop and a kill come up as halted as before; orders are refused and cancels pass all the while. Method:
/// every command as a process, over the sockets of an engine that is one, too.
#[test]
fn halt_and_resume() {
    let place = Place::new("halt");
    place.passwd("ann", PASSPHRASE);
    let engine = place.start();
    let mut trader = place.trader();
    let status = place.status();
    assert_eq!((&status["mode"], &status["halt_count"]), (&json!("paper"), &json!(0)));
    assert!(status["gateway"].is_null() && status["gateway_why"].is_string(), "{status:#}");
    assert!(status["feeds"][0]["books"]["live"].as_u64() > Some(0), "{status:#}");
    assert!(status["journal"]["full"] == false && status["stalled"] == false, "{status:#}");

    let rests = trader.rests();
    let account = ["--account", "agent"];
    let reason = "a reason of more than thirty-two characters";
    let more = ["--level", "cancel_only", "--operator", "ann", "--reason", reason];
    let done = place.done("tickgate-halt", &[account.as_slice(), &more].concat());
    // On a machine that is held up the journal may come later than the answer.
    assert!(done["latched"] == true && done["recorded"].is_boolean(), "{done}");
    assert!(halted(&trader.asks()));
    assert!(trader.cancels(rests), "cancels pass");
    let status = place.status();
    let [halt] = &status["halts"].as_array().unwrap()[..] else { panic!("{status:#}") };
    assert_eq!(halt["scope"], json!({"kind": "account", "name": "agent"}));
    for (field, value) in
        [("level", "cancel_only"), ("cause", "human"), ("operator", "ann"), ("reason", reason)]
    {
        assert_eq!(halt[field], value, "{field}");
    }
    assert!(status["orders_refused"]["halted"].as_u64() > Some(0), "{status:#}");

    let resume = |operator: &str, typed: &str, more: &[&str]| {
        let words = ["--operator", operator, "--reason", "checked", "--json"];
        place.typed("tickgate-resume", &[&words, more].concat(), &[typed])
    };
    let refused = |(code, said): (i32, String), word: &str| {
        assert!(code == 5 && said.contains(word), "{word}: {code} {said}");
    };
    refused(resume("ann", "not her passphrase", &account), "wrong_passphrase");
    refused(resume("eve", PASSPHRASE, &account), "wrong_passphrase");
    refused(resume("ann", PASSPHRASE, &["--account", "nobody"]), "unknown_scope");
    refused(resume("ann", PASSPHRASE, &["--strategy", "0"]), "not_lower");
    let to = [account.as_slice(), &["--level", "halted"]].concat();
    refused(resume("ann", PASSPHRASE, &to), "not_lower");
    let piped = place.run("tickgate-resume", &["--operator", "ann", "--reason", "r"]);
    assert_eq!(piped.0, 2, "{}", piped.1);
    assert!(halted(&trader.asks()), "nothing of that resumed");

    assert_eq!(resume("ann", PASSPHRASE, &account).0, 0);
    let rests = trader.rests();
    place.done("tickgate-halt", &["--operator", "ann", "--reason", "everything"]);
    assert!(halted(&trader.asks()));
    trader.reaches(rests, OrderState::Cancelled);
    assert_eq!(trader.tape_halts().last(), Some(&(HaltScope::All, HaltCause::Human)));
    drop(trader);

    engine.ends();
    for round in 0..2 {
        let engine = place.start();
        let status = place.status();
        assert_eq!(status["halts"][0]["scope"]["kind"], "all", "{round}: {status:#}");
        assert_eq!(status["halts"][0]["reason"], "everything", "{round}: {status:#}");
        let mut trader = place.trader();
        assert!(halted(&trader.asks()), "{round}");
        engine.dies();
    }
    let engine = place.start();
    assert_eq!(resume("ann", PASSPHRASE, &["--all"]).0, 0);
    let mut trader = place.trader();
    let rests = trader.rests();
    place.done("tickgate-halt", &["--client", &trader.desk().to_string()]);
    assert!(halted(&trader.asks()), "its own desk");
    trader.reaches(rests, OrderState::Cancelled);
    let mut other = place.trader();
    other.rests();
    let symbol = other.symbol();
    place.done("tickgate-halt", &["--symbol", &symbol, "--level", "reduce_only"]);
    assert!(halted(&other.asks()), "its symbol");
    drop((trader, other));
    engine.ends();

    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed);
    assert!(!place.holds(PASSPHRASE), "a passphrase was written somewhere");
}

/// Goal: with no engine a halt is refused with exit code 4, or kept for the next start; a latch file that cannot be read
/// halts everything and is put aside. Method: no engine, then one start each; the journal is taken away so that nothing but
/// the file can know.
#[test]
fn halts_without_an_engine() {
    let place = Place::new("latch");
    assert_eq!(place.run("tickgate-halt", &[]).0, 4);
    assert_eq!(place.run("tickgate-status", &["--json"]).0, 4);
    assert_eq!(place.run("tickgate-resume", &["--operator", "a", "--reason", "b"]).0, 4);
    let config = place.config_path();
    let words = ["--config", &config, "--account", "agent", "--operator", "bob", "--json"];
    assert_eq!(place.run("tickgate-halt", &words).0, 0);
    let words = ["--config", &config, "--symbol", "NOT-YET", "--reason", "unlisted", "--json"];
    assert_eq!(place.run("tickgate-halt", &words).0, 0);

    let engine = place.start();
    let status = place.status();
    assert_eq!(status["halt_count"], 2, "{status:#}");
    assert_eq!(status["halts"][0]["operator"], "bob", "{status:#}");
    assert_eq!(status["halts"][1]["scope"]["name"], "NOT-YET", "{status:#}");
    let mut trader = place.trader();
    assert!(halted(&trader.asks()));
    drop(trader);
    engine.ends();

    for garbage in ["", "{\"version\":1,\"halts\":[", "{\"version\":2,\"halts\":[]}"] {
        std::fs::remove_dir_all(place.journal()).unwrap();
        std::fs::create_dir(place.journal()).unwrap();
        let latch = place.journal().join("halts.json");
        std::fs::write(&latch, garbage).unwrap();
        let engine = place.start();
        let status = place.status();
        let halt = &status["halts"][0];
        assert_eq!((&halt["scope"]["kind"], &halt["cause"]), (&json!("all"), &json!("invariant")));
        assert!(place.log().contains("everything is"), "said in the log");
        let mut trader = place.trader();
        assert!(halted(&trader.asks()));
        drop(trader);
        engine.ends();
        let aside = std::fs::read_to_string(latch.with_extension("json.unreadable")).unwrap();
        assert_eq!(aside, garbage);
        let now: Value = serde_json::from_slice(&std::fs::read(&latch).unwrap()).unwrap();
        assert_eq!(now["halts"][0]["level"], "halted", "the next start knows");
    }
}

/// Goal: whoever halts an engine whose sockets are elsewhere is not told that none runs. Method: another runtime folder than the
/// engine's, while it runs and after.
#[test]
fn a_halt_from_elsewhere_finds_the_engine_running() {
    let place = Place::new("elsewhere");
    let (config, other) = (place.config_path(), tempfile::tempdir().unwrap());
    let halt = || {
        let mut command = std::process::Command::new(tests::program("tickgate-halt"));
        command.env("TICKGATE_RUNTIME_DIR", other.path().join("tickgate"));
        let output = command.args(["--config", &config]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let engine = place.start();
    let (code, said) = halt();
    assert!(code == Some(4) && said.contains("nothing is halted"), "{code:?}: {said}");
    assert_eq!(place.status()["halt_count"], 0);
    engine.ends();
    assert_eq!(halt().0, Some(0));
    let engine = place.start();
    assert_eq!(place.status()["halts"][0]["level"], "halted");
    engine.ends();
}

/// Goal: no order passes after the halt's input, and every working one is cancelled by it; how many inputs lie between is
/// printed. Method: a trader that asks as fast as it may while everything is halted from outside; the journal and the tape
/// say what passed when.
#[test]
fn nothing_passes_after_a_halt() {
    let place = Place::new("last");
    let engine = place.start();
    let mut trader = place.trader();
    trader.rests();
    let mut tape = trader.client.tape();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut asked, mut refused) = (0_u64, 0_u64);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            place.done("tickgate-halt", &["--reason", "now"]);
            stop.store(true, std::sync::atomic::Ordering::Release);
        });
        let since = Instant::now();
        while !stop.load(std::sync::atomic::Ordering::Acquire) || refused < 10 {
            assert!(since.elapsed() < PATIENCE, "no halt came");
            asked += 1;
            refused += u64::from(halted(&trader.asks()));
        }
    });
    let (mut halt_seq, mut last_passed, mut cancelled) = (None, 0, 0);
    let since = Instant::now();
    loop {
        match trader.client.next_record(&mut tape).unwrap() {
            Next::Record(record) if record.kind == TapeKind::Halt => {
                halt_seq = Some(record.engine_seq);
            }
            Next::Record(record) if record.kind == TapeKind::Passed => {
                last_passed = last_passed.max(record.engine_seq);
            }
            Next::Record(record) if record.kind == TapeKind::Cancelled => {
                cancelled += u64::from(halt_seq == Some(record.engine_seq));
            }
            Next::Empty if halt_seq.is_some() => break,
            Next::Empty => assert!(since.elapsed() < PATIENCE),
            _ => {}
        }
    }
    let halt_seq = halt_seq.unwrap();
    drop(trader);
    engine.ends();
    let mut reader = Reader::open(&place.journal()).unwrap();
    let mut recorded = None;
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Input(input) = record
            && let Body::Control(Control::Halt { scope: HaltScope::All, .. }) = input.body
        {
            recorded = Some(input.seq);
        }
    }
    assert_eq!(recorded, Some(halt_seq), "the halt is an input");
    assert!(last_passed > 0 && last_passed < halt_seq, "{last_passed} {halt_seq}");
    assert!(cancelled > 0, "working orders are cancelled by the same input");
    println!(
        "{asked} orders asked, the last passed {} inputs before the halt, {refused} refused after \
         it, {cancelled} cancelled by it",
        halt_seq - last_passed
    );
}

/// Goal: the operator socket takes no rubbish, and slow or silent connections keep no halt out. Method: connections that
/// say nothing, half a line, too much and rubbish, all held open; then a halt.
#[test]
fn a_halt_gets_through_rubbish() {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    let place = Place::new("rubbish");
    let engine = place.start();
    let texts = [&b""[..], b"{\"op\":", &[b'x'; 9000], b"\xFF\xFE\n", b"{}\n", b"null\n"];
    let held: Vec<UnixStream> = (0..60)
        .map(|n| {
            let mut guest = UnixStream::connect(place.operator_socket()).unwrap();
            let _ = guest.write_all(texts[n % texts.len()]);
            guest
        })
        .collect();
    place.done("tickgate-halt", &[]);
    let mut trader = place.trader();
    let answer = trader.asks();
    assert!(halted(&answer) && answer.verdict.primary.unwrap().code == Reject::Halted);
    drop((trader, held));
    engine.ends();
}

/// Goal: guessing is answered by waiting, also for the right passphrase. Method: three wrong ones, then the right one at
/// once.
#[test]
fn wrong_passphrases_are_slowed() {
    let place = Place::new("slow");
    place.passwd("ann", PASSPHRASE);
    let engine = place.start();
    place.done("tickgate-halt", &["--level", "cancel_only"]);
    let socket = place.operator_socket();
    let resume = |passphrase: &str| {
        let request = json!({
            "op": "resume", "scope": {"kind": "all"}, "level": "active", "operator": "ann",
            "reason": "guess", "passphrase": passphrase,
        });
        let request = serde_json::from_value(request).unwrap();
        match switch::ask(&socket, &request, PATIENCE).unwrap() {
            switch::Answer::Refused(refusal) => refusal.code,
            answer => panic!("{answer:?}"),
        }
    };
    let codes: Vec<String> = (0..3).map(|n| resume(&format!("a wrong one, number {n}"))).collect();
    assert_eq!(codes, ["wrong_passphrase"; 3]);
    assert_eq!(resume(PASSPHRASE), "rate_limited");
    assert_eq!(place.status()["halts"][0]["level"], HaltLevel::CancelOnly.name());
    engine.ends();
}
