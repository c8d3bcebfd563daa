use std::path::Path;

use model::{DeskId, InstrumentId};

use super::*;

fn keeper(path: &Path, file: Vec<Halt>) -> Keeper {
    let accounts = ["agent", "probe"].map(|name| Symbol::new(name).unwrap());
    Keeper::new(path.into(), accounts.into(), file)
}

fn halt(scope: Scope, level: HaltLevel, reason: &str) -> Halt {
    let (cause, operator) = (HaltCause::Human, "ann".into());
    Halt { scope, level, cause, operator, reason: reason.into(), since_ns: 5 }
}

fn changed(slot: u32, stopped: Stopped, level: HaltLevel, reason: &str) -> Changed {
    let operator = OperatorName::new("ann").unwrap();
    let why = Why { cause: HaltCause::Human, operator, note: Note::lossy(reason) };
    let symbol = Symbol::new("SYN001").ok();
    Changed { slot, stopped, symbol, latch: Latch { level, why } }
}

/// Goal: what an operator said stands in the file before the engine has it, keeps its whole reason and its time when the
/// engine says so, and goes when it is resumed. Method: tell, read the file, say, resume.
#[test]
fn told_then_said_then_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(latch_file::FILE);
    let mut keeper = keeper(&path, Vec::new());
    let reason = "a reason that is longer than thirty-two characters";
    let told = halt(Scope::Account("agent".into()), HaltLevel::Halted, reason);
    assert!(keeper.tell(told.clone()));
    assert!(!keeper.tell(told.clone()), "told already");
    assert!(!keeper.is_kept());
    keeper.keep();
    assert_eq!(latch_file::read(&path).unwrap(), std::slice::from_ref(&told));

    let stopped = Stopped::Scope(HaltScope::Account(AccountId(0)));
    keeper.say(&changed(7, stopped, HaltLevel::Halted, reason), 99);
    keeper.taken(&told.scope);
    keeper.keep();
    assert_eq!(latch_file::read(&path).unwrap(), [told]);

    keeper.say(&changed(7, stopped, HaltLevel::Active, ""), 100);
    keeper.keep();
    assert_eq!(latch_file::read(&path).unwrap(), []);
    assert!(keeper.is_kept());
}

/// Goal: each scope is told once with its highest level, and everything's level is the higher of what was said and told.
/// Method: two instruments of one symbol, the symbol itself, everything twice.
#[test]
fn highest_level_counts() {
    let mut keeper = keeper(Path::new("nowhere"), Vec::new());
    let instrument = |id| Stopped::Scope(HaltScope::Instrument(InstrumentId(id)));
    let symbol = Stopped::Symbol(Symbol::new("SYN001").unwrap());
    keeper.say(&changed(900, instrument(0), HaltLevel::ReduceOnly, "a"), 1);
    keeper.say(&changed(901, instrument(1), HaltLevel::Halted, "b"), 2);
    keeper.say(&changed(600, symbol, HaltLevel::CancelOnly, "c"), 3);
    let halts = keeper.halts();
    assert_eq!(halts.len(), 1, "{halts:?}");
    assert_eq!((halts[0].level, halts[0].since_ns), (HaltLevel::Halted, 2));

    assert_eq!(keeper.firm(), None);
    keeper.say(&changed(0, Stopped::Scope(HaltScope::All), HaltLevel::ReduceOnly, "d"), 4);
    assert_eq!(keeper.firm(), Some((HaltLevel::ReduceOnly, HaltCause::Human)));
    assert!(
        keeper
            .tell(Halt { cause: HaltCause::Heartbeat, ..halt(Scope::All, HaltLevel::Halted, "e") })
    );
    assert_eq!(keeper.firm(), Some((HaltLevel::Halted, HaltCause::Heartbeat)));
}

/// Goal: a file that cannot be written is said not to be, and written as soon as it can be. Method: a folder that comes
/// late.
#[test]
fn writing_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late").join(latch_file::FILE);
    let mut keeper = keeper(&path, Vec::new());
    keeper.tell(halt(Scope::Client(3), HaltLevel::Halted, "x"));
    keeper.keep();
    assert!(!keeper.is_kept());
    std::fs::create_dir(folder.path().join("late")).unwrap();
    keeper.keep();
    assert!(keeper.is_kept() && latch_file::read(&path).unwrap().len() == 1);
}

/// Goal: a halt of an account that is no longer configured stays in the file; every other one is the engine's to say.
/// Method: a file with both, an engine that says nothing.
#[test]
fn unknown_accounts_are_kept() {
    let file = vec![
        halt(Scope::Account("gone".into()), HaltLevel::Halted, "x"),
        halt(Scope::Strategy(1), HaltLevel::Halted, "y"),
    ];
    let mut keeper = keeper(Path::new("nowhere"), file.clone());
    assert_eq!(keeper.halts().len(), 2);
    keeper.settle(Some(&file));
    assert_eq!(keeper.halts(), file[..1]);
    assert!(!keeper.is_kept(), "the file says more");
    assert_eq!(keeper.scope(&Scope::Account("gone".into())), None);
    assert_eq!(keeper.scope(&Scope::Client(4)), Some(HaltScope::Desk(DeskId(4))));
}
