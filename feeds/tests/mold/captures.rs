//! Real packets, if they are there.
