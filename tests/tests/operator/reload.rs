//! Other limits for an engine that runs: who may, what holds afterwards, and what a restart makes of it.

use std::path::PathBuf;

use engine::replay::Replay;
use model::page::{Answer, AnswerKind};
use model::{Reject, Verdict};
use serde_json::json;

use crate::place::{PASSPHRASE, Place, Trader};

const WIDE: &str = "clip_max = \"10000000\"";
const CLOSED: &str = "clip_max = \"0\"";

/// limits.toml of a place.
struct File(PathBuf);

impl File {
    fn of(place: &Place) -> File {
        File(PathBuf::from(place.config_path()).with_file_name("limits.toml"))
    }

    fn says(&self, replaced: &[(&str, &str)]) {
        let mut text = std::fs::read_to_string(&self.0).unwrap();
        for (old, new) in replaced {
            assert!(text.contains(old), "{old}: {text}");
            text = text.replace(old, new);
        }
        std::fs::write(&self.0, text).unwrap();
    }
}

fn is_clipped(answer: &Answer) -> bool {
    answer.kind == AnswerKind::Refused && answer.verdict.bits == Verdict::bit(Reject::Clip)
}

/// Asks until the answer says nothing but what the limits do.
fn asks(trader: &mut Trader) -> Answer {
    loop {
        let answer = trader.asks();
        if answer.kind == AnswerKind::Accepted || is_clipped(&answer) {
            return answer;
        }
        trader.looks_again();
    }
}

/// Goal: tightening holds from the next order on and cancels nothing; loosening takes an operator's passphrase; a wrong file
/// changes nothing and all that is wrong with it is said; a kill and a stop keep what is in force, a start loosens nothing; the
/// journal alone replays to the same state. Method: every command as a process; orders of a client in between.
#[test]
fn limits_change_while_it_runs() {
    let place = Place::new("reload");
    place.passwd("ann", PASSPHRASE);
    let (file, config) = (File::of(&place), place.config_path());
    let words = ["--config", &config];
    let version = || place.status()["limits_version"].as_u64().unwrap();
    let digest = || place.status()["config_digest"].clone();
    let engine = place.start();
    let mut trader = place.trader();
    let rests = trader.rests();
    let (first, first_digest) = (version(), digest());
    assert_eq!(first, 1);

    let same = place.done("tickgate-reload", &words);
    assert_eq!((&same["limits"]["change_count"], version()), (&json!(0), 1), "word for word");
    file.says(&[(WIDE, CLOSED)]);
    let dry = place.done("tickgate-reload", &[words.as_slice(), &["--dry-run"]].concat());
    assert_eq!((&dry["limits"]["engine_seq"], &dry["dry_run"]), (&json!(null), &json!(true)));
    let change =
        json!({"what": "agent * clip_max", "old": "10000000", "new": "0", "effect": "tighter"});
    assert_eq!(dry["limits"]["changes"][0], change);
    assert_eq!(version(), 1, "nothing happened");
    assert_eq!(asks(&mut trader).kind, AnswerKind::Accepted);

    let done = place.done("tickgate-reload", &words);
    assert_eq!((&done["limits"]["recorded"], version()), (&json!(true), 2), "{done}");
    assert!(is_clipped(&asks(&mut trader)), "from the next order on");
    assert!(trader.cancels(rests), "it was not cancelled");
    assert_ne!(digest(), first_digest);

    file.says(&[(CLOSED, WIDE)]);
    let (code, said) = place.run("tickgate-reload", &words);
    assert!(code == 5 && said.contains("agent * clip_max: 0 -> 10000000  (looser)"), "{said}");
    let by_ann = ["--config", &config, "--operator", "ann", "--reason", "room", "--json"];
    let (code, said) = place.typed("tickgate-reload", &by_ann, &["not her passphrase"]);
    assert!(code == 5 && said.contains("wrong_passphrase"), "{code} {said}");
    assert_eq!(place.run("tickgate-reload", &by_ann).0, 2, "a passphrase is typed at a terminal");
    let raw = json!({"op": "reload", "text": std::fs::read_to_string(&file.0).unwrap()});
    let raw = serde_json::from_value(raw).unwrap();
    let patience = crate::place::PATIENCE;
    match switch::ask(&place.operator_socket(), &raw, patience).unwrap() {
        switch::Answer::Refused(refusal) => assert_eq!(refusal.code, "loosens"),
        answer => panic!("the engine itself asks for the passphrase: {answer:?}"),
    }
    assert!(is_clipped(&asks(&mut trader)) && version() == 2, "nothing of that loosened");

    let good = std::fs::read_to_string(&file.0).unwrap();
    file.says(&[
        ("rate_max = 65536", "rate_max = -1"),
        ("band_bps = 10000", "band_bps = 10000\nbands = 1"),
    ]);
    let (code, said) = place.run("tickgate-reload", &words);
    let lines = said.matches("limits.toml:").count();
    assert!(code == 2 && lines >= 4 && said.contains("unknown key `bands`"), "{code} {said}");
    std::fs::write(&file.0, good).unwrap();
    file.says(&[("cash = \"1000000000000\"", "cash = \"5\"")]);
    let (code, said) = place.run("tickgate-reload", &words);
    assert!(code == 2 && said.contains("fixed") && said.contains("agent cash"), "{code} {said}");
    file.says(&[("cash = \"5\"", "cash = \"1000000000000\"")]);
    assert!(is_clipped(&asks(&mut trader)) && version() == 2, "nothing of that changed anything");

    let (code, said) = place.typed("tickgate-reload", &by_ann, &[PASSPHRASE]);
    assert!(code == 0 && said.contains("\"recorded\":true"), "{code} {said}");
    assert_eq!(asks(&mut trader).kind, AnswerKind::Accepted);
    assert_eq!((version(), digest()), (3, first_digest));
    drop(trader);
    engine.dies();

    restarts(&place, &file);

    let mut replay = Replay::open(&place.journal()).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed && replay.full_checkpoints > 0);
    assert_eq!(replay.engine.limits_version(), 5);
    assert!(!place.holds(PASSPHRASE), "a passphrase was written somewhere");
}

/// What starts make of limits.toml: the same; tighter; looser; of other accounts.
fn restarts(place: &Place, file: &File) {
    let version = || place.status()["limits_version"].as_u64().unwrap();
    let engine = place.start();
    let mut trader = place.trader();
    assert_eq!((version(), asks(&mut trader).kind), (3, AnswerKind::Accepted), "as it was killed");
    drop(trader);
    engine.ends();

    file.says(&[(WIDE, CLOSED)]);
    let engine = place.start();
    let mut trader = place.trader();
    assert!(is_clipped(&asks(&mut trader)) && version() == 4, "taken, and an input");
    drop(trader);
    engine.dies();

    file.says(&[(CLOSED, WIDE)]);
    let engine = place.start();
    let mut trader = place.trader();
    assert!(is_clipped(&asks(&mut trader)) && version() == 4, "a start loosens nothing");
    assert!(place.log().contains("is not taken at a start: agent * clip_max"), "{}", place.log());
    drop(trader);
    let by_ann = ["--config", &place.config_path(), "--operator", "ann", "--reason", "r", "--json"];
    assert_eq!(place.typed("tickgate-reload", &by_ann, &[PASSPHRASE]).0, 0);
    assert_eq!(version(), 5);
    engine.ends();

    file.says(&[("cash = \"1000000000000\"", "cash = \"5\"")]);
    let (code, said) = place.run("tickgate", &["run", "--config", &place.config_path()]);
    assert!(code == 2 && said.contains("agent cash: 1000000000000 -> 5"), "{code} {said}");
    file.says(&[("cash = \"5\"", "cash = \"1000000000000\"")]);
}
