//! What we ask of Kraken v2.

use crate::stream::Symbols;

/// Symbols of one request.
const CHUNK: usize = 100;
/// Depths that the venue offers.
const DEPTHS: [u16; 5] = [10, 25, 100, 500, 1_000];

/// Whether the venue offers a depth.
pub(super) fn is_on_offer(depth: u16) -> bool {
    DEPTHS.contains(&depth)
}

/// The smallest depth on offer that is not below what is wanted, else the largest.
pub(super) fn depth(wanted: u16) -> u16 {
    let [.., largest] = DEPTHS;
    DEPTHS.into_iter().find(|depth| *depth >= wanted).unwrap_or(largest)
}

/// Appends requests of one `method` and `channel` for the symbols of these indexes.
pub(super) fn request(
    method: &str,
    channel: &str,
    more: &str,
    (symbols, which): (&Symbols, &[u16]),
    out: &mut Vec<String>,
) {
    for chunk in which.chunks(CHUNK) {
        let names: Vec<String> = chunk
            .iter()
            .filter_map(|index| symbols.get(*index))
            .map(|symbol| format!("\"{}\"", symbol.venue_symbol))
            .collect();
        out.push(format!(
            "{{\"method\":\"{method}\",\"params\":{{\"channel\":\"{channel}\",\"symbol\":[{}]{more}}}}}",
            names.join(",")
        ));
    }
}
