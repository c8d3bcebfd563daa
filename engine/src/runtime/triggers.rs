//! What each trigger counts against its limit, for the status.

use model::{HaltCause, HaltLevel, Money, Scaled};
use switch::{Scope, Trigger};

use super::clock_watch::ClockWatch;
use super::figures::Figures;
use crate::config::Config;
use crate::rules::{AccountTriggers, FillsRule, Rules, StormRule, money};
use crate::step::Counts;

const MS: u64 = 1_000_000;

/// The rules, and where their figures come from.
#[derive(Debug)]
pub(super) struct TriggerList {
    rules: Rules,
    figures: Figures,
    has_journal: bool,
}

impl TriggerList {
    pub fn new(config: &Config, figures: Figures) -> TriggerList {
        let (rules, has_journal) = (config.rules.clone(), config.engine.journal.is_some());
        TriggerList { rules, figures, has_journal }
    }

    /// Every trigger, those that are off too. `attached`: a bit for each desk that has a client.
    pub fn read(&self, clock: &ClockWatch, attached: u64) -> Vec<Trigger> {
        let mut triggers = self.of_engine(clock);
        let desks = (0..u64::BITS as usize).filter(|desk| attached >> desk & 1 == 1);
        let silent_ns = desks.map(|desk| self.figures.silent_ns(desk)).max().unwrap_or(0);
        for (number, account) in self.rules.accounts.iter().enumerate() {
            let scope = Scope::Account(account.name.as_str().to_owned());
            for counts in Counts::ALL {
                let rule = rule_of(&account.triggers, counts);
                let used = self.figures.used(number, counts);
                let text = |value: i128| match counts {
                    Counts::FillMoney => plain(value),
                    Counts::Refusals | Counts::VenueRejects | Counts::Executions => {
                        value.to_string()
                    }
                };
                triggers.push(Trigger {
                    name: counts.key().to_owned(),
                    cause: counts.cause(),
                    scope: scope.clone(),
                    unit: if counts == Counts::FillMoney { "money" } else { "count" }.to_owned(),
                    used: text(used),
                    limit: rule.map(|(limit, ..)| text(limit)),
                    window_ms: rule.map(|(_, window_ns, _)| window_ns / MS),
                    level: rule.map(|(_, _, level)| level.name().to_owned()),
                    beyond: rule.is_some_and(|(limit, ..)| used > limit),
                });
            }
            let bound = account.triggers.dead_man_ns;
            let (cause, level) = (HaltCause::Heartbeat, Some(HaltLevel::CancelOnly));
            triggers.push(ms("dead_man_ms", cause, scope, silent_ns, bound, level));
        }
        triggers
    }

    fn of_engine(&self, clock: &ClockWatch) -> Vec<Trigger> {
        let (rules, seen) = (&self.rules.triggers, self.figures.engine());
        let cancel_only = Some(HaltLevel::CancelOnly);
        let all = || Scope::All;
        let gap = rules.feed_gap.map(|rule| rule.after_ns);
        let mut triggers =
            vec![ms("feed_gap_ms", HaltCause::FeedGap, all(), seen.gap_ns, gap, cancel_only)];
        let (error_ns, believed) = clock.seen();
        let error = rules.clock.map(|rule| rule.error_ns);
        let level = rules.clock.and_then(|rule| rule.level);
        let clock = ms("clock_error_ms", HaltCause::Clock, all(), error_ns, error, level);
        triggers.push(Trigger { beyond: !believed || seen.clock_unsafe != 0, ..clock });
        if self.has_journal {
            let (age, most) = (rules.journal_lag_ns, rules.journal_lag_inputs);
            let cause = HaltCause::Journal;
            triggers.push(ms("journal_lag_ms", cause, all(), seen.lag_ns, age, None));
            triggers.push(count("journal_lag_inputs", cause, seen.behind, most));
        }
        let latch = rules.sink_latch_ns;
        let cause = HaltCause::Journal;
        triggers.push(ms("sink_latch_ms", cause, all(), seen.sink_ns, latch, cancel_only));
        let down = seen.session_down;
        let limit = rules.venue_session.map(|_| 0);
        let session = count("venue_session_level", HaltCause::VenueSession, down, limit);
        let level = rules.venue_session.map(|level| level.name().to_owned());
        triggers.push(Trigger { level, ..session });
        triggers
    }
}

/// Limit, window and level of a count of an account; `None`: it is off.
fn rule_of(triggers: &AccountTriggers, counts: Counts) -> Option<(i128, u64, HaltLevel)> {
    let storm = |rule: StormRule| (rule.max.into(), rule.window_ns, rule.level);
    let fills = |limit: fn(FillsRule) -> Option<i128>| {
        let rule = triggers.fills?;
        Some((limit(rule)?, rule.window_ns, HaltLevel::Halted))
    };
    match counts {
        Counts::Refusals => triggers.refusals.map(storm),
        Counts::VenueRejects => triggers.venue_rejects.map(storm),
        Counts::Executions => fills(|rule| rule.executions_max.map(Into::into)),
        Counts::FillMoney => fills(|rule| rule.money_max.and_then(money).map(|sum| sum.0)),
    }
}

/// Money without the zeros that say nothing.
fn plain(value: i128) -> String {
    let text = Scaled { value, decimals: Money::DECIMALS }.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn ms(
    name: &str,
    cause: HaltCause,
    scope: Scope,
    used_ns: u64,
    limit_ns: Option<u64>,
    level: Option<HaltLevel>,
) -> Trigger {
    Trigger {
        name: name.to_owned(),
        cause,
        scope,
        unit: "ms".to_owned(),
        used: (used_ns / MS).to_string(),
        limit: limit_ns.map(|ns| (ns / MS).to_string()),
        window_ms: None,
        level: level.filter(|_| limit_ns.is_some()).map(|level| level.name().to_owned()),
        beyond: limit_ns.is_some_and(|limit| used_ns > limit),
    }
}

fn count(name: &str, cause: HaltCause, used: u64, limit: Option<u64>) -> Trigger {
    let trigger = ms(name, cause, Scope::All, 0, None, None);
    let (unit, beyond) = ("count".to_owned(), limit.is_some_and(|limit| used > limit));
    let (used, limit) = (used.to_string(), limit.map(|limit| limit.to_string()));
    Trigger { unit, used, limit, beyond, ..trigger }
}
