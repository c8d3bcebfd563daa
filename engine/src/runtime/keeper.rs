//! Keeps the latch file: everything that is halted, as the engine says, and what it was told and has not said yet.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::{AccountId, Control, HaltCause, HaltLevel, HaltScope, Note, OperatorName, Symbol, Why};
use switch::{Halt, Scope, latch_file};

use super::desks::DESKS;
use crate::config::Config;
use crate::latches::{Latch, Stopped};
use crate::step::Engine;

/// A latch of the engine that changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub slot: u32,
    pub stopped: Stopped,
    /// Of an instrument.
    pub symbol: Option<Symbol>,
    pub latch: Latch,
}

impl Changed {
    /// What the engine says of a slot.
    pub fn of(engine: &Engine, slot: u32) -> Option<Changed> {
        let (stopped, latch) = engine.latches().at(slot)?;
        let symbol = match stopped {
            Stopped::Scope(HaltScope::Instrument(id)) => {
                engine.instruments().get(id.0).map(|listed| listed.instrument.symbol)
            }
            _ => None,
        };
        Some(Changed { slot, stopped, symbol, latch })
    }
}

/// Where an engine keeps what is halted: beside its journal, or where its sockets are if it has none.
pub fn latch_path(config: &Config) -> PathBuf {
    match &config.engine.journal {
        Some(journal) => journal.folder.join(latch_file::FILE),
        None => {
            let file = format!("{}.{}", config.engine.name, latch_file::FILE);
            shm::Folder::standard().path().join(file)
        }
    }
}

/// Whether an engine of this configuration can have what a scope names: else a halt of it is somebody's mistake. A symbol may be
/// listed yet.
pub fn can_have(config: &Config, scope: &Scope) -> bool {
    match scope {
        Scope::All | Scope::Symbol(_) => true,
        Scope::Account(name) => config.rules.accounts.iter().any(|a| a.name.as_str() == name),
        Scope::Strategy(place) => usize::from(*place) < config.engine.strategies.len(),
        Scope::Client(desk) => u32::from(*desk) < DESKS,
    }
}

/// The latch file and what belongs in it.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    accounts: Vec<Symbol>,
    /// By the engine's slot.
    said: BTreeMap<u32, Halt>,
    /// What the engine was told and has not said yet; also what the file says of accounts that are no more.
    told: BTreeMap<Scope, Halt>,
    /// Whether the file says the same.
    kept: bool,
    /// Whether the log says that it does not.
    warned: bool,
}

impl Keeper {
    /// Begins with what the file held.
    pub fn new(path: PathBuf, accounts: Vec<Symbol>, file: Vec<Halt>) -> Keeper {
        let mut keeper = Keeper {
            path,
            accounts,
            said: BTreeMap::new(),
            told: BTreeMap::new(),
            kept: true,
            warned: false,
        };
        file.into_iter().for_each(|halt| keeper.put(halt));
        keeper
    }

    /// The control that makes a halt of the file hold in the engine; `None`: it does already, or there is no such account.
    pub fn control(&self, halt: &Halt, engine: &Engine) -> Option<Control> {
        let why = Why {
            cause: halt.cause,
            operator: OperatorName::new(&halt.operator).unwrap_or_default(),
            note: Note::lossy(&halt.reason),
        };
        let level = halt.level;
        let Some(scope) = self.scope(&halt.scope) else {
            let Scope::Symbol(name) = &halt.scope else { return None };
            let symbol = Symbol::new(name).ok()?;
            let stands = engine.latches().of_symbol(symbol).level >= level;
            return (!stands).then_some(Control::HaltSymbol { symbol, level, why });
        };
        let stands = engine.risk().halt(scope).is_none_or(|standing| standing >= level);
        (!stands).then_some(Control::Halt { scope, level, why })
    }

    /// The core's scope of a name; `None` for a symbol, and for an account that does not exist.
    pub fn scope(&self, scope: &Scope) -> Option<HaltScope> {
        match scope {
            Scope::All => Some(HaltScope::All),
            Scope::Account(name) => {
                let place = self.accounts.iter().position(|account| account.as_str() == name)?;
                Some(HaltScope::Account(AccountId(place as u16)))
            }
            Scope::Symbol(_) => None,
            Scope::Strategy(place) => Some(HaltScope::Strategy(*place)),
            Scope::Client(desk) => Some(HaltScope::Desk(model::DeskId(*desk))),
        }
    }

    /// Notes a halt before the engine has it. `false`: it was told so already.
    pub fn tell(&mut self, halt: Halt) -> bool {
        let standing = self.told.get(&halt.scope).map(|told| told.level);
        let is_new = standing.is_none_or(|standing| standing < halt.level);
        if is_new {
            self.put(halt);
            self.kept = false;
        }
        is_new
    }

    /// The engine has taken what it was told of a scope, and has said what became of it.
    pub fn taken(&mut self, scope: &Scope) {
        self.kept &= self.told.remove(scope).is_none();
    }

    /// Forgets what it was told, but of accounts that are no more: what the engine says is all there is. `file` is what
    /// the file says now; `None`: nothing that can be read.
    pub fn settle(&mut self, file: Option<&[Halt]>) {
        let accounts = &self.accounts;
        self.told.retain(|scope, _| {
            matches!(scope, Scope::Account(name) if !accounts.iter().any(|a| a.as_str() == name))
        });
        self.kept = file.is_some_and(|file| self.halts() == file);
    }

    /// Notes what the engine says, at `now_ns` of the wall clock.
    pub fn say(&mut self, changed: &Changed, now_ns: u64) {
        self.kept = false;
        let Changed { slot, stopped, symbol, latch } = *changed;
        if latch.level == HaltLevel::Active {
            self.said.remove(&slot);
            return;
        }
        let scope = self.name(stopped, symbol);
        let Why { cause, operator, note } = latch.why;
        // What was known of it longer than the engine can say: since when, and the whole reason.
        let same = |halt: &&Halt| {
            halt.level == latch.level
                && halt.cause == cause
                && halt.operator == operator.as_str()
                && Note::lossy(&halt.reason) == note
        };
        let known = self.told.get(&scope).filter(same);
        let known = known.or_else(|| self.said.get(&slot).filter(same));
        let halt = known.cloned().unwrap_or_else(|| Halt {
            scope,
            level: latch.level,
            cause,
            operator: operator.as_str().to_owned(),
            reason: note.as_str().to_owned(),
            since_ns: now_ns,
        });
        self.said.insert(slot, halt);
    }

    /// Everything that is halted, each scope once.
    pub fn halts(&self) -> Vec<Halt> {
        let mut halts: BTreeMap<&Scope, &Halt> = BTreeMap::new();
        for halt in self.said.values().chain(self.told.values()) {
            let place = halts.entry(&halt.scope).or_insert(halt);
            if halt.level > place.level {
                *place = halt;
            }
        }
        halts.into_values().cloned().collect()
    }

    /// The level of a scope, as the engine says or was told.
    pub fn level(&self, scope: &Scope) -> HaltLevel {
        let all = self.said.values().chain(self.told.values());
        let of_scope = all.filter(|halt| halt.scope == *scope).map(|halt| halt.level);
        of_scope.max().unwrap_or(HaltLevel::Active)
    }

    /// The halt of everything.
    pub fn firm(&self) -> Option<(HaltLevel, HaltCause)> {
        let said = self.said.values().find(|halt| halt.scope == Scope::All);
        let all = said.into_iter().chain(self.told.get(&Scope::All));
        all.max_by_key(|halt| halt.level).map(|halt| (halt.level, halt.cause))
    }

    /// Writes the file if it does not say the same. What cannot be written is tried again at the next call.
    pub fn keep(&mut self) {
        if self.kept {
            return;
        }
        match latch_file::write(&self.path, &self.halts()) {
            Ok(()) => (self.kept, self.warned) = (true, false),
            Err(_) if self.warned => {}
            Err(error) => {
                tracing::error!("what is halted cannot be kept; tried again until it can: {error}");
                self.warned = true;
            }
        }
    }

    /// Whether the file says the same.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// Where the file is.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    fn put(&mut self, halt: Halt) {
        self.told.insert(halt.scope.clone(), halt);
    }

    /// What a latch is of, by its names.
    pub fn scope_of(&self, changed: &Changed) -> Scope {
        self.name(changed.stopped, changed.symbol)
    }

    fn name(&self, stopped: Stopped, symbol: Option<Symbol>) -> Scope {
        let text = |symbol: Option<Symbol>| symbol.unwrap_or_default().as_str().to_owned();
        match stopped {
            Stopped::Symbol(symbol) => Scope::Symbol(text(Some(symbol))),
            Stopped::Scope(HaltScope::All) => Scope::All,
            Stopped::Scope(HaltScope::Account(id)) => {
                Scope::Account(text(self.accounts.get(usize::from(id.0)).copied()))
            }
            Stopped::Scope(HaltScope::Instrument(_)) => Scope::Symbol(text(symbol)),
            Stopped::Scope(HaltScope::Strategy(place)) => Scope::Strategy(place),
            Stopped::Scope(HaltScope::Desk(desk)) => Scope::Client(desk.0),
        }
    }
}

#[cfg(test)]
mod tests;
