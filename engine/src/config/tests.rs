mod shards;

use std::path::PathBuf;

use model::Symbol;
use risk::OrderFeatures;

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

/// Goal: the example of live trading loads, and reads back as it ran. Method: load it from where it lies; write it out; then an
/// address of another machine without leave, and firms that are none.
#[test]
fn shipped_live_example_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/live.toml");
    let config = Config::load(&path).unwrap();
    assert_eq!(config.engine.mode, model::Mode::Live);
    let GatewayConfig::Ouch(ouch) = &config.engine.venue.as_ref().unwrap().gateway;
    assert!(ouch.address.ip().is_loopback() && ouch.on_stall == OnStall::Cancel);
    let again = |change: &dyn Fn(String) -> String| {
        let mut files = deployed();
        files[0].1 = change(config.engine.to_toml());
        Config::from_texts(files)
    };
    let firms = "\n[[venue.firm]]\naccount = \"agent\"\nname = \"FRM\"\n";
    let firm = again(&|text| text + firms).unwrap();
    let GatewayConfig::Ouch(with_firm) = &firm.engine.venue.as_ref().unwrap().gateway;
    assert_eq!(OuchConfig { firms: Vec::new(), ..with_firm.clone() }, *ouch);
    let of_agent = firm.rules.account(Symbol::new("agent").unwrap()).unwrap();
    assert_eq!(with_firm.firms(&firm.rules)[usize::from(of_agent.0)], Some(*b"FRM "));
    let errors = again(&|text| {
        let far = text.replace("127.0.0.1:26420", "192.0.2.1:26420");
        far.replace("remote = false\n", "")
            + &firms.replace("FRM", "frm")
            + &firms.replace("agent", "nobody")
    });
    let errors = errors.unwrap_err().to_string();
    for part in ["remote = true", "1 to 4 capital letters"] {
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
    let at_stop = |config: &Config| config.engine.venue.as_ref().unwrap().at_stop;
    assert_eq!(at_stop(&config), AtStop::Cancel(5_000_000_000));
    let said = "at_stop = \"cancel\"\nat_stop_ms = 5000\n";
    let stays = again(&|text| text.replace(said, "at_stop = \"leave\"\n")).unwrap();
    assert_eq!(at_stop(&stays), AtStop::Leave);
    for (instead, part) in [
        ("", "`at_stop` is missing"),
        ("at_stop = \"cancel\"\n", "`at_stop_ms` is missing"),
        ("at_stop = \"leave\"\nat_stop_ms = 5000\n", "unknown key `at_stop_ms`"),
    ] {
        let errors = again(&|text| text.replace(said, instead)).unwrap_err().to_string();
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
    let confirmed = |config: &Config| config.engine.venue.as_ref().unwrap().confirmed;
    assert_eq!(confirmed(&config), OrderFeatures::NONE);
    for (named, option) in OrderFeatures::CONFIRMABLE {
        let said = format!("confirmed = [{named:?}]");
        let one = again(&|text| text.replace("confirmed = []", &said)).unwrap();
        assert_eq!(confirmed(&one), option);
        assert!(one.engine.to_toml().contains(&said) && one.digest() != config.digest());
    }
    for (instead, part) in [
        ("", "`confirmed` is missing"),
        ("confirmed = \"fok\"", "`confirmed` must be an array"),
        ("confirmed = [\"fok\", \"gtc\"]", "`confirmed` is a list of fok, at_open,"),
    ] {
        let errors =
            again(&|text| text.replace("confirmed = []", instead)).unwrap_err().to_string();
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
    let errors = again(&|text| text + &firms.replace("agent", "nobody")).unwrap_err().to_string();
    assert!(errors.contains("`nobody` is not in limits.toml"), "{errors}");
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
        lines[0].starts_with("engine.toml:39: `wait` must be one of auto, spin, yield, park"),
        "{errors}"
    );
    assert!(lines[1].starts_with("engine.toml:40: unknown key `hurry`"), "{errors}");
    assert!(
        lines[2].starts_with("instruments.toml:6: `px_step` must be a plain decimal"),
        "{errors}"
    );
    assert!(lines[3].starts_with("limits.toml:153: `band_bps` is missing"), "{errors}");
}

/// Goal: what tables may take is read, and reads back; nothing said is no limit but the host's, in huge pages. Method: each way,
/// and what is none.
#[test]
fn memory_reads_back() {
    let with = |text: &str| {
        let mut files = deployed();
        files[0].1 = files[0].1.replace("# [memory]\n", &format!("[memory]\n{text}\n"));
        let config = Config::from_texts(files).map_err(|errors| errors.to_string())?;
        let mut again = deployed();
        again[0].1 = config.engine.to_toml();
        let again = Config::from_texts(again).map_err(|errors| errors.to_string())?;
        assert_eq!(again.engine.memory, config.engine.memory, "{text}");
        Ok::<Memory, String>(config.engine.memory)
    };
    assert_eq!(with(""), Ok(Memory { max_bytes: None, huge_pages: true }));
    let small = Memory { max_bytes: Some(5 << 20), huge_pages: false };
    assert_eq!(with("max_mib = 5\nhuge_pages = false"), Ok(small));
    for wrong in ["max_mib = 0", "max_mib = \"5\"", "max_mib = 16777217", "huge_pages = 1"] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}

/// Goal: a broken file is named with its line and never taken in part. Method: an unclosed text.
#[test]
fn syntax_errors_have_lines() {
    let mut files = deployed();
    files[1].1 = "[[instrument]]\nsymbol = \"*\n".into();
    let errors = Config::from_texts(files).unwrap_err().to_string();
    assert!(errors.contains("instruments.toml:2"), "{errors}");
}

/// Goal: a soft limit above its hard one, which nothing could ever meet, is an error; one that is equal is not. Method: both of
/// each key that has a hard limit in the same unit, in one row.
#[test]
fn soft_limits_are_below_the_hard() {
    for key in ["clip_max", "notional_max"] {
        let mut files = deployed();
        let text = files[2].1.clone();
        let hard = text.split(&format!("\n{key} = \"")).nth(1).unwrap();
        let hard = hard.split_once('"').unwrap().0.to_owned();
        for (soft, fits) in [(format!("{hard}.01"), false), (hard, true)] {
            let said = format!("soft_{key} = \"{soft}\"");
            files[2].1 = text.replacen(&format!("soft_{key} = \"off\""), &said, 1);
            assert!(files[2].1.contains(&said));
            let errors = Config::from_texts(files.clone()).err().map(|errors| errors.to_string());
            match errors {
                None => assert!(fits, "{said}"),
                Some(errors) => {
                    let row = files[2].1.lines().position(|line| line == "[[limit]]").unwrap() + 1;
                    let place = format!("limits.toml:{row}: `soft_{key}` is above");
                    assert!(!fits && errors.starts_with(&place), "{place} in {errors}");
                    assert_eq!(errors.lines().count(), 1, "{errors}");
                }
            }
        }
    }
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
    engine.start_level = model::HaltLevel::CancelOnly;
    engine.capacity = Capacity::LARGE;
    engine.wait = Wait::Yield;
    engine.lock_memory = true;
    (engine.cpus.feed, engine.cpus.journal) = (Some(1), Some(0));
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
    let venue = "[venue]\nkind = \"ouch\"\nserver = \"127.0.0.1:9\"\nuser = \"t\"\ncapacity = \"agency\"\n\
                 ack_timeout_ms = 500\nexecutions = 64\nat_stop = \"leave\"\nconfirmed = []\n";
    assert!(with(venue).unwrap_err().to_string().contains("[venue]"), "paper needs none");
    let venue = Some(VenueConfig::plain(500_000_000, 64, ([127, 0, 0, 1], 9).into()));
    let check = |mode, audit| {
        let hiccup_max = HiccupMax::Off;
        let venue = venue.clone().filter(|_| mode == model::Mode::Live);
        let engine = EngineConfig { mode, audit, venue, hiccup_max, ..config.engine.clone() };
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
    let feed = |lines: &str| format!("[[feed]]\nvenue = \"nasdaq_itch\"\nlines = [{lines}]\n\n");
    let told = |feeds: String| with(&feeds).unwrap_err().to_string();
    let twice = "239.1.2.3:1 is named twice";
    assert!(told(feed("\"239.1.2.3:1\", \"239.1.2.3:1\"")).contains(twice));
    assert!(
        told(feed("\"239.1.2.3:1\"") + &feed("\"239.1.2.4:1\", \"239.1.2.3:1\"")).contains(twice)
    );
    assert!(told(feed("\"239.1.2.3:0\"")).contains("port 0"));
}

/// Goal: what would block all orders without a word is an error: fees that are rounded up to nothing, a row that fits no
/// instrument. Method: each in the shipped limits.
#[test]
fn nothing_is_blocked_without_a_word() {
    let with = |key: &str, value: &str| {
        let mut files = deployed();
        let text = &mut files[2].1;
        let at = text.find(&format!("\n{key} = \"")).unwrap() + 1;
        let end = at + text[at..].find('\n').unwrap();
        text.replace_range(at..end, &format!("{key} = \"{value}\""));
        Config::from_texts(files).err().map(|errors| errors.to_string())
    };
    assert_eq!(with("unit", "0.01"), None);
    assert!(with("unit", "0").unwrap().contains("`unit` must be more than zero"));
    assert!(with("unit", "0.00").unwrap().contains("`unit` must be more than zero"));
    assert_eq!(with("clip_max", "9223372036854775807"), None);
    assert!(with("clip_max", "9223372036854775808").unwrap().contains("no instrument counts"));
}

/// Goal: a margin has both sides or says that it is off, and is not taken where profit is counted at the mid. Method: the rows
/// of the agent's account with each.
#[test]
fn margin_has_both_sides() {
    let with = |margin: [&str; 2], account: &str| {
        let mut files = deployed();
        let row = files[2].1.find("account = \"agent\"").unwrap();
        let (before, after) = files[2].1.split_at(row);
        let [long, short] = margin;
        let after =
            after.replacen("margin_long_bps = \"off\"", &format!("margin_long_bps = {long}"), 1);
        let after =
            after.replacen("margin_short_bps = \"off\"", &format!("margin_short_bps = {short}"), 1);
        files[2].1 = before.replace(
            "parent = \"house\"\npermission = \"trade\"\nclients",
            &format!("{account}parent = \"house\"\npermission = \"trade\"\nclients"),
        ) + &after;
        Config::from_texts(files)
    };
    let both = with(["2500", "3000"], "buying_power = \"off\"\n").unwrap();
    let row = both.rules.limits.iter().find(|row| row.account.as_str() == "agent").unwrap();
    assert_eq!(row.margin, Some(risk::Margin { long_bps: 2_500, short_bps: 3_000 }));
    let bound =
        |config: &Config| config.rules.accounts.iter().map(|a| a.cash_binds).collect::<Vec<_>>();
    assert_eq!(bound(&both), [true, false, true]);
    assert_eq!(with(["\"off\"", "\"off\""], "").unwrap().rules.limits[1].margin, None);
    let errors = with(["2500", "\"off\""], "").unwrap_err().to_string();
    assert!(errors.contains("a margin of one side alone"), "{errors}");
    let errors = with(["2500", "2500"], "mark_at = \"mid\"\n").unwrap_err().to_string();
    assert!(errors.contains("a margin needs an account"), "{errors}");
}

/// Goal: an account above one of another currency needs a row that says how old a rate may be; a rate is taken as exactly as it
/// is written, with its time. Method: the agent in euros, with every kind of row.
#[test]
fn rates_are_stamped() {
    let with = |rows: &str| {
        let mut files = deployed();
        let agent = files[2].1.find("name = \"agent\"").unwrap();
        let (before, after) = files[2].1.split_at(agent);
        files[2].1 = before.to_owned() + &after.replacen("\"USD\"", "\"EUR\"", 1) + rows;
        Config::from_texts(files)
    };
    let row = "\n[[rate]]\nfrom = \"EUR\"\nto = \"USD\"\nage_max_ms = 1000\n";
    let errors = with("").unwrap_err().to_string();
    assert!(
        errors.contains("no [[rate]] from the currency of `agent` to that of `house`"),
        "{errors}"
    );
    assert_eq!(with(row).unwrap().rules.rates[0].rate, None);
    let px = format!("{row}px = \"1.0842\"\nat = \"1970-01-02T00:00:01Z\"\n");
    let rate = with(&px).unwrap().rules.rates[0];
    let at = model::Ts(86_401_000_000_000);
    assert_eq!(rate.rate, Some(risk::Rate { num: 10_842, den: 10_000, at }));
    assert_eq!(rate.age_max_ns, 1_000_000_000);
    for (row, what) in [
        (format!("{row}{row}"), "a second row"),
        (row.replace("EUR", "USD") + row, "worth itself"),
        (format!("{row}px = \"0\"\nat = \"1970-01-02T00:00:01Z\"\n"), "above zero"),
        (format!("{row}px = \"1\"\nat = \"1970-01-02 00:00:01\"\n"), "a time in UTC"),
        (format!("{row}px = \"1\"\nat = \"1970-01-02T24:00:01Z\"\n"), "a time in UTC"),
        (format!("{row}px = \"1\"\n"), "`at` is missing"),
    ] {
        let errors = with(&row).unwrap_err().to_string();
        assert!(errors.contains(what), "{what} in\n{errors}");
    }
}

/// Goal: no trigger of the kill switch has a default, nor has what belongs to one that is on; off, it needs nothing more. Method:
/// each key left out of the shipped limits; the table left out; a timer too short; everything off.
#[test]
fn triggers_have_no_default() {
    let without = |key: &str| {
        let mut files = deployed();
        let begins = |line: &&str| line.starts_with(&format!("{key} = "));
        let lines: Vec<&str> = files[2].1.lines().filter(|line| !begins(line)).collect();
        assert!(lines.len() < files[2].1.lines().count(), "{key} is shipped");
        files[2].1 = lines.join("\n");
        Config::from_texts(files).unwrap_err().to_string()
    };
    let firm = ["feed_gap_ms", "live_ms", "clock_error_ms", "journal_lag_ms", "journal_lag_inputs"];
    let more = ["sink_latch_ms", "venue_session_level", "feed_gap_orders", "clock_synced"];
    let account = ["refusals_max", "venue_rejects_max", "fills_max", "fills_money_max"];
    let rest = ["clock_level", "dead_man_ms", "refusals_window_ms", "fills_window_ms"];
    for key in firm.iter().chain(&more).chain(&account).chain(&rest) {
        assert!(without(key).contains(&format!("`{key}` is missing")), "{key}");
    }
    let with = |from: &str, to: &str| {
        let mut files = deployed();
        files[2].1 = files[2].1.replace(from, to);
        Config::from_texts(files)
    };
    let errors = with("[triggers]", "").unwrap_err().to_string();
    assert!(errors.contains("[triggers] is missing"), "{errors}");
    let errors = with("dead_man_ms = \"off\"", "dead_man_ms = 999").unwrap_err().to_string();
    assert!(errors.contains("`dead_man_ms` must be a whole number from 1000"), "{errors}");
    let rules = with("live_ms = \"off\"", "live_ms = 250").unwrap().rules;
    assert_eq!(rules.triggers.live_ns, Some(250_000_000));
    assert_eq!(rules.triggers.clock.map(|rule| rule.level), Some(None));
}

/// Goal: limits may be others than a journal's, and nothing else may. Method: a comment more in each file.
#[test]
fn goes_on_under_other_limits() {
    let with = |place: usize| {
        let mut files = deployed();
        files.iter_mut().skip(place).take(1).for_each(|(_, text)| text.push_str("# more\n"));
        Config::from_texts(files).unwrap()
    };
    let journal = with(usize::MAX);
    let goes = [0, 1, 2].map(|place| with(place).goes_on(&journal));
    assert_eq!(goes, [false, false, true]);
}

/// Goal: a file that no journal could hold is refused before anything starts; the longest one that it holds is not. Method: a
/// comment of that length, and a byte more.
#[test]
fn a_file_that_fits_no_journal_is_refused() {
    let padded = |len: usize| {
        let mut files = deployed();
        let text = &mut files[2].1;
        *text = format!("{text}\n#{}", "x".repeat(len - text.len() - 2));
        Config::from_texts(files)
    };
    let longest = padded(crate::journal::FILE_MAX).unwrap();
    assert!(longest.with_limits(&longest.files[2].text).is_ok());
    let error = padded(crate::journal::FILE_MAX + 1).unwrap_err().to_string();
    assert!(error.contains("limits.toml") && error.contains("8388608"), "{error}");
}
