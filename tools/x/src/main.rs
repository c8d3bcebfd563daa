//! `cargo x`: the repository's own tasks. No dependency, so that it builds in a second.

#![forbid(unsafe_code)]

mod counts;
mod tidy;
mod timed;

use std::path::Path;
use std::process::{Command, ExitCode};

use program::eprintln;

const USAGE: &str = "cargo x TASK
  test    everything that must hold: format, tidy, lints, build, all tests, the models of the rings, our side of the rivals
  tidy    the rules of style that no compiler checks
  loom    the models of the rings and cells alone
  build   the operator's programs, optimised: tickgate and tickgate-*
  counts  instructions of each stage against the committed ones (needs valgrind); --write: commits these
  bench   the benchmarks, each with its bound measured in the same run
  timed   doctor, counts, benches, latency, rivals (or those that are named), each into a file of target/timed";

/// What must not be in the engine's dependency tree.
const HEAVY: [&str; 4] = ["rmcp", "redis", "questdb-rs", "parquet"];

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let rest: Vec<String> = std::env::args().skip(2).collect();
    let done = match task.as_str() {
        "test" => test(),
        "tidy" => tidy::check(root()),
        "loom" => loom(),
        "counts" => counts::check(root(), rest.first().is_some_and(|first| first == "--write")),
        "build" => cargo(&["build", "--release", "--workspace", "--bins"], &[]),
        "bench" => cargo(&["bench", "--package", "benches"], &[]),
        "timed" => timed::run(root(), &rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Cheap checks first, so that a small mistake is told at once.
fn test() -> bool {
    cargo(&["fmt", "--all", "--check"], &[])
        && tidy::check(root())
        && light_engine()
        && cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])
        && cargo(&["build", "--workspace", "--bins"], &[])
        && cargo(&["test", "--workspace"], &[])
        && loom()
        && rivals()
}

/// Loom replaces the atomics, so it needs a build, and a folder, of its own.
fn loom() -> bool {
    let target = root().join("target/loom");
    let environment = [
        ("RUSTFLAGS", "--cfg loom"),
        ("CARGO_TARGET_DIR", target.to_str().unwrap_or("target/loom")),
    ];
    cargo(&["test", "--package", "shm", "--release", "--test", "loom"], &environment)
}

/// What stands beside the rivals still fits the product, and their lock file is not behind. The rivals themselves, which take
/// long to build, are left out, and so are warnings of what only they use.
fn rivals() -> bool {
    let check = ["check", "--manifest-path", "benches/rivals/Cargo.toml", "--no-default-features"];
    cargo(&[&check[..], &["--locked"]].concat(), &[("RUSTFLAGS", "-A warnings")])
}

/// The engine builds without what only leaf packages need.
fn light_engine() -> bool {
    let tree = ["tree", "--package", "engine", "--edges", "normal,build", "--prefix", "none"];
    let Ok(output) = Command::new(cargo_path()).args(tree).current_dir(root()).output() else {
        return false;
    };
    let tree = String::from_utf8_lossy(&output.stdout);
    let found: Vec<&str> = tree
        .lines()
        .filter(|line| HEAVY.iter().any(|heavy| line.split(' ').next() == Some(heavy)))
        .collect();
    if !found.is_empty() {
        eprintln!("the engine depends on {found:?}");
    }
    output.status.success() && found.is_empty()
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    eprintln!("\n▶ cargo {}", arguments.join(" "));
    let status = Command::new(cargo_path())
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status();
    status.is_ok_and(|status| status.success())
}

fn cargo_path() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
