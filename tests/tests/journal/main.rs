//! What a disk may do to a journal, and what the engine makes of it.

mod faults;
mod following;
mod owners;
mod run;
mod tails;
