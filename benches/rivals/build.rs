//! Hands the program what it was built with: a figure without it means little.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().replace('\x1f', " ");
    println!("cargo::rustc-env=BUILT_BY={}", version.unwrap_or_else(|_| "unknown".into()));
    println!("cargo::rustc-env=BUILT_WITH={flags}");
    println!("cargo::rerun-if-changed=build.rs");
}
