//! What a resume takes, in the core alone.

use engine::config::Config;
use engine::output::Output;
use engine::step::Engine;
use model::{
    AccountId, Body, Control, DeskId, Event, HaltCause, HaltLevel, HaltScope, Input, InstrumentId,
    Kind, Note, OperatorName, ResumeRefusal, Symbol, Why,
};
use tests::Stage;

/// An engine that has heard part of a day.
struct Core {
    engine: Engine,
    out: Output,
    events: Vec<Event>,
    heard: usize,
}

impl Core {
    fn new(events: usize) -> Core {
        let stage = Stage::new(20_000, 5);
        let mut core = Core::of(&stage.config("core"), stage.events());
        core.hear(events);
        core
    }

    fn of(config: &Config, events: Vec<Event>) -> Core {
        let engine = Engine::new(config).unwrap();
        let out = engine.output();
        Core { engine, out, events, heard: 0 }
    }

    fn hear(&mut self, count: usize) {
        for _ in 0..count {
            let event = self.events[self.heard];
            self.heard += 1;
            self.step(Body::Event(event));
        }
    }

    fn step(&mut self, body: Body) {
        let now = match body {
            Body::Event(event) => event.ts_recv,
            _ => self.engine.now(),
        };
        let input = Input { seq: self.engine.seq() + 1, now, body };
        self.engine.step(&input, &mut self.out, &mut ());
        self.out.forget();
    }

    fn halts(&mut self, scope: HaltScope, level: HaltLevel) {
        let why = Why::of(HaltCause::Loss);
        self.step(Body::Control(Control::Halt { scope, level, why }));
    }

    fn halts_symbol(&mut self, symbol: Symbol, level: HaltLevel) {
        let why = Why::of(HaltCause::Human);
        self.step(Body::Control(Control::HaltSymbol { symbol, level, why }));
    }

    fn resumes(&mut self, scope: HaltScope, level: HaltLevel) -> Result<(), ResumeRefusal> {
        let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("checked"));
        self.step(Body::Control(Control::Resume { scope, level, operator, note }));
        self.out.resumed.take().unwrap()
    }

    fn resumes_symbol(&mut self, symbol: Symbol, level: HaltLevel) -> Result<(), ResumeRefusal> {
        let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("checked"));
        self.step(Body::Control(Control::ResumeSymbol { symbol, level, operator, note }));
        self.out.resumed.take().unwrap()
    }

    fn level(&self, scope: HaltScope) -> HaltLevel {
        self.engine.risk().halt(scope).unwrap()
    }
}

/// Goal: each precondition refuses by its own name, and what was refused changed nothing. Method: one core, every way to
/// fail, then the way that passes.
#[test]
fn every_precondition_refuses() {
    let mut core = Core::new(5_000);
    let all = HaltScope::All;
    assert_eq!(core.resumes(all, HaltLevel::Active), Err(ResumeRefusal::NotLower));
    let nobody = HaltScope::Account(model::AccountId(99));
    assert_eq!(core.resumes(nobody, HaltLevel::Active), Err(ResumeRefusal::UnknownScope));
    core.halts(all, HaltLevel::CancelOnly);
    core.halts(all, HaltLevel::ReduceOnly);
    assert_eq!(core.level(all), HaltLevel::CancelOnly, "a halt never lowers");
    assert_eq!(core.resumes(all, HaltLevel::CancelOnly), Err(ResumeRefusal::NotLower));
    assert_eq!(core.resumes(all, HaltLevel::Halted), Err(ResumeRefusal::NotLower));
    core.step(Body::Control(Control::JournalFull(true)));
    assert_eq!(core.resumes(all, HaltLevel::Active), Err(ResumeRefusal::JournalFull));
    core.step(Body::Control(Control::JournalFull(false)));
    assert_eq!(core.level(all), HaltLevel::CancelOnly);
    assert_eq!(core.resumes(all, HaltLevel::ReduceOnly), Ok(()));
    assert_eq!(core.resumes(all, HaltLevel::Active), Ok(()));
    assert_eq!(core.level(all), HaltLevel::Active);
    for scope in [HaltScope::Strategy(0), HaltScope::Desk(DeskId(15))] {
        core.halts(scope, HaltLevel::Halted);
        assert_eq!(core.level(scope), HaltLevel::Halted);
        assert_eq!(core.resumes(scope, HaltLevel::Active), Ok(()));
    }
    assert_eq!(core.engine.latches().in_force().count(), 0);
}

/// Goal: while it is not known where orders stand at the venue, halts are lowered no further than to where nothing new passes.
/// Method: a session that is gone; one that is back and reconciled.
#[test]
fn a_venue_that_is_gone_is_not_resumed_to() {
    let mut core = Core::of(&tests::outside("core", 1_000, 1_000_000_000), Vec::new());
    let all = HaltScope::All;
    core.step(Body::Control(Control::VenueSession(false)));
    core.halts(all, HaltLevel::Halted);
    for level in [HaltLevel::Active, HaltLevel::ReduceOnly] {
        assert_eq!(core.resumes(all, level), Err(ResumeRefusal::Reconciling));
    }
    assert_eq!(core.resumes(all, HaltLevel::CancelOnly), Ok(()));
    core.step(Body::Control(Control::VenueSession(true)));
    assert_eq!(core.resumes(all, HaltLevel::Active), Err(ResumeRefusal::Reconciling));
    core.step(Body::Control(Control::ReconcileBegin));
    core.step(Body::Control(Control::ReconcileEnd { round: 1, orders: 0 }));
    assert_eq!(core.resumes(all, HaltLevel::Active), Ok(()));
}

/// Goal: pages of instruments and accounts say what is halted and why, and a resume is seen there. Method: halts of a symbol, of
/// the account above and of everything, one after the other.
#[test]
fn pages_say_what_is_halted_and_why() {
    let (stage, child) = (Stage::new(20_000, 5), "name = \"probe\"\nparent = \"agent\"");
    let limits = tests::WIDE_LIMITS.replace("name = \"probe\"", child);
    let mut core = Core::of(&stage.config_with("core", &limits), stage.events());
    core.hear(5_000);
    let instrument = HaltScope::Instrument(InstrumentId(0));
    let board = |core: &Core| core.engine.board(0).map(|page| (page.halt, page.halt_cause));
    let account = |core: &Core| {
        let page = core.engine.account_page(AccountId(1)).unwrap();
        (page.halt, page.halt_cause)
    };
    let active = (HaltLevel::Active, None);
    assert_eq!((board(&core), account(&core)), (Some(active), active));
    let symbol = core.engine.instruments().get(0).unwrap().instrument.symbol;
    let (level, why) = (HaltLevel::ReduceOnly, Why::of(HaltCause::Human));
    let body = Body::Control(Control::HaltSymbol { symbol, level, why });
    let input = Input { seq: core.engine.seq() + 1, now: core.engine.now(), body };
    core.engine.step(&input, &mut core.out, &mut ());
    assert_eq!(core.out.boards.pop(), Some(0), "its page is written");
    assert_eq!(board(&core), Some((HaltLevel::ReduceOnly, Some(HaltCause::Human))));
    core.halts(HaltScope::Account(AccountId(0)), HaltLevel::CancelOnly);
    let lost = (HaltLevel::CancelOnly, Some(HaltCause::Loss));
    assert_eq!(account(&core), lost);
    let why = Why::of(HaltCause::Clock);
    let (scope, level) = (HaltScope::All, HaltLevel::Halted);
    core.step(Body::Control(Control::Halt { scope, level, why }));
    assert_eq!(account(&core), (HaltLevel::Halted, Some(HaltCause::Clock)));
    assert_eq!(core.resumes(HaltScope::All, HaltLevel::Active), Ok(()));
    assert_eq!(account(&core), lost);
    assert_eq!(core.resumes(instrument, HaltLevel::Active), Ok(()));
    assert_eq!(board(&core), Some(active));
}

/// Goal: a symbol whose book has a hole is resumed to closing alone; everything else may be resumed. Method: lose an event,
/// resume in steps.
#[test]
fn a_book_with_a_hole_is_not_resumed() {
    let mut core = Core::new(5_000);
    let symbol = core.engine.instruments().get(0).unwrap().instrument.symbol;
    let instrument = HaltScope::Instrument(InstrumentId(0));
    core.halts_symbol(symbol, HaltLevel::Halted);
    core.halts(HaltScope::All, HaltLevel::Halted);
    core.heard += 1; // Lost.
    core.hear(10);
    assert_eq!(core.resumes(HaltScope::All, HaltLevel::Active), Ok(()));
    assert_eq!(core.resumes_symbol(symbol, HaltLevel::Active), Err(ResumeRefusal::BookNotLive));
    assert_eq!(core.resumes(instrument, HaltLevel::Active), Err(ResumeRefusal::BookNotLive));
    assert_eq!(core.level(instrument), HaltLevel::Halted);
    assert_eq!(core.resumes_symbol(symbol, HaltLevel::ReduceOnly), Ok(()));
    assert_eq!(core.level(instrument), HaltLevel::ReduceOnly);
}

/// Goal: a symbol that was halted before the venue listed it is halted when it is listed, and not after a resume; one that
/// nobody knows is not resumed. Method: halts before the first event of a day.
#[test]
fn symbols_are_halted_before_they_are_listed() {
    let mut core = Core::new(0);
    let symbols: Vec<Symbol> = {
        let events = core.events.iter().filter(|event| event.kind == Kind::Directory);
        events.filter_map(|event| event.listing()).map(|(symbol, ..)| symbol).take(2).collect()
    };
    let [first, second] = symbols[..] else { panic!("{symbols:?}") };
    assert_eq!(core.resumes_symbol(first, HaltLevel::Active), Err(ResumeRefusal::UnknownScope));
    core.halts_symbol(first, HaltLevel::Halted);
    core.halts_symbol(second, HaltLevel::Halted);
    assert_eq!(core.resumes_symbol(second, HaltLevel::Active), Ok(()));
    core.hear(5_000);
    let number = |symbol| {
        let listed = core.engine.instruments().iter();
        listed.map(|l| l.instrument).find(|i| i.symbol == symbol).unwrap().id
    };
    assert_eq!(core.level(HaltScope::Instrument(number(first))), HaltLevel::Halted);
    assert_eq!(core.level(HaltScope::Instrument(number(second))), HaltLevel::Active);
}
