//! `tickgate-mcp`: lets an AI agent see what the engine sees, and ask it for orders.
//!
//! Flow: a client's call arrives on standard input → [`server`] → one [`tool`] → pages of the
//! engine's shared memory, or a request to its desk and the answer → a result on standard output,
//! stamped with the moment that it describes.
//!
//! Must never: make the engine wait, judge an order itself, invent a value, or write anything but
//! protocol to standard output. It knows the engine by its shared memory alone.
#![forbid(unsafe_code)]

mod ask;
mod cli;
mod decimal;
mod fault;
mod order;
mod outcome;
mod reply;
mod rule;
mod schema;
mod server;
mod session;
mod terms;
mod tool;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::{StdioWriter, stdio_pipes};
use tokio::io::{BufReader, DuplexStream};

use crate::server::Sidecar;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    tracing_subscriber::fmt()
        .with_max_level(cli.log)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_ansi(false)
        .init();
    match serve(cli.engine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// How many bytes of answers may wait to be written. Where they are more, answers wait for each other one by one, and no
/// two are written together any longer: so it is many times what calls under way usually come to.
const ANSWERS_MAX: usize = 1024 * 1024;

/// As much as a pipe takes at once.
const WRITE_MAX: usize = 64 * 1024;

/// How long a client that asks no more has to read its last answers; as long as rmcp gives calls under way.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Serves until the client closes its end. One thread: a call takes microseconds, and the engine
/// needs the cores.
fn serve(engine: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let sidecar = Sidecar::new(engine);
        let beats = sidecar.beats();
        let (requests, output) = stdio_pipes();
        // One of its two directions; and the end of one half is heard at the other, which a simplex does not tell.
        let (answers, gathered) = tokio::io::duplex(ANSWERS_MAX);
        let writing = tokio::spawn(write_gathered(gathered, output));
        let served = match sidecar.serve((requests, answers)).await {
            Ok(running) => {
                let beats = tokio::spawn(beats);
                let quit = running.waiting().await;
                beats.abort();
                quit.map(drop).map_err(Into::into)
            }
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        };
        // Neither an error nor a client that does not read is news to one that has gone.
        let _ = tokio::time::timeout(LAST_ANSWERS, writing).await;
        served
    });
    // Where standard input is no pipe, a thread may still be reading it: do not wait for that.
    runtime.shutdown_background();
    served
}

/// Writes answers as they come. Its turn comes after those of all calls that are ready, so that their answers take one
/// write and wake the client once: one by one, of calls under way together each took a write and a wake-up.
async fn write_gathered(answers: DuplexStream, mut output: StdioWriter) -> io::Result<u64> {
    tokio::io::copy_buf(&mut BufReader::with_capacity(WRITE_MAX, answers), &mut output).await
}
