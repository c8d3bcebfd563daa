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

use std::process::ExitCode;

use clap::Parser;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio_pipes;

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

/// Serves until the client closes its end. One thread: a call takes microseconds, and the engine
/// needs the cores.
fn serve(engine: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let sidecar = Sidecar::new(engine);
        let beats = sidecar.beats();
        match sidecar.serve(stdio_pipes()).await {
            Ok(running) => {
                let beats = tokio::spawn(beats);
                let quit = running.waiting().await;
                beats.abort();
                quit.map(drop).map_err(Into::into)
            }
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    });
    // Where standard input is no pipe, a thread may still be reading it: do not wait for that.
    runtime.shutdown_background();
    served
}
