//! Standard output and standard error: macros in place of the standard library's, which panic where nobody reads any more
//! (`… | head`) or the disk is full.
//!
//! Must never: let a command end with 0 whose answer did not get out; end an engine because its log cannot be written.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// The exit code of a program that SIGPIPE ended, as a shell tells it.
pub const NOBODY_READS: i32 = 141;

/// Answers with a line, or ends the program: see [`answer`].
#[macro_export]
macro_rules! println {
    ($($arg:tt)*) => { $crate::answer(::core::format_args!("{}\n", ::core::format_args!($($arg)*))) };
}

/// Answers, or ends the program: see [`answer`].
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => { $crate::answer(::core::format_args!($($arg)*)) };
}

/// Writes to standard error, if that can be done.
#[macro_export]
macro_rules! eprint {
    ($($arg:tt)*) => { $crate::tell(::core::format_args!($($arg)*)) };
}

/// Writes a line to standard error, if that can be done.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::tell(::core::format_args!("\n")) };
    ($($arg:tt)*) => { $crate::tell(::core::format_args!("{}\n", ::core::format_args!($($arg)*))) };
}

/// Writes to standard output, down to the operating system, or ends the program: see [`end`].
pub fn answer(text: Arguments) {
    try_answer(text).unwrap_or_else(|error| end(&error));
}

/// Writes to standard output, down to the operating system: for whoever has something to do before the program ends.
///
/// # Errors
///
/// Those of the operating system.
pub fn try_answer(text: Arguments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text).and_then(|()| out.flush())
}

/// Ends the program because standard output cannot be written: without a word and with [`NOBODY_READS`] if its reader has gone,
/// as any filter ends; else with 1, and the cause on standard error.
pub fn end(error: &io::Error) -> ! {
    if error.kind() == ErrorKind::BrokenPipe {
        exit(NOBODY_READS);
    }
    tell(format_args!("standard output: {error}\n"));
    exit(1)
}

/// Writes to standard error, if that can be done.
pub fn tell(text: Arguments) {
    let _ = io::stderr().lock().write_fmt(text);
}
