//! `tickgate load`: how many packets a second this machine takes, and whether it takes them rightly.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use load::{LoadError, Plan};
use program::{eprintln, println};

/// Publishes a synthetic day over two lines of this machine at a given rate, hears it with the whole engine, and counts.
///
/// Passes if the rate was kept, the kernel dropped at most one packet in ten thousand, every packet is accounted for, nothing
/// was lost for good, and the books are those that the file makes.
#[derive(Parser)]
#[command(name = "tickgate load", version)]
#[command(
    after_help = "Examples:\n  tickgate load\n  tickgate load --rate 20000 --seconds 5 --loss 20 --json"
)]
struct Cli {
    /// How long to publish.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Packets a second of both lines together.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    rate: u32,
    /// Messages of a packet.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    messages: u16,
    /// Packets of a thousand that the venue loses on purpose on each line.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=900))]
    loss: u16,
    /// Bytes that the kernel is to buffer for each line.
    #[arg(long, value_name = "BYTES", default_value_t = Plan::default().receive_buffer)]
    buffer: u32,
    /// Microseconds that a receive call polls the device.
    #[arg(long, value_name = "US", default_value_t = 0)]
    busy_poll: u32,
    /// How the engine's threads wait.
    #[arg(long, default_value = "auto")]
    wait: Wait,
    /// Core of the feed thread.
    #[arg(long, value_name = "N")]
    feed_cpu: Option<usize>,
    /// Core of the engine thread.
    #[arg(long, value_name = "N")]
    engine_cpu: Option<usize>,
    /// Seed of the day and of the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Wait {
    /// Spins on four cores or more, else parks.
    Auto,
    Spin,
    Yield,
    Park,
}

impl Cli {
    fn plan(&self) -> Plan {
        Plan {
            seconds: self.seconds,
            rate: self.rate,
            packet_messages: self.messages,
            seed: self.seed,
            loss_per_mille: self.loss,
            receive_buffer: self.buffer,
            busy_poll_us: self.busy_poll,
            wait: match self.wait {
                Wait::Auto => engine::config::Wait::Auto,
                Wait::Spin => engine::config::Wait::Spin,
                Wait::Yield => engine::config::Wait::Yield,
                Wait::Park => engine::config::Wait::Park,
            },
            cpus: [self.feed_cpu, self.engine_cpu],
            ..Plan::default()
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .without_time()
        .init();
    let stop = match program::stop_on_signal() {
        Ok(stop) => stop,
        Err(error) => {
            eprintln!("tickgate load: cannot listen for signals: {error}");
            return ExitCode::FAILURE;
        }
    };
    match load::run(&cli.plan(), &stop) {
        Ok(report) => {
            let faults = report.faults();
            if cli.json {
                println!("{}", report.json());
            } else {
                println!("{report}");
            }
            for fault in &faults {
                eprintln!("tickgate load: {fault}");
            }
            ExitCode::from(u8::from(!faults.is_empty()))
        }
        Err(error) => {
            eprintln!("tickgate load: {error}");
            ExitCode::from(match error {
                LoadError::Config(_) => 2,
                LoadError::Run(_) | LoadError::Io { .. } => 1,
                LoadError::Interrupted => program::INTERRUPTED as u8,
            })
        }
    }
}
