use proptest::prelude::*;

use super::*;

/// The definition, read off the standard: slow, recursive, obvious.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(&[]),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&naive_root(left), &naive_root(right))
        }
    }
}

fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, beside) = if index < left.len() {
        (naive_path(index, left), naive_root(right))
    } else {
        (naive_path(index - left.len(), right), naive_root(left))
    };
    path.push(beside);
    path
}

fn split(count: usize) -> usize {
    let mut split = 1;
    while split * 2 < count {
        split *= 2;
    }
    split
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u64).map(|n| leaf(&n.to_le_bytes())).collect()
}

fn path(index: u64, leaves: &[Hash]) -> Vec<Hash> {
    let mut finder = PathFinder::new(index, leaves.len() as u64).unwrap();
    leaves.iter().for_each(|leaf| finder.push(*leaf));
    finder.finish().unwrap()
}

/// Goal: head and paths are those of the definition, and every path verifies. Method: every size up to 130, every leaf.
#[test]
fn is_the_definition() {
    for count in 0..=130 {
        let leaves = leaves(count);
        let mut tree = Frontier::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        let root = naive_root(&leaves);
        assert_eq!((tree.count(), tree.root()), (count as u64, root), "{count} leaves");
        let again = Frontier::from_parts(tree.count(), tree.peaks().to_vec()).unwrap();
        assert_eq!(again, tree);
        for (index, leaf) in leaves.iter().enumerate() {
            let path = path(index as u64, &leaves);
            assert_eq!(path, naive_path(index, &leaves), "{index} of {count}");
            assert!(path.len() <= count.next_power_of_two().ilog2() as usize);
            assert!(is_in(leaf, index as u64, count as u64, &path, &root), "{index} of {count}");
        }
    }
    assert!(PathFinder::new(5, 5).is_none());
    assert!(Frontier::from_parts(3, vec![[0; 32]]).is_none());
}

/// Goal: a tree of more leaves than were read has no path. Method: stop one leaf early.
#[test]
fn no_path_of_half_a_tree() {
    let leaves = leaves(9);
    let mut finder = PathFinder::new(2, 9).unwrap();
    leaves.iter().take(8).for_each(|leaf| finder.push(*leaf));
    assert_eq!(finder.finish(), None);
}

proptest! {
    /// Goal: no altered proof verifies: another leaf, place, size, head, a hash changed, left out, added or swapped.
    /// Method: random sizes and leaves; one alteration of each kind.
    #[test]
    fn no_altered_proof(count in 1_u64..3000, pick in any::<u64>(), bit in 0_usize..256, at in any::<prop::sample::Index>()) {
        let leaves = leaves(count as usize);
        let index = pick % count;
        let root = naive_root(&leaves);
        let leaf = leaves[index as usize];
        let path = path(index, &leaves);
        prop_assert!(is_in(&leaf, index, count, &path, &root));
        let flip = |hash: &Hash| { let mut hash = *hash; hash[bit / 8] ^= 1 << (bit % 8); hash };
        prop_assert!(!is_in(&flip(&leaf), index, count, &path, &root));
        prop_assert!(!is_in(&leaf, index, count, &path, &flip(&root)));
        // Another size can have the same path only if the head is another, which the checkpoint signs; another place
        // never.
        for other in [index ^ 1, index + 1, index.wrapping_sub(1), count - 1 - index, u64::MAX] {
            prop_assert!(other == index || !is_in(&leaf, other, count, &path, &root), "at {other}");
        }
        prop_assert!(!is_in(&leaf, index, index, &path, &root));
        let mut longer = path.clone();
        longer.push(root);
        prop_assert!(!is_in(&leaf, index, count, &longer, &root));
        if !path.is_empty() {
            let place = at.index(path.len());
            let mut other = path.clone();
            other[place] = flip(&other[place]);
            prop_assert!(!is_in(&leaf, index, count, &other, &root));
            let mut shorter = path.clone();
            shorter.remove(place);
            prop_assert!(!is_in(&leaf, index, count, &shorter, &root));
            let mut turned = path.clone();
            turned.rotate_left(1);
            prop_assert!(path.len() == 1 || !is_in(&leaf, index, count, &turned, &root));
        }
    }
}
