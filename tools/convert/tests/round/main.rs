//! The program itself, there and back again.

mod edges;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use feeds::capture::{Capture, kind_of};
use feeds::{Date, FeedOptions, Next};
use model::{Event, Integrity, Kind, Side, VenueNumber};
use rustix::process::{Pid, Signal, kill_process};

fn convert(input: &Path, to: &[&str], out: &str) -> PathBuf {
    let out = input.with_file_name(out);
    let program = env!("CARGO_BIN_EXE_tickgate-convert");
    let run = Command::new(program).arg(input).arg("--to").args(to).arg("--out").arg(&out).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    out
}

/// A synthetic day.
fn day(folder: &Path) -> PathBuf {
    let path = folder.join("day.itch");
    let config = synth::Config { messages: 20_000, symbols: 12, ..synth::Config::SAMPLE };
    let mut bytes = Vec::new();
    synth::Day::new(config).write_to(&mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Orders by symbol and reference: side, price, open quantity.
type Resting = BTreeMap<(String, u64), (Side, i64, i64)>;

/// Every order that rests at the end, by symbol, and what was traded.
fn book(path: &Path) -> (Resting, i64) {
    let kind = kind_of(path).unwrap();
    let mut capture =
        Capture::open(kind.venue.unwrap(), &[path.to_path_buf()], FeedOptions::default(), &[])
            .unwrap();
    let (mut names, mut decimals) = (BTreeMap::new(), BTreeMap::new());
    let (mut orders, mut traded) = (BTreeMap::new(), 0);
    while let Next::Event(event) = capture.next().unwrap() {
        let Event { order, px, qty, aux, side, number, kind, .. } = event;
        let px = px.0 * 10_i64.pow(9 - decimals.get(&number).copied().unwrap_or(9));
        match kind {
            Kind::Directory => {
                let (symbol, px_decimals, _) = event.listing().unwrap();
                names.insert(number, symbol.to_string());
                decimals.insert(number, u32::from(px_decimals));
            }
            Kind::Add => {
                orders.insert((names[&number].clone(), order.0), (side.unwrap(), px, qty.0));
            }
            Kind::Execute | Kind::ExecuteAt | Kind::Reduce | Kind::Delete => {
                let key = (names[&number].clone(), order.0);
                let (side, px, open) = orders.remove(&key).unwrap();
                let gone = if kind == Kind::Delete { open } else { qty.0 };
                if matches!(kind, Kind::Execute | Kind::ExecuteAt) {
                    traded += qty.0;
                }
                if open > gone {
                    orders.insert(key, (side, px, open - gone));
                }
            }
            Kind::Replace => {
                let name = names[&number].clone();
                let (side, ..) = orders.remove(&(name.clone(), order.0)).unwrap();
                orders.insert((name, aux), (side, px, qty.0));
            }
            Kind::Trade => traded += qty.0,
            _ => {}
        }
    }
    (orders, traded)
}

/// Goal: messages survive packets to the byte, over one line and over two. Method: there and back.
#[test]
fn packets_keep_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    for lines in ["1", "2"] {
        let packets = convert(&day, &["mold", "--lines", lines], &format!("{lines}.pcapng"));
        let back = convert(&packets, &["itch"], &format!("{lines}.itch"));
        assert_eq!(std::fs::read(&day).unwrap(), std::fs::read(back).unwrap(), "{lines} lines");
        assert!(book(&packets) == book(&day));
    }
}

/// Goal: books and trades survive every format. Method: by way of each, compared at the end.
#[test]
fn books_survive() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let truth = book(&day);
    assert!(truth.0.len() > 100 && truth.1 > 0);
    let dbn = convert(&day, &["dbn"], "day.mbo.dbn");
    assert!(book(&dbn).0 == truth.0);
    let parquet = convert(&day, &["parquet"], "day.parquet");
    assert!(book(&convert(&parquet, &["itch"], "table.itch")) == truth);
    let parquet = convert(&dbn, &["parquet"], "mbo.parquet");
    assert!(book(&convert(&parquet, &["dbn"], "again.dbn")).0 == truth.0);
    assert!(book(&convert(&dbn, &["itch"], "mbo.itch")).0 == truth.0);
}

/// Goal: a venue's time of day is the same moment in every format, and comes back as it was. Method: a dated day of winter and
/// one of summer as DBN, as packets and as a table, the first order's time there, and all times of it as ITCH again; the same
/// without a date.
#[test]
fn times_survive() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let orders = |path: &Path| -> Vec<u64> {
        let kind = kind_of(path).unwrap().venue.unwrap();
        let paths = [path.to_path_buf()];
        let mut capture = Capture::open(kind, &paths, FeedOptions::default(), &[]).unwrap();
        let mut times = Vec::new();
        while let Next::Event(event) = capture.next().unwrap() {
            times.extend((event.kind == Kind::Add).then_some(event.ts_venue.0));
        }
        times
    };
    let truth = orders(&day);
    for (date, hours) in [("2024-01-05", 5), ("2024-07-05", 4), ("1970-01-01", 0)] {
        let midnight = date.parse::<Date>().unwrap().midnight().0 + hours * 3_600_000_000_000;
        let dated = ["--date", date];
        let to = |format: &'static str| [&[format][..], &dated].concat();
        let dbn = convert(&day, &to("dbn"), &format!("{date}.mbo.dbn"));
        assert_eq!(orders(&dbn)[0], midnight + truth[0], "{date}");
        let packets = convert(&day, &to("mold"), &format!("{date}.pcapng"));
        assert_eq!(orders(&packets)[0], midnight + truth[0], "{date}");
        let table = convert(&day, &to("parquet"), &format!("{date}.parquet"));
        for (place, input) in [&dbn, &packets, &table].into_iter().enumerate() {
            let back = convert(input, &["itch"], &format!("{date}-{place}.itch"));
            let back = orders(&back);
            assert_eq!(back[0], truth[0], "{date} {place}");
            // Among Databento's a replaced order is one that goes and one that comes.
            assert!(place == 0 || back == truth, "{date} {place}");
        }
    }
}

/// Goal: what cannot be read or written is said, with the exit code that says so. Method: no capture; a file in the way.
#[test]
fn refusals() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let run = |input: &Path, out: &Path| {
        let program = env!("CARGO_BIN_EXE_tickgate-convert");
        let run = Command::new(program).arg(input).args(["--to", "dbn", "--out"]).arg(out).output();
        let run = run.unwrap();
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    let (code, error) = run(&folder.path().join("absent"), &folder.path().join("x"));
    assert_eq!(code, Some(3), "{error}");
    assert!(!folder.path().join("x").exists());
    let (code, error) = run(&day, &day);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("day.itch"), "{error}");
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, [0; 100]).unwrap();
    let (code, error) = run(&garbage, &folder.path().join("y"));
    assert_eq!(code, Some(3), "{error}");
}

/// How far the books are believed at the end by what is said of them, by symbol, as the engine takes it.
fn believed(path: &Path) -> BTreeMap<String, Integrity> {
    let kind = kind_of(path).unwrap();
    let mut capture =
        Capture::open(kind.venue.unwrap(), &[path.to_path_buf()], FeedOptions::default(), &[])
            .unwrap();
    let (mut names, mut believed) = (BTreeMap::new(), BTreeMap::new());
    let mut at_first = Integrity::Live;
    while let Next::Event(event) = capture.next().unwrap() {
        match (event.kind, event.believed()) {
            (Kind::Directory, _) => {
                let symbol = event.listing().unwrap().0.to_string();
                believed.entry(symbol.clone()).or_insert(at_first);
                names.insert(event.number, symbol);
            }
            (Kind::Integrity, Some((said, _))) if event.number == VenueNumber(0) => {
                at_first = said;
                believed.values_mut().for_each(|book| *book = said);
            }
            (Kind::Integrity, Some((said, _))) => {
                believed.insert(names[&event.number].clone(), said);
            }
            _ => {}
        }
    }
    believed
}

/// Goal: books that may be believed in one format may be in another. Method: how far each may, at the end, by way of DBN and
/// of tables of both.
#[test]
fn belief_survives() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let live = |path: &Path, what: &str| {
        let believed = believed(path);
        assert_eq!(believed.len(), 12, "{what}");
        assert!(believed.values().all(|book| *book == Integrity::Live), "{what}: {believed:?}");
    };
    live(&day, "itch");
    let dbn = convert(&day, &["dbn"], "day.mbo.dbn");
    live(&dbn, "dbn");
    let parquet = convert(&dbn, &["parquet"], "mbo.parquet");
    live(&convert(&parquet, &["dbn"], "again.dbn"), "dbn, table, dbn");
    live(&convert(&parquet, &["itch"], "again.itch"), "dbn, table, itch");
}

/// Goal: what was converted from packets with a hole is not believed, although every order that is named was seen.
/// Method: a packet taken out of the capture.
#[test]
fn a_hole_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let packets = convert(&day, &["mold"], "day.pcapng");
    let bytes = std::fs::read(&packets).unwrap();
    let mut blocks = blocks(&bytes);
    let packets = blocks.iter().enumerate().filter(|(_, block)| block[0] == 6);
    let places: Vec<usize> = packets.map(|(place, _)| place).collect();
    blocks.remove(places[places.len() - 3]);
    let holed = folder.path().join("holed.pcapng");
    std::fs::write(&holed, blocks.concat()).unwrap();
    let out = folder.path().join("holed.dbn");
    let program = env!("CARGO_BIN_EXE_tickgate-convert");
    let mut run = Command::new(program);
    run.arg(&holed).args(["--to", "dbn", "--out"]).arg(&out).output().unwrap();
    let believed = believed(&out);
    assert!(!believed.is_empty());
    assert!(believed.values().all(|book| *book != Integrity::Live), "{believed:?}");
}

/// The blocks of a pcapng file.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut blocks = Vec::new();
    while let Some(length) = rest.get(4..8) {
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let (block, behind) = rest.split_at(length);
        blocks.push(block);
        rest = behind;
    }
    blocks
}

/// Goal: what the input lacks is said of every output, by number and by exit code, and a session whose end was not seen does not
/// end. Method: a capture without one of its packets; one that ends inside a block.
#[test]
fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    let whole = std::fs::read(convert(&day, &["mold"], "day.pcapng")).unwrap();
    let (gap, cut) = (folder.path().join("gap.pcapng"), folder.path().join("cut.pcapng"));
    let blocks = blocks(&whole);
    let middle = blocks.len() / 2;
    std::fs::write(&gap, [blocks[..middle].concat(), blocks[middle + 1..].concat()].concat())
        .unwrap();
    let half = blocks[..middle].concat().len() + 20;
    std::fs::write(&cut, &whole[..half]).unwrap();
    let run = |input: &Path, to: &str| {
        let out = input.with_extension(to);
        let program = env!("CARGO_BIN_EXE_tickgate-convert");
        let mut run = Command::new(program);
        let run = run.arg(input).args(["--json", "--to", to, "--out"]).arg(&out).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap_or_default();
        (run.status.code(), said["lost"].as_u64(), said["cut"].as_bool(), out)
    };
    let mut lost = Vec::new();
    for to in ["itch", "parquet", "dbn", "mold"] {
        let (code, missing, is_cut, _) = run(&gap, to);
        lost.push(missing.unwrap());
        assert_eq!((code, is_cut), (Some(1), Some(false)), "{to}");
        let (code, missing, is_cut, out) = run(&cut, to);
        assert_eq!((code, missing, is_cut), (Some(1), Some(0), Some(true)), "{to}");
        let ends = |mark: &[u8]| std::fs::read(&out).unwrap().ends_with(mark);
        assert!(to != "itch" || !ends(&[0, 0]), "an end that was not seen");
    }
    assert!(lost[0] > 0 && lost.iter().all(|count| *count == lost[0]), "{lost:?}");
}

/// Goal: a conversion that fails or is interrupted leaves no file, so that the next one finds its place free; and what a gap of
/// a capture lacks is all that is missed. Method: an input that ends inside a message, whatever the output; SIGINT as soon as
/// there is a file, until it comes before the end; a packet of many left out.
#[test]
fn all_or_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.itch");
    let config = synth::Config { messages: 200_000, symbols: 12, ..synth::Config::SAMPLE };
    let mut bytes = Vec::new();
    synth::Day::new(config).write_to(&mut bytes).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let short = folder.path().join("short.itch");
    std::fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
    let program = |input: &Path, to: &str, out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickgate-convert"));
        command.arg(input).args(["--json", "--to", to, "--out"]).arg(out);
        command
    };
    for to in ["itch", "mold", "dbn", "parquet"] {
        let out = folder.path().join("out");
        let failed = program(&short, to, &out).output().unwrap();
        assert_eq!((failed.status.code(), out.exists()), (Some(3), false), "{to}");
        let is_interrupted = (0..100).any(|_| {
            let mut child = program(&path, to, &out).stdout(Stdio::null()).spawn().unwrap();
            while !out.exists() && child.try_wait().unwrap().is_none() {
                std::hint::spin_loop();
            }
            let _ = kill_process(Pid::from_child(&child), Signal::INT); // It may have ended.
            let code = child.wait().unwrap().code();
            assert_eq!(out.exists(), code == Some(0), "{to}: {code:?}");
            let _ = std::fs::remove_file(&out);
            code == Some(130)
        });
        assert!(is_interrupted, "{to}");
    }

    let whole = std::fs::read(convert(&path, &["mold"], "long.pcapng")).unwrap();
    let blocks = blocks(&whole);
    let middle = blocks.len() / 2;
    let gap = folder.path().join("gap.pcapng");
    std::fs::write(&gap, [blocks[..middle].concat(), blocks[middle + 1..].concat()].concat())
        .unwrap();
    let done = program(&gap, "itch", &folder.path().join("gap.itch")).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!((1..200).contains(&said["lost"].as_u64().unwrap()), "{said}");
}
