//! A passphrase, typed at a terminal: neither shown, nor an argument, nor in the environment, where others could read it.

use std::io::{BufRead, Write};

use program::{eprint, eprintln};
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use switch::Passphrase;

use crate::exit::Failure;

/// Turns the terminal's echo back on when it is dropped.
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn new() -> Result<Quiet, Failure> {
        let stdin = std::io::stdin();
        if !isatty(&stdin) {
            return Err(Failure::usage(
                "a passphrase is typed at a terminal; standard input is none",
            ));
        }
        let cannot = |error| Failure::usage(format!("the terminal cannot be silenced: {error}"));
        let before = tcgetattr(&stdin).map_err(cannot)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        // What was typed before the question is thrown away.
        tcsetattr(&stdin, OptionalActions::Flush, &quiet).map_err(cannot)?;
        Ok(Quiet { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
        eprintln!();
    }
}

/// Asks for a passphrase on standard error, and reads a line from the terminal that is standard input.
///
/// # Errors
///
/// Exit code 2 if standard input is no terminal or ends.
pub fn passphrase(question: &str) -> Result<Passphrase, Failure> {
    let quiet = Quiet::new()?;
    eprint!("{question}: ");
    let _ = std::io::stderr().flush();
    // At once as long as any line may be: growing would leave copies behind.
    let mut line = String::with_capacity(4096);
    let read = std::io::stdin().lock().read_line(&mut line);
    drop(quiet);
    let typed = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(typed);
    match read {
        Ok(count) if count > 0 => Ok(Passphrase::new(line)),
        _ => Err(Failure::usage("no passphrase was typed")),
    }
}
