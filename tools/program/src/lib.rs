//! What every program of the repository does in the same way: how it prints ([`println!`], [`print!`], [`eprintln!`],
//! [`eprint!`]), how it is asked to stop ([`stop_on_signal`]), and how it passes that on ([`output`]).
#![forbid(unsafe_code)]

mod child;
mod print;
mod stop;

pub use child::output;
pub use print::{NOBODY_READS, answer, end, tell, try_answer};
pub use stop::{INTERRUPTED, stop_on_signal};
