//! `tickgate X` runs `tickgate-X`, from beside this program or from the path.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use crate::exit::Failure;

/// Becomes the program; returns only if it cannot.
pub fn run(words: &[OsString]) -> Result<(), Failure> {
    let Some((name, arguments)) = words.split_first() else {
        return Err(Failure::usage("no command"));
    };
    let name = name.to_string_lossy();
    let program = format!("tickgate-{name}");
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(|folder| folder.join(&program)));
    let path = beside.filter(|path| path.exists()).unwrap_or_else(|| program.clone().into());
    let error = std::process::Command::new(path).args(arguments).exec();
    if error.kind() != std::io::ErrorKind::NotFound {
        return Err(Failure::io(&program, &error));
    }
    let message = match name.as_ref() {
        "mcp" => format!("{program} is not built yet: cargo build --release -p sidecar"),
        "audit" => format!("{program} is not built yet: cargo build --release -p audit-tool"),
        "doctor" => format!("{program} is not built yet: cargo build --release -p doctor-tool"),
        "risk" => format!("{program} is not built yet: cargo build --release -p risk-verify"),
        "approve" | "halt" | "operator" | "rate" | "reload" | "resume" | "split" | "status" => {
            format!("{program} is not built yet: cargo build --release -p operator")
        }
        "whatif" | "why" => format!("{program} is not built yet: cargo build --release -p why"),
        "book" | "capture" | "convert" | "follow" | "journal" | "latency" | "load" | "sim"
        | "synth" => {
            format!("{program} is not built yet: cargo build --release -p {name}")
        }
        _ => format!(
            "no command `{name}`, and no program {program} here or in the path; see tickgate --help"
        ),
    };
    Err(Failure::usage(message))
}
