//! What the user may say.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sim::faults::FaultPlan;
use sim::mold::{Credentials, Pace, RequestPlan};
use sim::{mold, net};
use synth::{Hours, Naming};

/// A venue of Nasdaq's kind: MoldUDP64 over two lines, a re-request server, a snapshot server
/// (GLIMPSE).
///
/// Publishes a synthetic day, or a file of TotalView-ITCH messages, each behind its 2-byte length.
/// Everything is on loopback unless an address says otherwise.
///
/// Faults are name=value with commas between them: loss, burst (its length: burst-packets),
/// duplicate and reorder are of a thousand packets; delay, jitter and hold (for how long a packet
/// is held back to be late) are times like 50us; dead is an interval like 5s..9s; seed is a number.
#[derive(Args)]
#[command(after_help = "Examples:
  tickgate-sim mold --faults-a loss=20 --faults-b loss=20
  tickgate-sim mold --file day.itch --speed 1000
  tickgate-sim mold --a 239.192.1.1:26400 --b 239.192.1.2:26400 --repeat
  tickgate-sim mold --messages 5000000 --rate 50000 --faults-b dead=5s..9s --json
  tickgate-sim mold --flat-out --packet-messages 1 --json")]
pub struct Options {
    /// Publish this file; - is standard input. Without: a synthetic day.
    #[arg(long, conflicts_with_all = ["seed", "symbols", "messages", "hours"])]
    pub file: Option<PathBuf>,
    /// Seed of the synthetic day.
    #[arg(long, default_value_t = synth::Config::SAMPLE.seed)]
    pub seed: u64,
    /// Symbols of the synthetic day.
    #[arg(
        long,
        default_value_t = synth::Config::SAMPLE.symbols,
        value_parser = clap::value_parser!(u16).range(1..=60_000)
    )]
    pub symbols: u16,
    /// About how many messages the synthetic day has.
    #[arg(long, default_value_t = synth::Config::SAMPLE.messages)]
    pub messages: u64,
    /// Hours of the synthetic day: eleven minutes around 09:30, or the venue's own.
    #[arg(long, value_enum, default_value_t = Span::Short)]
    pub hours: Span,
    /// Begin again after the last message, in the same session, until Ctrl-C.
    #[arg(long)]
    pub repeat: bool,

    /// Where line A is sent: an address that the client binds, or a multicast group.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26400")]
    pub a: SocketAddr,
    /// Where line B is sent.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26401")]
    pub b: SocketAddr,
    /// No line B.
    #[arg(long)]
    pub one_line: bool,
    /// Interface of multicast groups.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST)]
    pub interface: Ipv4Addr,
    /// Where the re-request server listens; port 0: any.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26402")]
    pub request: SocketAddr,
    /// Where the snapshot server listens; port 0: any.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:26403")]
    pub snapshot: SocketAddr,

    /// Session, at most ten characters.
    #[arg(long, default_value = "SIM0000001", value_parser = session)]
    pub session: [u8; 10],
    /// User of the snapshot server.
    #[arg(long, default_value = "sim", value_parser = at_most::<6>)]
    pub user: String,
    /// Its password.
    #[arg(long, default_value = "sim", value_parser = at_most::<10>)]
    pub password: String,

    /// Speed in per cent of the recorded pace.
    #[arg(
        long,
        default_value_t = 100,
        value_name = "PER_CENT",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub speed: u32,
    /// So many packets a second, each as full as may be, instead of the recorded pace.
    #[arg(
        long,
        value_name = "PACKETS",
        conflicts_with_all = ["speed", "flat_out"],
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub rate: Option<u32>,
    /// As fast as can be, instead of the recorded pace.
    #[arg(long, conflicts_with = "speed")]
    pub flat_out: bool,
    /// Messages of a packet.
    #[arg(
        long,
        default_value_t = 64,
        value_name = "MESSAGES",
        value_parser = clap::value_parser!(u16).range(1..=65_534)
    )]
    pub packet_messages: u16,
    /// Bytes of a packet.
    #[arg(
        long,
        default_value_t = 1_400,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u16).range(100..=65_507)
    )]
    pub packet_bytes: u16,

    /// Faults of line A.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    pub faults_a: FaultPlan,
    /// Faults of line B.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    pub faults_b: FaultPlan,
    /// Re-requests of a thousand that are not answered.
    #[arg(
        long,
        default_value_t = 0,
        value_name = "PER_MILLE",
        value_parser = clap::value_parser!(u16).range(..=1_000)
    )]
    pub request_loss: u16,
    /// Answers of a thousand that are shorter than they could be.
    #[arg(
        long,
        default_value_t = 0,
        value_name = "PER_MILLE",
        value_parser = clap::value_parser!(u16).range(..=1_000)
    )]
    pub request_short: u16,
    /// Messages that are kept for re-requests.
    #[arg(
        long,
        default_value_t = 1 << 18,
        value_name = "MESSAGES",
        value_parser = clap::value_parser!(u32).range(1..=1 << 24)
    )]
    pub store: u32,

    /// Seconds that the servers go on after the end of the session.
    #[arg(
        long,
        default_value_t = 5,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(..=86_400)
    )]
    pub linger: u64,
    /// Print a summary on standard output, as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Hours of a synthetic day.
#[derive(Clone, Copy, ValueEnum)]
pub enum Span {
    Short,
    Nasdaq,
}

impl Options {
    /// The synthetic day.
    pub fn day(&self) -> synth::Config {
        synth::Config {
            seed: self.seed,
            symbols: self.symbols,
            messages: self.messages,
            hours: match self.hours {
                Span::Short => Hours::SHORT,
                Span::Nasdaq => Hours::NASDAQ,
            },
            naming: Naming::Labelled,
            ..synth::Config::SAMPLE
        }
    }

    /// What is published, by name.
    pub fn name(&self) -> String {
        self.file.as_ref().map_or("synthetic day".to_owned(), |file| file.display().to_string())
    }

    /// The publisher.
    pub fn config(&self) -> net::Config {
        let pace = match (self.rate, self.flat_out) {
            (Some(rate), _) => Pace::PacketsPerSecond(rate),
            (None, true) => Pace::FlatOut,
            (None, false) => Pace::Recorded { per_cent: self.speed },
        };
        let requests = RequestPlan {
            loss_per_mille: self.request_loss,
            short_per_mille: self.request_short,
            bytes_max: self.packet_bytes.into(),
            ..RequestPlan::default()
        };
        net::Config {
            line_a: self.a,
            line_b: (!self.one_line).then_some(self.b),
            interface: self.interface,
            request: self.request,
            snapshot: self.snapshot,
            mold: mold::Config {
                session: self.session,
                pace,
                packet_bytes_max: self.packet_bytes.into(),
                packet_messages_max: self.packet_messages,
                lines: [self.faults_a, self.faults_b],
                store_messages_max: self.store as usize,
                store_bytes_max: self.store as usize * 64,
                requests,
                credentials: Credentials {
                    user: self.user.clone(),
                    password: self.password.clone(),
                },
                ..mold::Config::default()
            },
        }
    }
}

pub(crate) fn session(text: &str) -> Result<[u8; 10], String> {
    let mut session = [b' '; 10];
    let printable = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let room = session.get_mut(..text.len()).filter(|_| printable);
    room.ok_or("at most ten letters and digits")?.copy_from_slice(text.as_bytes());
    Ok(session)
}

pub(crate) fn at_most<const N: usize>(text: &str) -> Result<String, String> {
    let fits = text.len() <= N && text.is_ascii();
    fits.then(|| text.to_owned()).ok_or_else(|| format!("at most {N} characters"))
}
