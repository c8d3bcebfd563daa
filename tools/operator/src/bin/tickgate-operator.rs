//! `tickgate-operator`: who may resume.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use operator::exit::{Failure, end};
use operator::terminal;
use program::println;
use switch::{Operators, OperatorsError, WEAK_BELOW};

/// Keeps operators.toml, beside engine.toml: who may resume trading, and by which passphrase.
#[derive(Parser)]
#[command(
    name = "tickgate-operator",
    version,
    after_help = "Example: tickgate operator passwd ann --config deploy/engine.toml\n\
    Exit codes: 0 done, 2 usage, 3 operators.toml cannot be read or written."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sets an operator's passphrase, typed twice at the terminal. Holds for a running engine at once.
    Passwd {
        /// The operator: 1 to 16 of a-z A-Z 0-9 _ - .
        name: String,
        /// engine.toml of the engine; operators.toml is beside it.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

fn main() -> ExitCode {
    let Command::Passwd { name, config } = Cli::parse().command;
    end("tickgate-operator", passwd(&name, &config))
}

fn passwd(name: &str, config: &Path) -> Result<(), Failure> {
    let path = config.parent().unwrap_or(Path::new(".")).join(Operators::FILE);
    let mut operators = match Operators::load(&path) {
        Err(OperatorsError::Absent(_)) => Operators::default(),
        operators => operators.map_err(Failure::file)?,
    };
    let passphrase = terminal::passphrase(&format!("new passphrase of {name}"))?;
    if passphrase.is_weak() {
        return Err(Failure::usage(format!("a passphrase has at least {WEAK_BELOW} characters")));
    }
    if !passphrase.is_same(&terminal::passphrase("once more")?) {
        return Err(Failure::usage("the two differ; nothing was changed"));
    }
    operators.set(name, &passphrase).map_err(Failure::usage)?;
    write(&path, &operators.to_text())
        .map_err(|error| Failure::file(format!("{}: {error}", path.display())))?;
    println!("{}: passphrase of {name} set", path.display());
    Ok(())
}

/// Beside the old file and over it, so that a running engine reads the one or the other.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("toml.new");
    let _ = std::fs::remove_file(&beside);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
