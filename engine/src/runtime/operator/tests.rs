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
        let act = if resumes { Act::Resumes } else { Act::Halts };
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
