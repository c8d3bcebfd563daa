//! `tickgate check-config`.

use std::path::PathBuf;

use clap::Args;
use engine::config::Config;
use engine::step::Engine;

use crate::exit::Failure;

/// Reads a configuration and lists everything that is wrong with it.
#[derive(Args)]
#[command(after_help = "Example: tickgate check-config --config deploy/engine.toml")]
pub struct CheckConfig {
    /// engine.toml; instruments.toml and limits.toml are read from the same folder.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    pub fn run(self) -> Result<(), Failure> {
        let config = Config::load(&self.config).map(|config| (config.digest(), config));
        let errors: Vec<String> = match &config {
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
            Ok((_, config)) => refused(config),
        };
        if self.json {
            let digest = config.as_ref().ok().map(|(digest, _)| format!("{digest:016x}"));
            println!(
                "{}",
                serde_json::json!({ "ok": errors.is_empty(), "errors": errors, "digest": digest })
            );
        } else if errors.is_empty() {
            println!("{}: good", self.config.display());
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(if self.json {
            String::new()
        } else {
            format!("refused\n{}", errors.join("\n"))
        }))
    }
}

/// Why engines cannot start with it.
fn refused(config: &Config) -> Vec<String> {
    let each = match config.engines() {
        Ok(each) => each,
        Err(errors) => return errors.iter().map(ToString::to_string).collect(),
    };
    each.iter().filter_map(|config| Some(Engine::new(config).err()?.to_string())).collect()
}
