//! A follower beside an engine: it sees what the engine does, and is the engine when that is gone.

mod post;

use std::time::Instant;

use engine::journal::epoch::{self, Claim};
use engine::journal::lease::Lease;
use engine::journal::recorder::Recorder;
use engine::journal::writer::Writer;
use engine::replay::Replay;
use engine::snapshot;
use model::{Reject, Verdict};
use rustix::process::Signal;

use post::{PATIENCE, Post, Process, wait_for};

/// Goal: an engine killed without a word is replaced by its standby: in the next epoch, with ids that nobody gave before, in
/// the state that its journal says. How long that takes is printed. Method: a process with a client that trades, kill -9, the
/// follower's process; then the whole journal replayed.
#[test]
fn a_killed_engine_is_replaced() {
    let post = Post::new("standby");
    let engine = post.engine();
    let before = post.agent().order_accepted();
    let follower = post.follower(&["--promote-on-loss", "--every", "200ms", "--report", "0.2"]);
    wait_for("a snapshot", || !snapshot::list(&post.journal()).unwrap().is_empty());
    let also_before = post.agent().order_accepted();

    let killed = Instant::now();
    engine.dies();
    let gone = killed.elapsed();
    wait_for("the next epoch", || epoch::current(&post.journal()).unwrap() == Some(1));
    let taken = killed.elapsed();
    let mut agent = post.agent();
    let after = agent.order_accepted();
    println!(
        "process gone after {gone:?}, lease and epoch taken after {taken:?}, a new order accepted after {:?}",
        killed.elapsed()
    );
    assert_eq!([before, also_before, after].map(|order| order.epoch()), [0, 0, 1]);
    drop(agent);
    follower.ends();
    println!("{}", post.log());

    let mut replay = Replay::open(&post.journal()).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed && replay.full_checkpoints == 1);
    assert_eq!((replay.opened, replay.epoch), (2, Some(1)));
    for order in [before, also_before, after] {
        assert_eq!(replay.engine.orders().get(order).unwrap().order.id, order);
    }
    let said = format!("{:016x}", replay.engine.state_hash());
    assert!(post.said().contains(&said), "the follower ends in the state {said}");
    let mut from = Replay::open_from_snapshot(&post.journal()).unwrap().unwrap();
    assert_eq!(from.from, Some(replay.engine.seq()), "the promoted engine leaves one too");
    from.run(None, |_| ()).unwrap();
    assert_eq!(from.engine.full_hash(), replay.engine.full_hash());
}

/// Goal: limits that were changed while an engine ran hold for the one that takes over, and for the starts after it, which go on
/// from snapshots as before. Method: a follower from before a reload that writes snapshots behind it; another reload; kill -9;
/// orders of the promoted engine, which was started with the earlier limits; a stop; a start; the whole journal replayed.
#[test]
fn limits_are_taken_over() {
    let post = Post::new("standby-limits");
    let engine = post.engine();
    post.agent().order_accepted();
    let follower = post.follower(&["--promote-on-loss", "--every", "100ms", "--report", "0.2"]);
    wait_for("a report", || !post.said().is_empty());
    post.reload("clip_max = \"10000000\"", "clip_max = \"9\"");
    let newest = || snapshot::list(&post.journal()).unwrap().first().map_or(0, |(seq, _)| *seq);
    let behind = newest();
    wait_for("two more snapshots", || newest() > behind);
    let behind = newest();
    wait_for("two more snapshots", || newest() > behind);
    post.reload("clip_max = \"9\"", "clip_max = \"5\"");
    let first = post.agent().order_accepted();
    engine.dies();
    wait_for("the next epoch", || epoch::current(&post.journal()).unwrap() == Some(1));
    let clipped = |agent: &mut post::Agent| {
        agent.order_accepted();
        let verdict = agent.order(6).verdict;
        assert_ne!(verdict.bits & Verdict::bit(Reject::Clip), 0, "{verdict:?}");
    };
    clipped(&mut post.agent());
    follower.ends();
    let engine = post.engine();
    clipped(&mut post.agent());
    engine.ends();
    let log = post.log();
    assert!(log.contains("goes on from the snapshot of input"), "{log}");
    assert!(!log.contains("not continued"), "{log}");

    let mut replay = Replay::open(&post.journal()).unwrap().unwrap();
    replay.deep = true;
    replay.run(None, |_| ()).unwrap();
    assert!(replay.closed && replay.full_checkpoints == 2);
    assert_eq!((replay.engine.limits_version(), replay.epoch), (3, Some(2)));
    assert_eq!(replay.engine.orders().get(first).unwrap().order.id, first);
    let from = Replay::open_from_snapshot(&post.journal()).unwrap().unwrap();
    assert_eq!(from.from, Some(replay.engine.seq()));
    assert_eq!(from.engine.full_hash(), replay.engine.full_hash());
    assert_eq!(from.config.limits_text(), replay.config.limits_text());
}

/// Goal: a standby that is started after its engine was killed, and left down, does not become the engine by itself; when it is
/// asked to it does. Method: a journal that two engines opened, the last one killed; a follower for a while; SIGUSR1.
#[test]
fn history_is_no_loss() {
    let post = Post::new("standby-late");
    for end in [Process::ends, Process::dies] {
        let engine = post.engine();
        post.agent().order_accepted();
        end(engine);
    }
    let follower = post.follower(&["--promote-on-loss", "--report", "0.1"]);
    wait_for("a report", || post.said().lines().count() > 3);
    assert_eq!(epoch::current(&post.journal()).unwrap(), Some(1), "it took over");
    follower.signal(Signal::USR1);
    assert_eq!(post.agent().order_accepted().epoch(), 2);
    follower.ends();
}

/// Goal: a clean stop is no loss: the standby goes on waiting, through another engine, and takes over when it is told to and
/// no engine is there. Method: stop, start, SIGUSR1, stop.
#[test]
fn a_stopped_engine_is_replaced_on_request() {
    let post = Post::new("standby-asked");
    let engine = post.engine();
    let follower = post.follower(&["--promote-on-loss", "--report", "0.1"]);
    // One that begins after the stop has seen no engine, and has nothing to say of it.
    wait_for("a report", || !post.said().is_empty());
    let first = post.agent().order_accepted();
    engine.ends();
    wait_for("word of the stop", || post.log().contains("waits for the next one"));
    let engine = post.engine();
    let second = post.agent().order_accepted();
    assert_eq!(epoch::current(&post.journal()).unwrap(), Some(1));
    follower.signal(Signal::USR1);
    wait_for("an answer", || post.log().contains("takes over when"));
    assert_eq!(epoch::current(&post.journal()).unwrap(), Some(1), "it does not push anybody out");
    engine.ends();
    let third = post.agent().order_accepted();
    assert_eq!([first, second, third].map(|order| order.epoch()), [0, 1, 2]);
    follower.ends();
}

/// Goal: readers of an engine that goes on from a snapshot are shown what nothing touches any more. Method: an order that the
/// second engine cancels; the third one's pages of it, of its line and of its instrument.
#[test]
fn the_past_is_shown() {
    let post = Post::new("standby-past");
    let engine = post.engine();
    let order = post.agent().order_accepted();
    engine.ends();
    let second = post.engine();
    drop(post.agent());
    second.ends();
    let third = post.engine();
    let agent = post.agent();
    wait_for("the order", || agent.client.order(order.slot()).is_ok_and(|o| o.order.id == order));
    let line = agent.client.line(0).unwrap();
    assert_eq!((line.instrument.0, line.working_buy.0), (0, 0));
    assert_eq!(agent.client.board(0).unwrap().instrument.id.0, 0);
    assert!(post.log().contains("goes on from the snapshot of input"), "{}", post.log());
    third.ends();
}

/// Goal: a follower that comes to another hash than the engine recorded says so and ends. Method: append a clean stop with
/// another hash than the state has.
#[test]
fn another_hash_ends_it() {
    let post = Post::new("standby-hash");
    let engine = post.engine();
    post.agent().order_accepted();
    engine.ends();
    let mut follower = post.follower(&["--report", "0.1"]);
    let mut replay = Replay::open(&post.journal()).unwrap().unwrap();
    replay.run(None, |_| ()).unwrap();
    let seq = format!("\"seq\":{}", replay.engine.seq());
    wait_for("the end", || post.said().contains(&seq));
    assert!(follower.code_now().is_none());

    let (lease, claim) =
        (Lease::take(&post.journal()).unwrap(), Claim::take(&post.journal(), None));
    let mut writer = Writer::open(lease, claim.unwrap(), replay.tail(), 1 << 20).unwrap();
    let (to_ring, mut ring) = rtrb::RingBuffer::new(16);
    let mut recorder = Recorder::new(to_ring, vec![(true, 0)], 0);
    recorder.close(replay.engine.seq(), replay.engine.state_hash() ^ 1);
    while writer.poll(&mut ring, true) {}
    let begun = Instant::now();
    let code = loop {
        if let Some(code) = follower.code_now() {
            break code;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not see it");
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert_eq!(code, Some(1));
    assert!(post.log().contains("the replay diverged"), "{}", post.log());
}

/// Goal: `--once` leaves a snapshot of what there is, or says why not; a second one begins with it and writes none. Method: after
/// a kill, first with nowhere to write to.
#[test]
fn once_is_enough() {
    let post = Post::new("standby-once");
    let engine = post.engine();
    post.agent().order_accepted();
    engine.dies();
    let once = || post.follower(&["--once"]).code();
    let folder = post.journal().join("snapshots");
    std::os::unix::fs::symlink(post.journal().join("nowhere/at/all"), &folder).unwrap();
    assert_eq!(once(), Some(1));
    assert!(post.log().contains("no snapshot was written"), "{}", post.log());
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(once(), Some(0));
    let listed = snapshot::list(&post.journal()).unwrap();
    assert_eq!(listed.len(), 1);
    let modified = std::fs::metadata(&listed[0].1).unwrap().modified().unwrap();
    assert_eq!(once(), Some(0));
    assert!(post.log().contains(&format!("snapshot of input {}", listed[0].0)), "{}", post.log());
    assert_eq!(snapshot::list(&post.journal()).unwrap(), listed);
    assert_eq!(std::fs::metadata(&listed[0].1).unwrap().modified().unwrap(), modified);
    let engine: Process = post.engine();
    assert_eq!(post.agent().order_accepted().epoch(), 1);
    engine.ends();
}
