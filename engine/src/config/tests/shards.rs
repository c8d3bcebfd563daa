//! `[shards]`: what of a file is each one's own.

use super::*;

/// The shipped files with limits that shards can share.
fn shareable() -> Vec<(PathBuf, String)> {
    let mut files = deployed();
    files[2].1 = files[2].1.replace("drawdown_max_bps = 500", "drawdown_max_bps = \"off\"");
    files
}

/// Goal: a shard is the operator's file and a line more, with a name, cores and folders of its own, and reads back from its
/// journal; without [shards] nothing is another. Method: two shards, overridden or not; the same text read again.
#[test]
fn shards_are_a_line_more() {
    let with = |table: &str, threads: &str| {
        let mut files = shareable();
        files[0].1 = files[0].1.replace("[threads]\n", &format!("{table}[threads]\n{threads}"));
        Config::from_texts(files)
    };
    let alone = with("", "").unwrap();
    assert_eq!(alone.engine.shards, None);
    assert_eq!([3, 4].map(|cpus| alone.engine.wait_on(cpus)), [Wait::Park, Wait::Spin]);
    let [engine] = &alone.engines()[..] else { panic!("one engine") };
    assert_eq!((&engine.files, &engine.engine), (&alone.files, &alone.engine));

    let cpus = "feed_cpu = [0, 2]\nengine_cpu = [1, 3]\n";
    let of_all = with("[shards]\ncount = 2\n", cpus).unwrap();
    assert_eq!([7, 8].map(|cpus| of_all.engine.wait_on(cpus)), [Wait::Park, Wait::Spin]);
    let audit = AuditConfig {
        folder: "log".into(),
        key: "key".into(),
        checkpoints: "/w/points".into(),
        checkpoint_records: 7,
        checkpoint_ms: 8,
    };
    let changed = EngineConfig { audit: Some(audit), ..of_all.engine.clone() };
    for config in [of_all.clone().with_engine(of_all.engine.clone()), of_all.with_engine(changed)] {
        assert_eq!(config.engine.shard(), None);
        let journal = config.engine.journal.clone().unwrap().folder;
        for (index, shard) in config.engines().iter().enumerate() {
            assert_eq!(shard.files[0].text, format!("shard = {index}\n{}", config.files[0].text));
            assert_eq!(shard.files[1..], config.files[1..]);
            let engine = &shard.engine;
            assert_eq!(engine.name, format!("{}-{index}", config.engine.name));
            assert_eq!(engine.shard(), feeds::Shard::new(index as u16, 2));
            assert_eq!(
                [engine.cpus.feed, engine.cpus.engine],
                [Some(2 * index), Some(2 * index + 1)]
            );
            assert_eq!(engine.journal.clone().unwrap().folder, journal.join(index.to_string()));
            if let Some(audit) = &engine.audit {
                let points = PathBuf::from(format!("/w/points-{index}"));
                let folder = config.engine.audit.clone().unwrap().folder.join(index.to_string());
                assert_eq!((&audit.folder, &audit.checkpoints), (&folder, &points));
            }
            let texts =
                shard.files.iter().map(|file| (shard.folder.join(&file.name), file.text.clone()));
            let read = Config::from_texts(texts.collect()).unwrap();
            assert_eq!((&read.engine, read.engines().len()), (&shard.engine, 1));
        }
    }
}

/// Goal: what shards cannot be is refused, all of it. Method: a list of mistakes, each with a part of its error.
#[test]
fn shards_that_cannot_be() {
    let with = |change: &dyn Fn(String) -> String| {
        let mut files = shareable();
        files[0].1 = change(std::mem::take(&mut files[0].1));
        Config::from_texts(files).map_err(|errors| errors.to_string())
    };
    let sharded = |text: String| text.replace("[threads]\n", "[shards]\ncount = 2\n[threads]\n");
    let replaced = |from: &'static str, to: &'static str| {
        move |text: String| sharded(text).replacen(from, to, 1)
    };
    for (error, change) in [
        ("`shard` says which", &(|text| format!("shard = 0\n{text}")) as &dyn Fn(String) -> String),
        ("`shard` is 2, the last of 2 is 1", &|text| format!("shard = 2\n{}", sharded(text))),
        ("`count` must be a whole number from 1 to 64", &replaced("count = 2", "count = 0")),
        ("`count` must be a whole number from 1 to 64", &replaced("count = 2", "count = 65")),
        ("unknown key `counts`", &replaced("count = 2", "count = 2\ncounts = 2")),
        ("`feed_cpu` must be an array", &replaced("[threads]", "[threads]\nfeed_cpu = 1")),
        ("`engine_cpu` must name 2 cores", &replaced("[threads]", "[threads]\nengine_cpu = [1]")),
        ("`feed_cpu` must be a whole number", &|text| {
            text.replacen("[threads]", "[threads]\nfeed_cpu = [1]", 1)
        }),
        ("is for paper", &replaced("mode = \"paper\"", "mode = \"live\"")),
        ("must be multicast", &replaced("files = [\"sample.itch\"]", "lines = [\"10.0.0.1:1\"]")),
        (
            "must leave room",
            &replaced("name = \"paper\"", "name = \"abcdefghijklmnopqrstuvwxyz01234\""),
        ),
    ] {
        let refused = with(change).map(|_| ()).unwrap_err();
        assert!(refused.contains(error), "{error} in\n{refused}");
    }
    let groups = "lines = [\"233.252.0.1:1\", \"233.252.0.2:1\"]";
    let lines = |text: String| {
        let at = text.find("files = [").unwrap();
        let end = text.find("silence_ms").unwrap();
        sharded(text.clone()).replace(&text[at..end], &format!("{groups}\n"))
    };
    assert_eq!(with(&lines).unwrap().engines().len(), 2);
}
