//! `tickgate convert`: the same market in another format.
//!
//! Between BinaryFILE and MoldUDP64 every byte of every message is kept. All else goes by way of the engine's own events: what a
//! format cannot say is counted and told.
#![forbid(unsafe_code)]

mod itch;
mod mbo;
mod messages;
mod out;
mod packets;
mod table;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, ValueEnum};
use feeds::capture::{Capture, Format, Kind};
use feeds::sink::BinaryFileWriter;
use feeds::{Counters, Date, FeedError, FeedOptions, Next, Venue};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Event, VenueNumber};
use program::{INTERRUPTED, eprintln, println, stop_on_signal};

use out::Out;

/// Writes a capture in another format.
#[derive(Parser)]
#[command(name = "tickgate convert", version)]
#[command(
    after_help = "Examples:\n  tickgate convert day.itch.gz --to mold --lines 2 --out day.pcapng\n  \
    tickgate convert day.pcapng --to itch --out day.itch\n  \
    tickgate convert es.mbo.dbn.zst --to parquet --out es.parquet\n  \
    tickgate convert day.itch --to dbn --date 2020-01-30 --out day.mbo.dbn\n\n\
    Exit codes: 0 all is converted; 1 messages were missing in the input or could not be read, or the output cannot be written;\n\
    2 usage; 3 an input that cannot be read, or says what the output cannot; 130 interrupted. But for messages that were\n\
    missing or could not be read, no file is left."
)]
struct Cli {
    /// What to read: ITCH in BinaryFILE framing, MoldUDP64 packets, DBN market by order, or Parquet of this command.
    input: PathBuf,
    /// What to write.
    #[arg(long, value_name = "FORMAT")]
    to: Target,
    /// Where to; a file that is there is not written over.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Lines that the packets are sent over: 1 or 2.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    lines: u8,
    /// Day of the first message, where the input does not say.
    #[arg(long, default_value = "1970-01-01", value_name = "YYYY-MM-DD")]
    date: Date,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// ITCH 5.0 in BinaryFILE framing.
    Itch,
    /// MoldUDP64 packets in pcapng.
    Mold,
    /// Databento DBN, market by order.
    Dbn,
    /// A table, a row an event.
    Parquet,
}

/// Why nothing was written, or not all.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{path}: {error}")]
    Input { path: PathBuf, error: FeedError },
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{0}")]
    Cannot(String),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::Input { .. } => 3,
            Failure::Io { .. } => 1,
            Failure::Cannot(_) => 3,
            Failure::Interrupted => INTERRUPTED as u8,
        }
    }
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    /// Messages, events or records read.
    read: u64,
    /// Messages, records or rows written.
    written: u64,
    /// What the output cannot say.
    unsaid: u64,
    /// Messages that were missing in the input.
    lost: u64,
    /// Messages, records and packets of the input that could not be read.
    bad: u64,
    /// The input ends inside a record: what was behind is missing.
    cut: bool,
    /// Frames that gave no datagram, and datagrams that are not the input's: what a network carries besides, or pieces of what
    /// is lost then.
    rejected: u64,
}

impl Done {
    /// Notes what the input lacks.
    fn note(&mut self, counters: &Counters) {
        let Counters { lost, bad, cut, rejected, foreign, late, .. } = *counters;
        (self.lost, self.bad, self.cut) = (lost, bad, cut > 0);
        self.rejected = rejected + foreign + late;
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(done) => {
            let Done { read, written, unsaid, lost, bad, cut, rejected } = done;
            if cli.json {
                println!(
                    "{}",
                    serde_json::json!({
                        "read": read, "written": written, "unsaid": unsaid, "lost": lost,
                        "bad": bad, "cut": cut, "rejected": rejected, "out": cli.out,
                    })
                );
            } else {
                println!("{read} read, {written} written to {}", cli.out.display());
            }
            if unsaid > 0 {
                eprintln!("tickgate-convert: {unsaid} events have no counterpart in the output");
            }
            if lost > 0 {
                eprintln!("tickgate-convert: {lost} messages were missing in the input");
            }
            if bad > 0 {
                eprintln!(
                    "tickgate-convert: {bad} messages or packets of the input could not be read"
                );
            }
            if rejected > 0 {
                eprintln!("tickgate-convert: {rejected} packets of the input were not its feed's");
            }
            if cut {
                eprintln!("tickgate-convert: the input is cut off: what was behind is missing");
            }
            ExitCode::from(u8::from(lost > 0 || bad > 0 || cut))
        }
        Err(failure) => {
            eprintln!("tickgate-convert: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn run(cli: &Cli) -> Result<Done, Failure> {
    // Of a pipe it would take the begin away.
    let is_table = cli.input.is_file() && table::is_table(&cli.input);
    let kind = if is_table {
        None
    } else {
        let kind = feeds::capture::kind_of(&cli.input);
        Some(kind.map_err(|error| Failure::Input { path: cli.input.clone(), error })?)
    };
    let is_messages = kind.is_some_and(|kind| kind.venue == Some(Venue::NasdaqItch));
    let stop = stop_on_signal().map_err(|error| Failure::Cannot(error.to_string()))?;
    let out = Out::create(&cli.out)?;
    let refused = out.refused();
    let job = Job { cli, kind, stop: &stop };
    refused.or_all(match (cli.to, kind) {
        (Target::Itch | Target::Mold, Some(kind)) if is_messages => job.raw(kind, out),
        _ => job.events(out),
    })
}

/// One conversion.
struct Job<'a> {
    cli: &'a Cli,
    /// What the input is; `None`: a table.
    kind: Option<Kind>,
    /// Whether somebody wants it to stop.
    stop: &'a AtomicBool,
}

impl Job<'_> {
    /// Messages as they are.
    fn raw(&self, kind: Kind, out: Out) -> Result<Done, Failure> {
        let Job { cli, stop, .. } = *self;
        let mut done = Done::default();
        let bar = bar(&cli.input);
        let midnight = cli.date.new_york_midnight();
        let packets = kind.format == Format::Packets;
        let mut sink = Sink::new(cli, out)?;
        let mut failed = None;
        let seen = messages::each(&cli.input, packets, midnight, |ts, message| {
            done.read += 1;
            bar.inc(message.len() as u64 + 2);
            let wrote = sink.message(ts, message);
            failed = failed.take().or(wrote.err());
            failed.is_none() && !stop.load(Ordering::Relaxed)
        })?;
        bar.finish_and_clear();
        if let Some(error) = failed {
            return Err(Failure::Io { path: cli.out.clone(), error });
        }
        self.goes_on()?;
        done.note(&seen);
        sink.end(!done.cut).map_err(io(&cli.out))?;
        done.written = done.read;
        Ok(done)
    }

    /// By way of events.
    fn events(&self, out: Out) -> Result<Done, Failure> {
        let cli = self.cli;
        let mut done = Done::default();
        match cli.to {
            Target::Itch | Target::Mold => {
                let mut sink = Sink::new(cli, out)?;
                let mut writer = itch::Writer::new();
                let seen = self.each_event(|event| {
                    done.read += 1;
                    let mut wrote = Ok(());
                    let said = writer.take(event, &mut |ts, message| {
                        done.written += 1;
                        if wrote.is_ok() {
                            wrote = sink.message(ts, message);
                        }
                    });
                    done.unsaid += u64::from(!said.map_err(Failure::Cannot)?);
                    wrote.map_err(io(&cli.out))
                })?;
                done.note(&seen);
                sink.end(!done.cut).map_err(io(&cli.out))?;
            }
            Target::Dbn => {
                let symbols = self.symbols()?;
                let mut writer = mbo::Writer::new(out, &symbols).map_err(Failure::Cannot)?;
                let seen = self.each_event(|event| {
                    done.read += 1;
                    let written = writer.take(event).map_err(Failure::Cannot)?;
                    done.written += written;
                    done.unsaid += u64::from(written == 0);
                    Ok(())
                })?;
                done.note(&seen);
                writer.end().map_err(Failure::Cannot)?;
            }
            Target::Parquet => {
                let mut writer = table::Writer::new(out).map_err(Failure::Cannot)?;
                let seen = self.each_event(|event| {
                    done.read += 1;
                    done.written += 1;
                    writer.take(event).map_err(Failure::Cannot)
                })?;
                done.note(&seen);
                writer.end().map_err(Failure::Cannot)?;
            }
        }
        Ok(done)
    }

    /// Reads every event of the input; what was seen of it.
    fn each_event(
        &self,
        mut each: impl FnMut(&Event) -> Result<(), Failure>,
    ) -> Result<Counters, Failure> {
        let cli = self.cli;
        let bar = bar(&cli.input);
        let Some(kind) = self.kind else {
            table::each(&cli.input, |event| {
                self.goes_on()?;
                bar.inc(1);
                each(event)
            })?;
            return Ok(Counters::NONE);
        };
        let input = |error| Failure::Input { path: cli.input.clone(), error };
        let options = FeedOptions { date: cli.date, ..FeedOptions::default() };
        let paths = [cli.input.clone()];
        let Some(venue) = kind.venue else {
            let input = cli.input.display();
            let text = format!("{input}: texts of venues are replayed, not converted");
            return Err(Failure::Cannot(text));
        };
        let mut capture = Capture::open(venue, &paths, options, &[]).map_err(input)?;
        // A file's times are read as of UTC's midnight, a venue's are of New York's.
        let is_file = kind.format == Format::BinaryFile && venue == Venue::NasdaqItch;
        let later =
            if is_file { cli.date.new_york_midnight().0 - cli.date.midnight().0 } else { 0 };
        while let Next::Event(mut event) = capture.next().map_err(input)? {
            self.goes_on()?;
            bar.inc(34);
            (event.ts_venue.0, event.ts_recv.0) =
                (event.ts_venue.0 + later, event.ts_recv.0 + later);
            each(&event)?;
        }
        bar.finish_and_clear();
        Ok(capture.counters())
    }

    /// What the numbers of the input stand for.
    fn symbols(&self) -> Result<HashMap<VenueNumber, Listing>, Failure> {
        let mut symbols = HashMap::new();
        self.each_event(|event| {
            if let (model::Kind::Directory, Some((symbol, px_decimals, _))) =
                (event.kind, event.listing())
            {
                symbols.insert(event.number, Listing { symbol, px_decimals });
            }
            Ok(())
        })?;
        Ok(symbols)
    }

    /// An error where somebody wants it to stop.
    fn goes_on(&self) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
    }
}

/// An instrument of the input.
#[derive(Clone, Copy, Debug)]
struct Listing {
    symbol: model::Symbol,
    px_decimals: u8,
}

/// Where ITCH messages go.
enum Sink {
    File(BinaryFileWriter<Out>),
    Packets(Box<packets::Writer<Out>>),
}

impl Sink {
    fn new(cli: &Cli, out: Out) -> Result<Sink, Failure> {
        if cli.to == Target::Itch {
            return Ok(Sink::File(BinaryFileWriter::new(out)));
        }
        let writer = packets::Writer::new(out, cli.lines).map_err(io(&cli.out))?;
        Ok(Sink::Packets(Box::new(writer)))
    }

    fn message(&mut self, ts: model::Ts, message: &[u8]) -> std::io::Result<()> {
        match self {
            Sink::File(writer) => writer.message(message),
            Sink::Packets(writer) => writer.message(ts, message),
        }
    }

    /// Ends the output, and says that the session is over if it `is_over`.
    fn end(self, is_over: bool) -> std::io::Result<()> {
        match self {
            Sink::File(writer) => {
                let mut out = if is_over { writer.end()? } else { writer.into_inner() };
                out.flush()
            }
            Sink::Packets(writer) => writer.end(is_over),
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_path_buf();
    move |error| Failure::Io { path, error }
}

/// Progress by what was read, hidden where nobody looks.
fn bar(input: &Path) -> ProgressBar {
    let length = input.metadata().map_or(0, |data| data.len());
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{elapsed} {wide_bar} {bytes}/{total_bytes}");
    bar.with_style(style.unwrap_or(ProgressStyle::default_bar()))
}
