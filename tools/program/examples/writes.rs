//! Tells and answers, for the tests of how a program ends that cannot.

use program::{eprintln, print, println};

fn main() -> std::process::ExitCode {
    eprintln!("told");
    println!("{}", "answered");
    print!("to the end\n");
    std::process::ExitCode::from(7)
}
