//! How much memory the books take.

/// How much memory to take at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookCapacity {
    /// Books.
    pub instruments: u32,
    /// Resting orders of all books together, at most 2^30 (36 bytes each, and 16 to 32 for the
    /// table of references).
    pub orders: u32,
    /// Price levels of all books together (40 bytes each).
    pub levels: u32,
    /// Nodes of the ladders (268 bytes each): 64 neighbouring price steps share one, and each side
    /// has two to four more.
    pub nodes: u32,
    /// Pages of 4,096 recent order references (16 KiB each), rounded up to a power of two. Older
    /// references are found as surely, but more slowly.
    pub ref_pages: u32,
}

impl BookCapacity {
    /// Room for a day of equities: half as many levels as orders, on average two levels a node, and
    /// the latest four references for each order.
    pub const fn new(instruments: u32, orders: u32) -> BookCapacity {
        let levels = orders / 2 + 2 * instruments;
        let nodes = orders / 4 + 12 * instruments + 64;
        BookCapacity { instruments, orders, levels, nodes, ref_pages: orders / 1024 + 1 }
    }
}
