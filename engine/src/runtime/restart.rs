//! What a start does with a configuration that is not the one of the journal that it goes on with.
//!
//! | file | what it says otherwise | the start |
//! |---|---|---|
//! | engine.toml, instruments.toml | anything | is refused: it takes a new journal |
//! | limits.toml | what an account is, or which there are | is refused likewise |
//! | | something looser | keeps the limits in force, and says so: a start loosens nothing, `tickgate reload` does |
//! | | anything else | takes the file, as an input that says so |

use model::{Note, OperatorName};

use super::RunError;
use crate::config::Config;
use crate::replay::Replay;
use crate::rules::changes::Effect;
use crate::sequencer::Sequencer;
use crate::step::{NewRules, NotTaken, Prepared, prepare};

/// The configuration with the limits in force, and those of limits.toml if they are to be taken.
pub(super) fn limits(
    config: &Config,
    replay: &Replay,
) -> Result<(Config, Option<Prepared>), RunError> {
    let in_force = replay.config.limits_text();
    if config.limits_text() == in_force {
        return Ok((config.clone(), None));
    }
    let journal = config.engine.journal.as_ref();
    let folder = journal.map(|journal| journal.folder.clone()).unwrap_or_default();
    let other = |error| RunError::OtherLimits { folder, error };
    let version = replay.engine.limits_version();
    let kept = config.with_limits(in_force).map_err(NotTaken::from);
    let prepared = kept.and_then(|kept| Ok((prepare(&kept, version, config.limits_text())?, kept)));
    let (prepared, kept) = prepared.map_err(other)?;
    let looser = prepared.changes.iter().filter(|change| change.effect == Effect::Looser);
    let mut is_looser = false;
    for change in looser {
        tracing::error!("limits.toml is not taken at a start: {change}");
        is_looser = true;
    }
    if is_looser {
        tracing::error!(
            "limits {version} of the journal stay in force; `tickgate reload` loosens them"
        );
        return Ok((kept, None));
    }
    Ok((kept, Some(prepared)))
}

/// Puts the limits of limits.toml in force; whether they are.
pub(super) fn take(sequencer: &mut Sequencer, rules: Box<NewRules>) -> bool {
    let version = rules.version();
    let note = Note::lossy("limits.toml at a start");
    let control = rules.control(OperatorName::default(), note);
    let now = sequencer.engine.now();
    let taken = sequencer.limits(now, rules, control, &mut ()).is_ok();
    match taken {
        true => tracing::warn!("limits {version} in force: limits.toml is not what it was"),
        false => tracing::error!("limits.toml cannot be recorded and is not taken"),
    }
    taken
}
