//! Other limits, on the operator's word: read, compared and allocated for on a thread of its own, and then a control.
//!
//! The text comes over the operator socket, not a path: what was looked at is what is taken, and whoever asks needs no file that
//! the engine can read.

use std::thread::JoinHandle;
use std::time::Instant;

use model::{Note, OperatorName};
use switch::{Answer, LIMITS_MAX, Limits, LimitsChange, Passphrase, Reload, Ticket, clean_reason};

use super::{Act, OperatorDesk, Outbox, Outcome, Waiting, stands_still};
use crate::config::Config;
use crate::rules::changes::{Change, Effect};
use crate::step::{NotTaken, Prepared, prepare};
use switch::{Operators, Scope};

/// The one reload that is under way.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    reading: Option<Reading>,
    /// Read, and not in force yet.
    on_its_way: bool,
}

impl Reloads {
    pub fn is_busy(&self) -> bool {
        self.reading.is_some() || self.on_its_way
    }

    /// The engine took it, or will not get it.
    pub fn end(&mut self) {
        self.on_its_way = false;
    }
}

/// Limits that are being read, and a passphrase that is being checked.
#[derive(Debug)]
struct Reading {
    thread: JoinHandle<Read>,
    ticket: Ticket,
    name: OperatorName,
    reason: String,
    dry_run: bool,
}

/// What became of a text; whether the passphrase was right, if there was one to be checked.
#[derive(Debug)]
struct Read {
    outcome: Result<Prepared, Answer>,
    right: Option<bool>,
}

/// Limits on their way to the engine thread.
#[derive(Debug)]
pub(super) struct Reloading {
    config: Config,
    version: u32,
    changes: Vec<Change>,
    name: OperatorName,
    reason: String,
}

impl OperatorDesk {
    /// Who may reload, in the order of cost; then a thread reads the text.
    pub(super) fn reload(
        &mut self,
        ticket: Ticket,
        uid: u32,
        asks: Reload,
        now: Instant,
        stalled: bool,
    ) -> Result<(), Answer> {
        let Reload { text, base, dry_run, operator, reason, passphrase } = asks;
        if text.len() > LIMITS_MAX {
            let message = format!("limits.toml has at most {LIMITS_MAX} bytes");
            return Err(Answer::refused("too_long", message));
        }
        let reason = clean_reason(&reason);
        let version = self.limits.version;
        if base.is_some_and(|base| base != version) {
            let message = format!("limits {version} are in force by now; look at them again");
            return Err(Answer::refused("changed_meanwhile", message));
        }
        if stalled && !dry_run {
            return Err(stands_still());
        }
        let mut name = OperatorName::new(&operator).unwrap_or_default();
        let mut credentials = None;
        if let Some(passphrase) = passphrase.filter(|_| !dry_run) {
            name = self.person(uid, &operator, &reason)?;
            credentials = Some((self.may_check(now)?, operator, passphrase));
        }
        if self.reloads.is_busy() {
            return Err(Answer::refused("busy", "other limits are being read"));
        }
        let config = self.limits.config.clone();
        let read = move || read(&config, version, &text, dry_run, credentials);
        let thread = std::thread::Builder::new().name("reload".into()).spawn(read);
        let thread =
            thread.map_err(|_| Answer::refused("busy", "no thread to read the limits on"))?;
        self.reloads.reading = Some(Reading { thread, ticket, name, reason, dry_run });
        Ok(())
    }

    /// Takes what the thread has read.
    pub(super) fn end_reload(&mut self, now: Instant, outbox: &mut Outbox, stalled: bool) {
        let is_read = |reading: &mut Reading| reading.thread.is_finished();
        let Some(reading) = self.reloads.reading.take_if(is_read) else { return };
        let Reading { thread, ticket, name, reason, dry_run } = reading;
        let failed = || Answer::refused("failed", "the thread that read the limits failed");
        let read = thread.join().unwrap_or_else(|_| Read { outcome: Err(failed()), right: None });
        if let Some(right) = read.right {
            self.attempts.note(right, now.saturating_duration_since(self.begun));
        }
        let answer = match read.outcome {
            Err(refusal) => {
                if let Answer::Refused(refusal) = &refusal {
                    tracing::warn!("reload refused: {}: {}", refusal.code, refusal.message);
                }
                refusal
            }
            Ok(_) if stalled && !dry_run => stands_still(),
            Ok(Prepared { config, changes, rules }) => {
                let (version, control) =
                    (rules.version(), rules.control(name, Note::lossy(&reason)));
                let reloading = Reloading { config, version, changes, name, reason };
                if dry_run || reloading.changes_nothing(&self.limits.config) {
                    self.socket.answer(ticket, &reloading.answer(None, false), now);
                    return;
                }
                let (scope, act) = (Scope::All, Act::Reloads(Box::new(reloading)));
                let waiting = Waiting { ticket: Some(ticket), since: now, scope, act };
                self.reloads.on_its_way = true;
                outbox.limits = Some(rules);
                outbox.unsent.push_back((control, Some(waiting)));
                return;
            }
        };
        self.socket.answer(ticket, &answer, now);
    }

    /// The engine thread took limits, or refused them.
    pub(super) fn reloaded(&mut self, reloading: &Reloading, outcome: Outcome) {
        self.reloads.end();
        let Reloading { config, version, changes, name, reason } = reloading;
        if let Some(Err(refusal)) = outcome {
            tracing::warn!("limits {version} refused: {refusal}");
            return;
        }
        (self.limits.config, self.limits.version) = (config.clone(), *version);
        tracing::warn!("limits {version} in force, operator {:?}: {reason}", name.as_str());
        changes.iter().for_each(|change| tracing::warn!("limits {version}: {change}"));
    }
}

impl Reloading {
    /// Whether the text says what is in force, word for word.
    fn changes_nothing(&self, in_force: &Config) -> bool {
        self.config.limits_text() == in_force.limits_text()
    }

    /// What is told of it; `engine_seq` is the input that did it.
    pub fn answer(&self, engine_seq: Option<u64>, recorded: bool) -> Answer {
        let change = |change: &Change| LimitsChange {
            what: change.what.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            effect: change.effect.name().to_owned(),
        };
        let looser = self.changes.iter().filter(|change| change.effect == Effect::Looser).count();
        // What needs an operator is listed first: it must not be what is cut off.
        let mut listed: Vec<&Change> = self.changes.iter().collect();
        listed.sort_by_key(|change| change.effect != Effect::Looser);
        let listed = listed.into_iter().take(Limits::CHANGES_MAX).map(change).collect();
        Answer::Limits(Box::new(Limits {
            version: self.version,
            config_digest: format!("{:016x}", self.config.digest()),
            changes: listed,
            change_count: self.changes.len() as u64,
            looser_count: looser as u64,
            engine_seq,
            recorded,
        }))
    }
}

/// On a thread of its own: reads the text, compares it, and asks for a passphrase if it loosens anything.
fn read(
    config: &Config,
    version: u32,
    text: &str,
    dry_run: bool,
    credentials: Option<(Operators, String, Passphrase)>,
) -> Read {
    let mut right = None;
    let outcome = prepare(config, version, text).map_err(|error| refusal(&error));
    let outcome = outcome.and_then(|prepared| {
        let looser = prepared.changes.iter().filter(|change| change.effect == Effect::Looser);
        let looser: Vec<String> = looser.map(ToString::to_string).collect();
        match credentials {
            _ if dry_run => {}
            Some((operators, operator, passphrase)) => {
                let is_right = operators.verify(&operator, &passphrase);
                right = Some(is_right);
                if !is_right {
                    let text = "no such operator, or not this one's passphrase";
                    return Err(Answer::refused("wrong_passphrase", text));
                }
            }
            None if looser.is_empty() => {}
            None => {
                let listed = looser.iter().take(Limits::CHANGES_MAX).cloned().collect::<Vec<_>>();
                let message = format!(
                    "looser limits need an operator, a reason and a passphrase:\n{}",
                    listed.join("\n")
                );
                return Err(Answer::refused("loosens", message));
            }
        }
        Ok(prepared)
    });
    Read { outcome, right }
}

fn refusal(error: &NotTaken) -> Answer {
    let code = match error {
        NotTaken::Config(_) => "bad_limits",
        NotTaken::Fixed(_) => "fixed",
        NotTaken::Start(_) | NotTaken::Limits(_) => "bad_limits",
    };
    // Within what an answer may hold.
    Answer::refused(code, error.to_string().chars().take(LIMITS_MAX / 8).collect::<String>())
}
