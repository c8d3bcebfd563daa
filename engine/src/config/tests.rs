use std::path::PathBuf;

use super::*;

fn deployed() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    Config::NAMES
        .map(|name| (PathBuf::from(name), std::fs::read_to_string(folder.join(name)).unwrap()))
        .into()
}

/// Goal: the files that we ship load. Method: load them from where they lie.
#[test]
fn shipped_files_load() {
    let config =
        Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/engine.toml")).unwrap();
    assert_eq!(config.engine.name, "paper");
    assert_eq!(config.rules.accounts.len(), 3);
    assert_eq!(config.files.len(), 3);
}

/// Goal: all errors of all files come at once, each with file and line. Method: spoil one thing in each file, and add an
/// unknown key.
#[test]
fn every_error_is_listed() {
    let mut files = deployed();
    files[0].1 = files[0].1.replace("wait = \"auto\"", "wait = \"soon\"\nhurry = true");
    files[1].1 = files[1].1.replace("\"0.01\"", "\"-1\"");
    files[2].1 = files[2].1.replace("band_bps = 500", "# none ");
    let errors = Config::from_texts(files).unwrap_err().to_string();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 4, "{errors}");
    assert!(
        lines[0].starts_with("engine.toml:27: `wait` must be one of auto, spin, yield, park"),
        "{errors}"
    );
    assert!(lines[1].starts_with("engine.toml:28: unknown key `hurry`"), "{errors}");
    assert!(
        lines[2].starts_with("instruments.toml:6: `px_step` must be a plain decimal"),
        "{errors}"
    );
    assert!(lines[3].starts_with("limits.toml:98: `band_bps` is missing"), "{errors}");
}

/// Goal: a broken file is named with its line and never taken in part. Method: an unclosed text.
#[test]
fn syntax_errors_have_lines() {
    let mut files = deployed();
    files[1].1 = "[[instrument]]\nsymbol = \"*\n".into();
    let errors = Config::from_texts(files).unwrap_err().to_string();
    assert!(errors.contains("instruments.toml:2"), "{errors}");
}

/// Goal: the digest tells rules apart. Method: change one digit.
#[test]
fn digest_tells_rules_apart() {
    let one = Config::from_texts(deployed()).unwrap();
    let mut files = deployed();
    files[2].1 = files[2].1.replace("clip_max = \"1000\"", "clip_max = \"1001\"");
    assert_ne!(one.digest(), Config::from_texts(files).unwrap().digest());
}

/// Goal: an overridden configuration is recorded as it was run. Method: change every kind of field, write, read back.
#[test]
fn overrides_read_back() {
    let config = Config::from_texts(deployed()).unwrap();
    let mut engine = config.engine.clone();
    engine.name = "other".into();
    engine.mode = model::Mode::Replay;
    engine.capacity = Capacity::LARGE;
    engine.wait = Wait::Yield;
    engine.lock_memory = true;
    engine.stalled_ns = 250_000_000;
    engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(2_500);
    engine.feeds[0].captures_mut().unwrap().date = "2020-01-30".parse().unwrap();
    engine.feeds[0].captures_mut().unwrap().files = vec!["a \"b\".itch".into(), "/c/d.gz".into()];
    engine.feeds[0].captures_mut().unwrap().repeat = false;
    engine.strategies[0].every = 7;
    engine.audit = Some(AuditConfig {
        folder: "a \"log\"".into(),
        key: "/keys/audit.key".into(),
        checkpoints: "pipe".into(),
        checkpoint_records: 7,
        checkpoint_ms: 8,
    });
    let changed = config.with_engine(engine.clone());
    let files = changed.files.iter().map(|file| (PathBuf::from(&file.name), file.text.clone()));
    let read = Config::from_texts(files.collect()).unwrap();
    assert_eq!(read.engine, engine);
    assert_eq!(read.files, changed.files);
}

/// Goal: an audit log is kept only if asked for, and then wholly: a second file has no default; live trading needs one. Method:
/// no table, a whole one, one without the second file, one with mistakes.
#[test]
fn audit_is_asked_for() {
    let with = |table: &str| {
        let mut files = deployed();
        files[0].1 = files[0].1.replace("[[strategy]]", &format!("{table}\n[[strategy]]"));
        Config::from_texts(files)
    };
    let config = with("").unwrap();
    assert_eq!(config.engine.audit, None);
    let whole = with("[audit]\nfolder = \"a\"\nkey = \"k\"\ncheckpoints = \"/b/c\"\n").unwrap();
    let audit = whole.engine.audit.clone().unwrap();
    assert_eq!((audit.checkpoint_records, audit.checkpoint_ms), (1024, 1000));
    assert_eq!(audit.checkpoints, PathBuf::from("/b/c"));
    let errors = with("[audit]\nfolder = \"a\"\nkeys = \"k\"\ncheckpoint_records = 0\n");
    let errors = errors.unwrap_err().to_string();
    for part in [
        "`key` is missing",
        "`checkpoints` is missing",
        "`checkpoint_records`",
        "unknown key `keys`",
    ] {
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
    let venue = "[venue]\nack_timeout_ms = 500\nexecutions = 64\n";
    assert!(with(venue).unwrap_err().to_string().contains("[venue]"), "paper needs none");
    let venue = Some(VenueConfig { ack_timeout_ns: 500_000_000, executions: 64 });
    let check = |mode, audit| {
        let venue = venue.clone().filter(|_| mode == model::Mode::Live);
        let engine = EngineConfig { mode, audit, venue, ..config.engine.clone() };
        let mut errors = ConfigErrors::default();
        engine.check_against(&config.rules, &mut errors);
        errors.to_string()
    };
    assert!(check(model::Mode::Live, None).contains("[audit] is missing"));
    assert_eq!(check(model::Mode::Live, whole.engine.audit), "");
    assert_eq!(check(model::Mode::Paper, None), "");
}

/// Goal: live feeds of every kind are read, written and read back; what cannot be heard so is refused, all at once. Method:
/// lines with every service, then a list of mistakes.
#[test]
fn live_feeds_read_back() {
    let with = |feeds: &str| {
        let mut files = deployed();
        let at = files[0].1.find("[[feed]]").unwrap();
        let end = files[0].1.find("[[strategy]]").unwrap();
        files[0].1.replace_range(at..end, feeds);
        Config::from_texts(files)
    };
    let lines = "[[feed]]\nvenue = \"nasdaq_itch\"\nlines = [\"239.1.2.3:26400\", \"239.1.2.4:26400\"]\n\
                 interface = \"10.0.0.1\"\nrequest = \"10.0.0.9:1\"\nsnapshot = \"10.0.0.9:2\"\nuser = \"me\"\n\
                 password_env = \"SECRET\"\nsame_session = false\nreceive_buffer = 65536\nbusy_poll_us = 50\n\
                 [[feed]]\nvenue = \"iex\"\nlines = [\"239.1.2.5:1\"]\n\n";
    let server = "[[feed]]\nvenue = \"nasdaq_itch\"\nserver = \"10.0.0.9:3\"\nuser = \"me\"\npassword_env = \"SECRET\"\n\
                  session = \"DAY1\"\nlag_ms = 250\n";
    let config = with(&format!("{server}{lines}")).unwrap();
    let FeedSource::Server(read) = &config.engine.feeds[0].source else { panic!("no server") };
    assert_eq!((read.session.as_deref(), read.lag_ns), (Some("DAY1"), 250_000_000));
    let FeedSource::Lines(read) = &config.engine.feeds[1].source else { panic!("no lines") };
    assert!(!read.snapshot.as_ref().unwrap().same_session);
    let named = lines.replace("same_session = false\n", "");
    let named = with(&named).unwrap();
    let FeedSource::Lines(read) = &named.engine.feeds[0].source else { panic!("no lines") };
    assert!(read.snapshot.as_ref().unwrap().same_session, "unless it is switched off");
    let read = {
        let changed = config.clone().with_engine(config.engine.clone());
        let files = changed.files.iter().map(|file| (PathBuf::from(&file.name), file.text.clone()));
        Config::from_texts(files.collect()).unwrap()
    };
    assert_eq!(read.engine, config.engine);
    assert_eq!(read.engine.speed(), None);

    let wrong = "[[feed]]\nvenue = \"databento_mbo\"\nlines = [\"nowhere\", \"1.2.3.4:5\", \"1.2.3.4:6\"]\n\
                 [[feed]]\nvenue = \"iex\"\n\n";
    let errors = with(wrong).unwrap_err().to_string();
    let wrong_servers = "[[feed]]\nvenue = \"iex\"\nserver = \"10.0.0.9:3\"\nuser = \"much too long\"\nsession = \"-\"\n\
                         [[feed]]\nvenue = \"nasdaq_itch\"\nserver = \"10.0.0.9:3\"\nlines = [\"1.2.3.4:5\"]\n\
                         [[feed]]\nvenue = \"nasdaq_itch\"\nserver = \"nowhere\"\npassword = \"secret\"\n\n";
    let told = with(wrong_servers).unwrap_err().to_string();
    for part in [
        "`iex` is not heard in this way",
        "`user` has at most 6",
        "`session` has at most 10",
        "`server` is a way to hear a feed of its own: no `files`, `lines`",
        "`server`: `nowhere`",
        "`user` is missing",
        "unknown key `password`",
    ] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
    for part in
        ["`lines`: `nowhere`", "one or two", "not heard in this way", "where the bytes come from"]
    {
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
}
