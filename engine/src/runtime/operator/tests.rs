use std::thread::JoinHandle;

use switch::LIMITS_MAX;

use super::*;

/// The shipped limits.
pub(super) fn in_force() -> InForce {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/engine.toml");
    InForce { config: Config::load(&folder).unwrap(), version: 1 }
}

/// Goal: a resume that the engine thread was never sent is forgotten when it was waited for long enough, and its asker is
/// told; a halt stays on its way. Method: both unsent, an asker each, time passes.
#[test]
fn an_unsent_resume_is_forgotten() {
    use std::io::{BufRead, BufReader, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.operator.sock");
    let socket = OperatorSocket::bind(&path).unwrap();
    let mut desk = OperatorDesk::new(socket, path.clone(), None, in_force());
    let mut keeper = Keeper::new(folder.path().join("halts.json"), Vec::new(), Vec::new());
    let (mut outbox, now, level) = (Outbox::default(), Instant::now(), HaltLevel::Active);
    let mut lines = Vec::new();
    for resumes in [true, false] {
        let mut guest = std::os::unix::net::UnixStream::connect(&path).unwrap();
        guest.write_all(b"{\"op\":\"status\"}\n").unwrap();
        let ticket = desk.poll(now, 0, &mut keeper, &mut outbox, true);
        let scope = model::HaltScope::All;
        let why = Why::of(HaltCause::Human);
        let (operator, note) = (why.operator, why.note);
        let control = match resumes {
            true => Control::Resume { scope, level, operator, note },
            false => Control::Halt { scope, level: HaltLevel::Halted, why },
        };
        let act = if resumes { Act::Resumes(HaltLevel::Halted) } else { Act::Halts };
        let waiting = Waiting { ticket, since: now, scope: Scope::All, act };
        outbox.unsent.push_back((control, Some(waiting)));
        lines.push(BufReader::new(guest).lines());
    }
    desk.poll(now + PATIENCE, 0, &mut keeper, &mut outbox, true);
    assert!(matches!(outbox.unsent.front(), Some((Control::Halt { .. }, _))));
    assert_eq!(outbox.unsent.len(), 1);
    assert!(lines[0].next().unwrap().unwrap().contains("\"stalled\""));
    assert!(lines[1].next().unwrap().unwrap().contains("\"engine_seq\":null"));
}

/// Goal: a halt of what this engine cannot have is refused, and nothing is on its way or kept of it. Method: the first strategy
/// and client beyond those that there are, and the last of each.
#[test]
fn a_halt_of_nobody_is_refused() {
    let strategies = in_force().config.engine.strategies.len() as u8;
    let desks = crate::runtime::desks::DESKS as u8;
    let halt = |scope| {
        let mut rig = Rig::new();
        let (operator, reason) = (String::new(), String::new());
        let request = Request::Halt { scope, level: HaltLevel::Halted, operator, reason };
        let answer = rig.hears(request, false);
        assert_eq!(rig.keeper.halts().is_empty(), answer.is_some());
        answer.map(|answer| match answer {
            Answer::Refused(refusal) => refusal.code,
            other => format!("{other:?}"),
        })
    };
    assert_eq!(halt(Scope::Strategy(strategies)).as_deref(), Some("unknown_scope"));
    assert_eq!(halt(Scope::Client(desks)).as_deref(), Some("unknown_scope"));
    assert_eq!(halt(Scope::Strategy(strategies - 1)), None);
    assert_eq!(halt(Scope::Client(desks - 1)), None);
}

/// Goal: the rule of live mode. Method: every mode, own user, root, an engine that is root.
#[test]
fn own_user_does_not_resume_live() {
    for mode in [Mode::Paper, Mode::Replay] {
        assert!(may_resume(mode, 1000, 1000) && may_resume(mode, 0, 1000));
    }
    assert!(!may_resume(Mode::Live, 1000, 1000));
    assert!(may_resume(Mode::Live, 0, 1000));
    assert!(!may_resume(Mode::Live, 0, 0));
}

/// A desk over the shipped limits, and what it asks of the engine thread.
pub(super) struct Rig {
    pub desk: OperatorDesk,
    pub keeper: Keeper,
    pub outbox: Outbox,
    _folder: tempfile::TempDir,
}

impl Rig {
    pub fn new() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.operator.sock");
        let socket = OperatorSocket::bind(&path).unwrap();
        let mut operators = Operators::default();
        operators.set("ann", &passphrase()).unwrap();
        let file = folder.path().join(Operators::FILE);
        std::fs::write(&file, operators.to_text()).unwrap();
        Rig {
            desk: OperatorDesk::new(socket, file, None, in_force()),
            keeper: Keeper::new(folder.path().join("halts.json"), Vec::new(), Vec::new()),
            outbox: Outbox::default(),
            _folder: folder,
        }
    }

    fn asks(&mut self, reload: switch::Reload, stalled: bool) -> Option<Answer> {
        self.hears(Request::Reload(reload), stalled)
    }

    /// Somebody who asks, and waits.
    fn ask(&self, request: Request) -> JoinHandle<Option<Answer>> {
        let path = self._folder.path().join("x.operator.sock");
        std::thread::spawn(move || switch::ask(&path, &request, Duration::from_secs(60)).ok())
    }

    fn polls(&mut self, stalled: bool) {
        self.desk.poll(Instant::now(), 0, &mut self.keeper, &mut self.outbox, stalled);
        std::thread::sleep(Duration::from_millis(1));
    }

    /// Hears a request, and polls until it is answered or a control is on its way.
    pub fn hears(&mut self, request: Request, stalled: bool) -> Option<Answer> {
        let asker = self.ask(request);
        let waits = self.outbox.unsent.len();
        while !asker.is_finished() && self.outbox.unsent.len() == waits {
            self.polls(stalled);
        }
        // An asker whose control is on its way is left alone.
        (self.outbox.unsent.len() == waits).then(|| asker.join().unwrap().unwrap())
    }

    /// The same, and the code of a refusal.
    fn code(&mut self, reload: switch::Reload, stalled: bool) -> String {
        match self.asks(reload, stalled) {
            Some(Answer::Refused(refusal)) => refusal.code,
            other => format!("{other:?}"),
        }
    }

    /// The engine thread takes what is on its way, as input 7.
    fn acts(&mut self, outcome: Outcome) {
        assert!(self.outbox.limits.take().is_some());
        let (control, waiting) = self.outbox.unsent.pop_front().unwrap();
        assert!(matches!(control, Control::Limits { .. }));
        self.desk.acted(waiting.unwrap(), 7, outcome, Instant::now(), &mut self.keeper);
    }
}

pub(super) fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery".into())
}

fn reload(clip: &str) -> switch::Reload {
    let text = in_force().config.limits_text().replace("clip_max = \"100\"", clip);
    let (operator, reason) = (String::new(), String::new());
    switch::Reload { text, base: None, dry_run: false, operator, reason, passphrase: None }
}

/// Goal: only a named operator with the right passphrase and a reason loosens; tightening takes nobody; every refusal has its
/// code and changes nothing. Method: each way to fail, then the ways that pass.
#[test]
fn who_may_reload() {
    let mut rig = Rig::new();
    let (tight, wide) = ("clip_max = \"99\"", "clip_max = \"101\"");
    let by = |operator: &str, reason: &str, typed: &str| switch::Reload {
        operator: operator.into(),
        reason: reason.into(),
        passphrase: Some(Passphrase::new(typed.into())),
        ..reload(wide)
    };
    assert_eq!(rig.code(reload(wide), false), "loosens");
    assert_eq!(rig.code(by("ann", "", "correct horse battery"), false), "no_reason");
    assert_eq!(rig.code(by("", "r", "correct horse battery"), false), "bad_operator");
    assert_eq!(rig.code(by("ann", "r", "wrong"), false), "wrong_passphrase");
    assert_eq!(rig.code(by("eve", "r", "correct horse battery"), false), "wrong_passphrase");
    assert_eq!(rig.code(reload("clip_max = \"x\""), false), "bad_limits");
    assert_eq!(rig.code(reload("clip_max = \"99\"\nclip = 2"), false), "bad_limits");
    let long = switch::Reload { text: " ".repeat(LIMITS_MAX + 1), ..reload(tight) };
    assert_eq!(rig.code(long, false), "too_long");
    let other = switch::Reload { base: Some(2), ..reload(tight) };
    assert_eq!(rig.code(other, false), "changed_meanwhile");
    assert_eq!(rig.code(reload(tight), true), "stalled");
    let dry = switch::Reload { dry_run: true, ..reload(wide) };
    let Some(Answer::Limits(limits)) = rig.asks(dry, true) else { panic!() };
    assert_eq!((limits.version, limits.looser_count, limits.engine_seq), (2, 1, None));
    let Some(Answer::Limits(limits)) = rig.asks(reload("clip_max = \"100\""), false) else {
        panic!()
    };
    assert_eq!((limits.change_count, limits.engine_seq), (0, None), "word for word");
    assert!(rig.outbox.unsent.is_empty() && rig.desk.limits.version == 1);

    assert!(rig.asks(reload(tight), false).is_none());
    assert_eq!(rig.code(reload(tight), false), "busy", "one at a time");
    rig.acts(Some(Err(ResumeRefusal::JournalFull)));
    assert_eq!(rig.desk.limits.version, 1, "the engine thread refused");
    assert!(rig.asks(reload(tight), false).is_none());
    rig.acts(Some(Ok(())));
    assert_eq!(rig.desk.limits.version, 2);
    assert!(rig.asks(by("ann", "r", "correct horse battery"), false).is_none());
    rig.acts(Some(Ok(())));
    assert_eq!(rig.desk.limits.version, 3);
    assert!(rig.desk.limits.config.limits_text().contains(wide));
}

/// Goal: only a named operator with the right passphrase and a reason approves, exactly what is listed, and in live mode nobody
/// as the engine's own user. Method: each way to fail, then the way that passes, which the engine thread refuses once.
#[test]
fn who_may_approve() {
    let mut rig = Rig::new();
    let listed = |number: u32, qty: &str| switch::Approval {
        number,
        account: "agent".into(),
        symbol: "AAPL".into(),
        side: "buy".into(),
        order_type: "limit".into(),
        tif: "day".into(),
        conditions: Vec::new(),
        qty: qty.into(),
        px: "100".into(),
        replaces: None,
        beyond: vec!["soft_clip_max".into()],
        since_ns: 1,
        until_ns: None,
    };
    rig.desk.waiting.0.insert(0, listed(7, "60"));
    let by = |operator: &str, reason: &str, typed: &str| switch::Approve {
        approval: listed(7, "60"),
        seconds: 300,
        operator: operator.into(),
        reason: reason.into(),
        passphrase: Passphrase::new(typed.into()),
    };
    let right = || by("ann", "r", "correct horse battery");
    let code = |rig: &mut Rig, asks: switch::Approve, stalled| match rig
        .hears(Request::Approve(Box::new(asks)), stalled)
    {
        Some(Answer::Refused(refusal)) => refusal.code,
        other => format!("{other:?}"),
    };
    assert_eq!(code(&mut rig, by("ann", "", "correct horse battery"), false), "no_reason");
    assert_eq!(code(&mut rig, by("", "r", "correct horse battery"), false), "bad_operator");
    assert_eq!(code(&mut rig, by("ann", "r", "wrong"), false), "wrong_passphrase");
    for approval in [listed(8, "60"), listed(7, "61")] {
        let other = switch::Approve { approval, ..right() };
        assert_eq!(code(&mut rig, other, false), "not_waiting");
    }
    for seconds in [0, 86_401, u64::MAX] {
        let other = switch::Approve { seconds, ..right() };
        assert_eq!(code(&mut rig, other, false), "bad_time");
    }
    assert_eq!(code(&mut rig, right(), true), "stalled");
    rig.desk.mode = Mode::Live;
    assert_eq!(code(&mut rig, right(), false), "own_uid");
    rig.desk.mode = Mode::Paper;
    assert!(rig.outbox.unsent.is_empty());
    let Some(Answer::Approvals { list }) = rig.hears(Request::Approvals {}, false) else {
        panic!()
    };
    assert_eq!(list, [listed(7, "60")]);

    assert!(rig.hears(Request::Approve(Box::new(right())), false).is_none());
    let (control, waiting) = rig.outbox.unsent.pop_front().unwrap();
    let Control::Approve { number: 7, for_ns, operator, note } = control else { panic!() };
    assert_eq!((for_ns, operator.as_str(), note.as_str()), (300_000_000_000, "ann", "r"));
    let refused = Some(Err(ResumeRefusal::UnknownScope));
    rig.desk.acted(waiting.unwrap(), 7, refused, Instant::now(), &mut rig.keeper);
}

/// Goal: limits that the engine thread was never sent are forgotten, and others can come. Method: time passes.
#[test]
fn an_unsent_reload_is_forgotten() {
    let mut rig = Rig::new();
    assert!(rig.asks(reload("clip_max = \"99\""), false).is_none());
    let later = Instant::now() + PATIENCE;
    rig.desk.poll(later, 0, &mut rig.keeper, &mut rig.outbox, false);
    assert!(rig.outbox.unsent.is_empty() && rig.outbox.limits.is_none());
    assert!(rig.asks(reload("clip_max = \"99\""), false).is_none(), "not busy");
}

/// Goal: a resume lowers what its asker saw and no halt that came while the passphrase was checked, be it a person's or one that
/// the engine tells of; without one of the same scope and level it goes to the engine. Method: each, while a check is held up.
#[test]
fn a_resume_undoes_no_later_halt() {
    let halt = |level| Halt {
        scope: Scope::All,
        level,
        cause: HaltCause::Human,
        operator: "bob".into(),
        reason: "no".into(),
        since_ns: 1,
    };
    let nobody: fn(&mut Rig) = |_| ();
    let person: fn(&mut Rig) = |rig| {
        let (level, operator, reason) = (HaltLevel::CancelOnly, "bob".into(), "no".into());
        let request = Request::Halt { scope: Scope::All, level, operator, reason };
        assert!(matches!(rig.hears(request, false), Some(Answer::Done(_))));
    };
    let engine: fn(&mut Rig) = |rig| rig.desk.overtake(&Scope::All, HaltLevel::Halted);
    let another: fn(&mut Rig) = |rig| rig.desk.overtake(&Scope::Client(0), HaltLevel::Halted);
    let lowered: fn(&mut Rig) = |rig| rig.desk.overtake(&Scope::All, HaltLevel::ReduceOnly);
    let cases = [nobody, another, lowered].map(|case| (case, false));
    for (meanwhile, refused) in cases.into_iter().chain([person, engine].map(|case| (case, true))) {
        let mut rig = Rig::new();
        assert!(rig.keeper.tell(halt(HaltLevel::CancelOnly)));
        let (level, operator, reason) = (HaltLevel::Active, "ann".into(), "checked".into());
        let passphrase = passphrase();
        let request = Request::Resume { scope: Scope::All, level, operator, reason, passphrase };
        let asker = rig.ask(request);
        while rig.desk.check.is_none() {
            rig.polls(false);
        }
        let (let_go, held_up) = std::sync::mpsc::channel();
        let check = rig.desk.check.as_mut().unwrap();
        check.thread = std::thread::spawn(move || held_up.recv().is_ok());
        meanwhile(&mut rig);
        let_go.send(()).unwrap();
        while rig.desk.check.is_some() {
            rig.polls(false);
        }
        assert_eq!(rig.outbox.unsent.is_empty(), refused);
        if refused {
            let answer = asker.join().unwrap();
            let Some(Answer::Refused(refusal)) = answer else { panic!("{answer:?}") };
            assert_eq!(refusal.code, "halted_meanwhile");
        }
    }
}
