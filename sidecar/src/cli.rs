//! The command line.

use clap::Parser;
use tracing::Level;

const EXAMPLES: &str = "\
Examples:
  claude mcp add tickgate -- tickgate-mcp
      connects Claude Code to the only running engine
  claude mcp add tickgate -- tickgate-mcp --engine demo
      the same, to the engine of that name
  tickgate demo
      starts an engine on paper, in another terminal

The sidecar speaks the Model Context Protocol on standard input and output and logs to standard error.
It attaches to the engine at the first call, again after each restart of it, and leaves when its input ends.";

/// Lets an AI agent see what a running tickgate engine sees, and ask it for orders.
#[derive(Parser)]
#[command(name = "tickgate-mcp", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The engine to attach to, by name; without it: the only one running.
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,
    /// What is written to standard error: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub log: Level,
}
