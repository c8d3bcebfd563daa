//! What every program of the repository does in the same way: how it prints ([`println!`], [`print!`], [`eprintln!`],
//! [`eprint!`]) and how it is asked to stop ([`stop_on_signal`]).
#![forbid(unsafe_code)]

mod print;
mod stop;

pub use print::{NOBODY_READS, answer, end, tell, try_answer};
pub use stop::{INTERRUPTED, stop_on_signal};
