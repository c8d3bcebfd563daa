//! Runs a command of its shell and says what that answered, and how it ended.

use std::process::Command;

use program::println;

fn main() {
    let stop = program::stop_on_signal().expect("signals");
    let mut command = Command::new("sh");
    command.args(["-c", &std::env::args().nth(1).expect("a command")]);
    let said = program::output(&mut command, &stop).expect("a shell");
    println!("{}{}", String::from_utf8_lossy(&said.stdout), said.status);
}
