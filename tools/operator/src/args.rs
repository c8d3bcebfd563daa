//! Arguments that several of the commands take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use model::HaltLevel;
use switch::{Answer, Request, Scope, ask};

use crate::exit::Failure;

/// Longest wait for an answer: the engine's own bounds, a passphrase's check, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which engine is meant.
#[derive(Args, Debug)]
pub struct Which {
    /// Name of the engine; without it the only one that runs.
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,
    /// The operator socket itself, such as another user's: /run/user/1000/tickgate/NAME.operator.sock.
    #[arg(long, value_name = "PATH", conflicts_with = "engine")]
    pub socket: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What is meant. Without any of them: everything.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub struct What {
    /// Everything; so it is without any of the others.
    #[arg(long)]
    pub all: bool,
    /// One account.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Every instrument of a symbol, listed or still to be listed.
    #[arg(long, value_name = "NAME")]
    pub symbol: Option<String>,
    /// One strategy, by its place in engine.toml, from 0.
    #[arg(long, value_name = "NUMBER")]
    pub strategy: Option<u8>,
    /// What is asked over one desk; the log says who has which.
    #[arg(long, value_name = "DESK")]
    pub client: Option<u8>,
}

impl What {
    /// The scope.
    pub fn scope(self) -> Scope {
        match self {
            What { account: Some(name), .. } => Scope::Account(name),
            What { symbol: Some(name), .. } => Scope::Symbol(name),
            What { strategy: Some(place), .. } => Scope::Strategy(place),
            What { client: Some(desk), .. } => Scope::Client(desk),
            What { .. } => Scope::All,
        }
    }
}

impl Which {
    /// Where the engine hears its operator.
    ///
    /// # Errors
    ///
    /// A failure with exit code 4: no engine of this name, or several and none was named.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(socket) = &self.socket {
            return Ok(socket.clone());
        }
        let found = shm::find_engine(self.engine.as_deref());
        let (folder, name) = found.map_err(Failure::no_engine)?;
        Ok(folder.operator_path(&name))
    }

    /// The engines that are meant, which may be shards of a name: each by itself, and what to call it; nothing, if it is alone.
    ///
    /// # Errors
    ///
    /// As [`Which::path`].
    pub fn each(&self) -> Result<Vec<(String, Which)>, Failure> {
        let at = |socket: PathBuf| Which { engine: None, socket: Some(socket), json: self.json };
        if let Some(socket) = &self.socket {
            return Ok(vec![(String::new(), at(socket.clone()))]);
        }
        let found = shm::find_engines(self.engine.as_deref()).map_err(Failure::no_engine)?;
        let alone = found.len() == 1;
        let each = found.into_iter().map(|(folder, name)| {
            let which = at(folder.operator_path(&name));
            (if alone { String::new() } else { name }, which)
        });
        Ok(each.collect())
    }

    /// Asks the engine.
    ///
    /// # Errors
    ///
    /// Exit code 4 without an answer, 5 if it refused.
    pub fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        match ask(&self.path()?, request, PATIENCE)? {
            Answer::Refused(refusal) => Err(Failure::refused(&refusal)),
            answer => Ok(answer),
        }
    }
}

/// Reads a level by its name.
///
/// # Errors
///
/// The names that there are.
pub fn level(name: &str) -> Result<HaltLevel, String> {
    let names = || HaltLevel::ALL.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ");
    HaltLevel::from_name(name).ok_or_else(|| format!("one of {}", names()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        what: What,
    }

    fn scope(words: &[&str]) -> Result<Scope, clap::Error> {
        let words = ["x"].iter().chain(words);
        Cli::try_parse_from(words).map(|cli| cli.what.scope())
    }

    /// Goal: no word of a halt is misread as a narrower one. Method: each scope, none, two at once.
    #[test]
    fn scopes_are_one() {
        assert_eq!(scope(&[]).unwrap(), Scope::All);
        assert_eq!(scope(&["--all"]).unwrap(), Scope::All);
        assert_eq!(scope(&["--account", "a"]).unwrap(), Scope::Account("a".into()));
        assert_eq!(scope(&["--symbol", "S"]).unwrap(), Scope::Symbol("S".into()));
        assert_eq!(scope(&["--strategy", "0"]).unwrap(), Scope::Strategy(0));
        assert_eq!(scope(&["--client", "15"]).unwrap(), Scope::Client(15));
        assert!(scope(&["--all", "--account", "a"]).is_err());
        assert!(scope(&["--account", "a", "--symbol", "S"]).is_err());
        assert!(scope(&["--strategy", "256"]).is_err());
    }
}
