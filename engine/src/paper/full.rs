//! What the paper venue holds, for the full hash.

use super::Paper;
use crate::hash::StateHash;
use crate::step::Text;

impl Paper {
    /// Folds every order that rests, what was taken from the book, and the count of executions.
    pub(crate) fn fold(&self, hash: &mut StateHash) {
        let Paper { queues, crosses, spent, taken, reports, executions } = self;
        hash.fold_pair(*executions, reports.len() as u64);
        queues.resting().for_each(|node| Text(hash).fold(node));
        crosses.iter().flat_map(|queue| queue.resting()).for_each(|node| Text(hash).fold(node));
        Text(hash).fold(spent);
        // The table's order tells how it was filled, not what is in it: each entry alone, and their sum.
        let sum = taken.entries().fold(0_u64, |sum, entry| {
            let mut alone = StateHash::default();
            Text(&mut alone).fold(entry);
            sum.wrapping_add(alone.value())
        });
        hash.fold(sum);
    }
}
