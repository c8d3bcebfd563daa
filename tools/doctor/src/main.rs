//! `tickgate-doctor`: whether this host is fit for live trading, and what to change.
//!
//! Flow: `subject.rs` takes what matters of a configuration, the library checks, `measure.rs` measures, `table.rs` prints.

#![forbid(unsafe_code)]

mod measure;
mod subject;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use doctor::{Finding, Host, Outcome, checks};
use program::{eprintln, print, println};
use serde_json::json;

use measure::Measured;
use subject::Asked;

/// Reads how this host is set up, measures how long its cores stand still and how far they are apart, and says what to change.
///
/// Nothing is changed. Run it as the user that runs the engine, for limits are a user's own.
#[derive(Parser)]
#[command(
    name = "tickgate-doctor",
    version,
    after_help = "Examples:\n  \
    tickgate doctor                                   # for live trading on the isolated cores\n  \
    tickgate doctor --config deploy/live.toml --seconds 60\n  \
    tickgate doctor --seconds 0 --json                # reads, and measures nothing\n\n\
    deploy/host.md explains every check; deploy/tune-host.sh applies what needs no restart.\n\
    Exit codes: 0 nothing that is required fails; 1 something does; 2 usage or configuration."
)]
struct Cli {
    /// engine.toml: judges the cores that it pins, its memory and its limit of hiccups.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long each core is watched, at rest and again where it touches 64 MiB of its own: the hot ones at once, then the others
    /// in two halves. 0: not at all.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    seconds: u64,
    /// Measures although an engine runs, which then shares its cores with the measurement.
    #[arg(long)]
    disturb: bool,
    /// Reads this folder's proc and sys in place of the host's own, and measures nothing.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Nanoseconds.
fn seconds(text: &str) -> Result<u64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=3_600.0).contains(seconds));
    seconds.map(|seconds| (seconds * 1e9) as u64).ok_or_else(|| "must be 0 to 3600 seconds".into())
}

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(message) => {
            eprintln!("tickgate-doctor: {message}");
            ExitCode::from(2)
        }
    }
}

impl Cli {
    fn run(self) -> Result<ExitCode, String> {
        if !self.root.join("proc").is_dir() {
            return Err(format!("{}: holds no proc", self.root.display()));
        }
        let host = Host::at(&self.root);
        let asked = Asked::new(&host, self.config.as_deref())?;
        let measured = self.measure(&host, &asked);
        let mut findings = checks::run(&host, &asked.subject);
        let gaps = measured.gaps();
        findings.push(doctor::judge_gaps(&asked.subject, asked.hiccup_max_ns, &gaps));
        findings.push(doctor::judge_touches(&asked.subject, &gaps, &measured.touches));
        findings.push(doctor::judge_together(&asked.subject, &measured.together));
        findings.push(doctor::judge_hops(&asked.subject, &measured.hops));
        let failed = findings.iter().filter(|finding| finding.outcome == Outcome::Failed).count();
        if self.json {
            println!("{}", object(&asked, &findings, &measured, failed));
        } else {
            print!("{}", table::text(&asked, &findings, &measured));
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn measure(&self, host: &Host, asked: &Asked) -> Measured {
        if self.seconds == 0 {
            return Measured::not("nothing was measured: --seconds 0");
        }
        if self.root != Path::new("/") {
            return Measured::not("nothing was measured: --root names another tree");
        }
        let engines = host.processes(|name| matches!(name, "tickgate" | "tickgate-follow"));
        if let Some((pid, name)) = engines.first().filter(|_| !self.disturb) {
            return Measured::not(format!(
                "nothing was measured: {name} runs (process {pid}), and would share its cores; stop it, or say --disturb"
            ));
        }
        measure::run(host, &asked.subject, self.seconds)
    }
}

fn object(
    asked: &Asked,
    findings: &[Finding],
    measured: &Measured,
    failed: usize,
) -> serde_json::Value {
    let count = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    json!({
        "ok": failed == 0,
        "failed": failed,
        "advice": count(Outcome::Advice),
        "unknown": count(Outcome::Unknown),
        "config": asked.config,
        "live": asked.subject.live,
        "hot_cpus": asked.subject.hot.iter().collect::<Vec<_>>(),
        "memory_bytes": asked.subject.memory,
        "hiccup_max_us": asked.hiccup_max_ns.map(|ns| ns / 1_000),
        "findings": findings,
        "gaps": measured.cores.iter().map(measure::Core::json).collect::<Vec<_>>(),
        "gap_limits_ns": doctor::LIMITS_NS,
        "touches": measured.touches.iter().map(measure::touches_json).collect::<Vec<_>>(),
        "touched_bytes": doctor::TOUCHED_BYTES,
        "together": measured.together,
        "hops": measured.hops,
        "not_measured": measured.not,
    })
}
