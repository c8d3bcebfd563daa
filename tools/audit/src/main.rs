//! `tickgate-audit`: whether an audit log is as it was written, what it says, and proofs of single orders.

#![forbid(unsafe_code)]

mod proof;
mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use audit::{AuditError, Fault, Finding, Options, PublicKey, SecretKey};
use clap::{Parser, Subcommand};
use program::{eprintln, println};
use serde_json::json;

/// Verifies audit logs. Nothing of a log is ever changed.
#[derive(Parser)]
#[command(
    name = "tickgate-audit",
    version,
    after_help = "Examples:\n  \
    tickgate audit keygen --out audit.key\n  \
    tickgate audit verify audit --public-key KEY --checkpoints /mnt/witness/checkpoints\n  \
    tickgate audit show audit | grep refused\n  \
    tickgate audit prove audit --order 1048576 --public-key KEY --out proof.json\n  \
    tickgate audit check-proof proof.json --public-key KEY\n\n\
    KEY is 64 hexadecimal digits, as keygen prints them. Exit codes: 0 good; 1 bad; 2 usage; 3 cannot be read."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a secret key in a file that only its owner can read, and prints the public key.
    Keygen {
        /// The file; it must not exist.
        #[arg(long, value_name = "KEYFILE")]
        out: PathBuf,
    },
    /// Prints the public key of a secret key.
    PublicKey {
        /// The secret key's file.
        file: PathBuf,
    },
    /// Reads a log from its first byte to its last, and names the first bad record.
    Verify {
        /// The log's folder.
        folder: PathBuf,
        /// The key that checkpoints must be signed with.
        #[arg(long, value_name = "KEY", value_parser = key)]
        public_key: PublicKey,
        /// The second file of checkpoints: without it, a log that was cut off at a checkpoint or written anew with
        /// the key looks good.
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
        /// The log may end inside of a record: an engine writes it, or was killed.
        #[arg(long)]
        live: bool,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Prints every record, one a line, up to the first bad one. Signatures are not looked at.
    Show {
        /// The log's folder.
        folder: PathBuf,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Verifies a log, and proves every record of an order against its last checkpoint.
    Prove {
        /// The log's folder.
        folder: PathBuf,
        /// The order's number.
        #[arg(long, value_name = "ORDER_ID")]
        order: u64,
        /// The key that checkpoints must be signed with; without it, signatures are not looked at here.
        #[arg(long, value_name = "KEY", value_parser = key)]
        public_key: Option<PublicKey>,
        /// Where the proof is written.
        #[arg(long, value_name = "PROOF.json")]
        out: PathBuf,
        /// The log may end inside of a record.
        #[arg(long)]
        live: bool,
    },
    /// Checks a proof without the log, and prints the records that it proves.
    CheckProof {
        /// The proof.
        proof: PathBuf,
        /// The key that the checkpoint must be signed with.
        #[arg(long, value_name = "KEY", value_parser = key)]
        public_key: PublicKey,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// Exit code and what is said.
type Failure = (u8, String);

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Keygen { out } => SecretKey::generate(&out).map_err(unreadable).map(print_key),
        Command::PublicKey { file } => SecretKey::read(&file).map_err(unreadable).map(print_key),
        Command::Verify { folder, public_key, checkpoints, live, json } => {
            let options =
                Options { key: Some(public_key), witness: checkpoints, torn_is_good: live };
            verify(&folder, &options, json)
        }
        Command::Show { folder, json } => show::show(&folder, json),
        Command::Prove { folder, order, public_key, out, live } => {
            let options = Options { key: public_key, witness: None, torn_is_good: live };
            proof::prove(&folder, &options, order, &out)
        }
        Command::CheckProof { proof, public_key, json } => proof::check(&proof, &public_key, json),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("tickgate-audit: {message}");
            ExitCode::from(code)
        }
    }
}

fn key(text: &str) -> Result<PublicKey, String> {
    PublicKey::parse(text).ok_or_else(|| "64 hexadecimal digits of a public key".into())
}

fn print_key(key: SecretKey) {
    println!("{}", key.public().to_hex());
}

fn unreadable(error: AuditError) -> Failure {
    (3, error.to_string())
}

fn bad(finding: &Finding) -> Failure {
    (1, finding.to_string())
}

fn verify(folder: &Path, options: &Options, as_json: bool) -> Result<(), Failure> {
    let report = match audit::verify(folder, options, |_| ()).map_err(unreadable)? {
        Ok(report) => report,
        Err(finding) => {
            if as_json {
                let Finding { path, offset, record, until, fault } = &finding;
                println!(
                    "{}",
                    json!({
                        "good": false, "file": path, "offset": offset, "record": record,
                        "until": until, "fault": name(*fault), "why": fault.to_string(),
                    })
                );
            }
            return Err(bad(&finding));
        }
    };
    let wall = report.last.map(|last| last.wall.0);
    if as_json {
        println!(
            "{}",
            json!({
                "good": true, "records": report.records, "segments": report.segments,
                "checkpoints": report.checkpoints, "witnessed": report.witnessed,
                "unsigned": report.unsigned, "closed": report.closed, "torn": report.torn,
                "last_checkpoint_ns": wall,
            })
        );
        return Ok(());
    }
    let end = if report.closed { "a good stop" } else { "no good stop" };
    println!(
        "good: {} records in {} segments, {} checkpoints, {} records behind the last, {end}",
        report.records, report.segments, report.checkpoints, report.unsigned
    );
    match report.witnessed {
        None => println!("not compared with a second file: a cut at a checkpoint would not show"),
        Some(witnessed) => println!("{witnessed} checkpoints also in the second file"),
    }
    if report.torn > 0 {
        println!("{} bytes at the end are no whole frame", report.torn);
    }
    Ok(())
}

/// The word for programs.
fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Missing(_) => "missing_segment",
        Fault::Foreign => "foreign",
        Fault::Header => "header",
        Fault::NotContinued => "not_continued",
        Fault::NoFrame => "no_frame",
        Fault::BrokenChain => "broken_chain",
        Fault::BadRecord(_) => "bad_record",
        Fault::Rewritten => "rewritten",
        Fault::Unsigned => "unsigned",
        Fault::Overdue => "overdue",
        Fault::Torn(_) => "torn",
        Fault::BadWitness(_) => "bad_witness",
        Fault::NotWitnessed(_) => "not_witnessed",
        Fault::CutOff(_) => "cut_off",
    }
}
