//! `[memory]`: how much the engine may take, and in which pages.

use super::table::{ConfigErrors, Table};

const MIB: u64 = 1 << 20;
/// More than any host has.
const MIB_MAX: u64 = 1 << 24;

/// How much memory the engine may take, and in which pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes that its tables may take at most; `None`: what the host has available at the start.
    pub max_bytes: Option<u64>,
    /// Whether large tables ask for huge pages.
    pub huge_pages: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { max_bytes: None, huge_pages: true }
    }
}

impl Memory {
    /// Reads the table; `None` if something of it could not be read, which is noted.
    pub(super) fn read(mut table: Table<'_>, errors: &mut ConfigErrors) -> Option<Memory> {
        let max_mib = match table.has("max_mib") {
            true => table.number("max_mib", 1, MIB_MAX, errors).map(Some),
            false => Some(None),
        };
        let huge_pages = table.flag_or("huge_pages", true, errors);
        table.finish(errors);
        Some(Memory { max_bytes: max_mib?.map(|mib| mib * MIB), huge_pages: huge_pages? })
    }

    /// The text that reads back as this; nothing where nothing need be said.
    pub(super) fn to_toml(self) -> String {
        let Memory { max_bytes, huge_pages } = self;
        if self == Memory::default() {
            return String::new();
        }
        let max_mib =
            max_bytes.map_or_else(String::new, |max| format!("max_mib = {}\n", max / MIB));
        format!("\n[memory]\n{max_mib}huge_pages = {huge_pages}\n")
    }
}
