//! What a disk may do to a journal, and what the engine makes of it.

mod disk;
mod faults;
mod following;
mod owners;
mod run;
mod snapshots;
mod tails;
