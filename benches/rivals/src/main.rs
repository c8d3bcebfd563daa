//! tickgate beside its rivals: the same bytes through its crates and through every library that one might take
//! instead, in alternation, in one process where that can be.
//!
//! Flow: a [`row`] makes its input and its contenders; [`contest`] runs them in alternation and holds what each found against
//! what is right; [`table`] prints one table. A figure whose digest is not the right one is printed as WRONG and
//! stands in no ratio.
//!
//! Must never: compare figures of two runs, time what it takes to set up, or help one contender with what another
//! does not get. Where two do not do the same, the note beside the figure says so.

mod contest;
mod day;
mod lock;
mod machine;
mod pair;
mod python;
mod row;
mod setting;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use setting::Setting;

/// tickgate's parts beside other libraries for the same work, on the same bytes, alternating.
#[derive(Parser)]
#[command(
    name = "rivals",
    after_help = "Build it for this processor, and with every rival:\n  \
        RUSTFLAGS=\"-C target-cpu=native\" cargo build --release --features all\n\n\
        Examples:\n  \
        rivals --list\n  \
        rivals --row itch_parse --row l3_book --messages 1000000\n  \
        rivals --python .venv/bin/python --programs ../../target/release --json rivals.json\n\n\
        Progress goes to standard error, the table to standard output."
)]
struct Options {
    /// Only this row; may be given several times.
    #[arg(long = "row", value_name = "NAME")]
    rows: Vec<String>,
    /// Only contenders with this in their name; may be given several times.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Rounds of each contender.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// About how many messages the synthetic day has.
    #[arg(long, default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(10_000..=50_000_000))]
    messages: u64,
    /// Python of an environment with python/requirements.txt; without it, rows of Python say "not run".
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Folder of tickgate and tickgate-mcp, built with `cargo x build`.
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release"))]
    programs: PathBuf,
    /// Also writes everything as one JSON object.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Lists rows and ends.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    if let Some(code) = row::as_partner() {
        return code;
    }
    let options = Options::parse();
    if options.list {
        row::ROWS.iter().for_each(|row| println!("{:<12} {}", row.name, row.what));
        return ExitCode::SUCCESS;
    }
    let known = |name: &&String| !row::ROWS.iter().any(|row| row.name == **name);
    if let Some(unknown) = options.rows.iter().find(known) {
        eprintln!("rivals: no row is called {unknown}; --list shows them");
        return ExitCode::from(2);
    }
    let machine = machine::Machine::now();
    let setting = Setting::new(&options);
    let chosen = |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| row == name);
    let mut outcomes = Vec::new();
    for row in row::ROWS.iter().filter(|row| chosen(row.name)) {
        eprintln!("{}: {}", row.name, row.what);
        outcomes.extend(row.outcomes(&setting).into_iter().map(|outcome| (row.name, outcome)));
    }
    let table =
        table::Table { machine, messages: options.messages, rounds: options.rounds, outcomes };
    print!("{}", table.text());
    if let Some(file) = &options.json
        && let Err(error) = std::fs::write(file, table.json())
    {
        eprintln!("rivals: {}: {error}", file.display());
        return ExitCode::from(2);
    }
    if table.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
