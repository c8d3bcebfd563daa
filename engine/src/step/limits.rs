//! Other limits for an engine that runs: read and compared elsewhere, taken in one step.
//!
//! Flow: a text → [`prepare`] (any thread but the engine's: it parses, compares and allocates) → [`Engine::offer`] →
//! [`Control::Limits`], whose digest says which offer it means → the step swaps tables, and judges the next order by the new
//! ones → [`Engine::take_spent`], so that the old ones are dropped elsewhere. A replay does the same with the text that the
//! journal holds before the control.

use model::{Control, Note, OperatorName};
use risk::{AccountLimits, NewLimits};

use super::{Engine, StartError};
use crate::config::{Config, ConfigErrors};
use crate::output::Output;
use crate::rules::changes::{Change, changes};
use crate::rules::{Index, Lookup, Rules};

/// Scales of price and quantity that the rows of limits are read in: there is one for each way in which a venue counts.
const SCALES_MAX: u32 = 32;

/// Limits ready to be taken. Once taken it holds those that they replaced.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct NewRules {
    version: u32,
    digest: [u64; 2],
    config_digest: u64,
    rules: Rules,
    tables: NewLimits,
    lookup: Lookup,
    texts: LimitsTexts,
    /// The file's bytes, for the journal; empty once it has them.
    pub text: Vec<u8>,
}

/// Limits that were put in force, and those before them, as they were written. Both empty: those that the journal begins
/// with. What an engine has room for follows from the two: see [`prepare`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LimitsTexts {
    pub before: String,
    /// The text of the limits in force.
    pub in_force: String,
}

/// What becomes of a text of limits.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration with them.
    pub config: Config,
    /// In what they differ from those in force.
    pub changes: Vec<Change>,
    /// For the engine.
    pub rules: Box<NewRules>,
}

/// Why limits are not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// It changes what stays as long as the journal does.
    #[error(
        "what an account is, and which there are, stays as long as the journal does; begin a new journal for:\n{}",
        .0.join("\n")
    )]
    Fixed(Vec<String>),
    /// A sum is out of range.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An account cannot take them.
    #[error("the limits cannot be taken: {0}")]
    Limits(#[from] risk::LimitError),
}

/// Reads a limits.toml for an engine whose configuration in force is `config`, and whose limits are the `version`-th.
///
/// # Errors
///
/// [`NotTaken`]; nothing is changed.
pub fn prepare(config: &Config, version: u32, text: &str) -> Result<Prepared, NotTaken> {
    let next = config.with_limits(text)?;
    let changes = changes(&config.rules, &next.rules).map_err(NotTaken::Fixed)?;
    let (old, new) = (of_accounts(&config.rules)?, of_accounts(&next.rules)?);
    // Rows that block, with fee and margin of each that there was: for what works and is held in a pair whose row is gone.
    let rows = rows_of(&next.rules).saturating_add(rows_of(&config.rules));
    let rules = NewRules {
        version: version.saturating_add(1),
        digest: digest(text.as_bytes()),
        config_digest: next.digest(),
        tables: NewLimits::new(&old, &new, rows)?,
        lookup: Lookup::new(&next.rules),
        rules: next.rules.clone(),
        texts: LimitsTexts { before: config.limits_text().to_owned(), in_force: text.to_owned() },
        text: text.as_bytes().to_vec(),
    };
    Ok(Prepared { config: next, changes, rules: Box::new(rules) })
}

/// First 128 bits of the BLAKE3 of a text.
pub fn digest(text: &[u8]) -> [u64; 2] {
    let hash = blake3::hash(text);
    let (words, _) = hash.as_bytes().as_chunks::<8>();
    std::array::from_fn(|place| words.get(place).map_or(0, |word| u64::from_le_bytes(*word)))
}

/// The limits of each account as the gate takes them.
pub(super) fn of_accounts(rules: &Rules) -> Result<Vec<AccountLimits>, StartError> {
    let of = |account: &crate::rules::AccountRule| {
        let limits = account.limits(|name| rules.account(name));
        limits.ok_or(StartError::Money(account.name))
    };
    rules.accounts.iter().map(of).collect()
}

/// Rows that the pairs of these rules can have.
pub(super) fn rows_of(rules: &Rules) -> u32 {
    rules.limits.len() as u32 * SCALES_MAX
}

impl NewRules {
    /// Their version within the journal.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The control that puts them in force.
    pub fn control(&self, operator: OperatorName, note: Note) -> Control {
        Control::Limits { version: self.version, digest: self.digest, operator, note }
    }

    /// Whether a control means these.
    pub fn is_meant(&self, control: &Control) -> bool {
        let Control::Limits { version, digest, .. } = *control else { return false };
        (version, digest) == (self.version, self.digest)
    }
}

impl Engine {
    /// An engine without an input that has taken these limits, and its configuration: every table is as large as in one that
    /// took others before them, and has none that depends on which those were.
    pub(crate) fn relimited(
        config: &Config,
        limits: &LimitsTexts,
    ) -> Result<(Engine, Config), NotTaken> {
        let (mut engine, mut config) = (Engine::new(config)?, config.clone());
        for text in [&limits.before, &limits.in_force] {
            let prepared = prepare(&config, engine.limits_version, text)?;
            let NewRules { version, digest, .. } = *prepared.rules;
            engine.offer(prepared.rules);
            let mut out = engine.output();
            engine.relimit(version, digest, &mut out);
            engine.take_spent();
            config = prepared.config;
        }
        Ok((engine, config))
    }

    /// Lays limits ready for the next control, which must mean them.
    pub fn offer(&mut self, rules: Box<NewRules>) {
        self.offered = Some(rules);
    }

    /// What the last control left of its offer.
    pub fn take_spent(&mut self) -> Option<Box<NewRules>> {
        self.offered.take()
    }

    /// Works out again what no snapshot holds.
    pub(crate) fn restored(mut self, limits: LimitsTexts) -> Engine {
        (self.rule_index, self.limits) = (Index::new(&self.rules), limits);
        self
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Version of the limits in force within the journal; 1 are those that it begins with.
    pub fn limits_version(&self) -> u32 {
        self.limits_version
    }

    /// Digest of the configuration in force.
    pub fn config_digest(&self) -> u64 {
        self.config_digest
    }

    /// Puts the offered limits in force. Cancels nothing. An offer that is not meant, or was made for other accounts, is none.
    #[cold]
    pub(super) fn relimit(&mut self, version: u32, digest: [u64; 2], out: &mut Output) {
        let Engine {
            risk, rules, rule_index, limits, instruments, offered, limits_version, ..
        } = self;
        let follows = version == limits_version.saturating_add(1);
        let meant = |new: &&mut NewRules| (new.version, new.digest) == (version, digest);
        let Some(new) = offered.as_deref_mut().filter(meant).filter(|_| follows) else {
            return self.hash.fold(0);
        };
        let NewRules { rules: next, tables, lookup, texts, .. } = new;
        let taken = risk.relimit(tables, self.now, |rows, account, instrument| {
            let listed = instruments.get(instrument.0)?;
            lookup.row(next, account, &listed.instrument, rows)
        });
        if taken.is_err() {
            return self.hash.fold(0);
        }
        std::mem::swap(rules, next);
        std::mem::swap(rule_index, &mut lookup.index);
        std::mem::swap(limits, texts);
        *limits_version = version;
        self.config_digest = new.config_digest;
        self.hash.fold(1);
        for slot in 0..self.orders.used() {
            let open = self.orders.at(slot).filter(|record| record.state.is_open());
            let Some(id) = open.map(|record| record.order.id) else { continue };
            let Some(record) = self.orders.get_mut(id) else { continue };
            let account = record.order.account;
            if self.risk.reprice(&mut record.reservation).is_err() {
                self.trip_broken(account, out); // What does not fit halted its account.
            }
        }
    }
}

#[cfg(test)]
mod tests;
