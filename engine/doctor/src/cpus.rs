//! Sets of processors, as the kernel writes them.

use std::collections::BTreeSet;
use std::fmt;

/// Highest number of a processor that is believed (the kernel's own limit is 8192).
const CPU_MAX: usize = 8_191;

/// Processors by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuSet(BTreeSet<usize>);

impl CpuSet {
    /// Reads `0-3,8,10-11`, and what boot parameters may say too: `all`, `N` for the last one, `0-N:2/4` for two of every four.
    /// The empty text and `(null)` are the empty set. `None`: it is no such list.
    pub fn parse_list(text: &str) -> Option<CpuSet> {
        let text = text.trim();
        if text.is_empty() || text == "(null)" {
            return Some(CpuSet::default());
        }
        let mut set = BTreeSet::new();
        for part in text.split(',') {
            let part = if part == "all" { "0-N" } else { part };
            let (range, groups) = part.split_once(':').unwrap_or((part, "1/1"));
            let (used, group) = groups.split_once('/')?;
            let (used, group) = (number(used)?, number(group)?);
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (bound(first)?, bound(last)?);
            if first > last || used > group || used == 0 {
                return None;
            }
            set.extend((first..=last).filter(|cpu| (cpu - first) % group < used));
        }
        Some(CpuSet(set))
    }

    /// Reads `ff,00000003`: words of 32 bits in hexadecimal, the highest first. `None`: it is no such mask.
    pub fn parse_mask(text: &str) -> Option<CpuSet> {
        let mut set = BTreeSet::new();
        for (place, word) in text.trim().rsplit(',').enumerate() {
            let word = word.trim();
            let bits = u32::from_str_radix(word, 16).ok().filter(|_| !word.starts_with('+'))?;
            let cpus =
                (0..32).filter(|bit| bits >> bit & 1 == 1).map(|bit| place * 32 + bit as usize);
            set.extend(cpus);
            if place * 32 > CPU_MAX {
                return None;
            }
        }
        Some(CpuSet(set))
    }

    /// Of the words behind `isolcpus=`, which may begin with flags: `managed_irq,domain,2-3`.
    pub fn parse_flagged(text: &str) -> Option<CpuSet> {
        let is_list = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
        let parts: Vec<&str> = text.split(',').skip_while(|part| !is_list(part)).collect();
        CpuSet::parse_list(&parts.join(","))
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many it holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds this one.
    pub fn has(&self, cpu: usize) -> bool {
        self.0.contains(&cpu)
    }

    /// Those that both hold.
    pub fn and(&self, other: &CpuSet) -> CpuSet {
        self.iter().filter(|cpu| other.has(*cpu)).collect()
    }

    /// Those that `other` does not hold.
    pub fn without(&self, other: &CpuSet) -> CpuSet {
        self.iter().filter(|cpu| !other.has(*cpu)).collect()
    }

    /// Rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied()
    }

    /// As the kernel takes it in hexadecimal: `ff,00000003`.
    pub fn to_mask(&self) -> String {
        let words = self.0.last().map_or(1, |last| last / 32 + 1);
        let word = |place: usize| {
            (0..32).filter(|bit| self.has(place * 32 + bit)).map(|bit| 1_u32 << bit).sum()
        };
        let mut words = (0..words).rev().map(word);
        let mut text = format!("{:x}", words.next().unwrap_or(0_u32));
        words.for_each(|word: u32| text += &format!(",{word:08x}"));
        text
    }
}

impl FromIterator<usize> for CpuSet {
    fn from_iter<I: IntoIterator<Item = usize>>(cpus: I) -> CpuSet {
        CpuSet(cpus.into_iter().collect())
    }
}

impl fmt::Display for CpuSet {
    /// As the kernel writes it: `0-3,8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for cpu in self.iter() {
            match runs.last_mut().filter(|(_, last)| *last + 1 == cpu) {
                Some((_, last)) => *last = cpu,
                None => runs.push((cpu, cpu)),
            }
        }
        let run = |(first, last): &(usize, usize)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        f.write_str(&runs.iter().map(run).collect::<Vec<_>>().join(","))
    }
}

/// A processor; `N` is the last one that there can be.
fn bound(text: &str) -> Option<usize> {
    if text == "N" { Some(CPU_MAX) } else { number(text) }
}

fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|cpu| digits && *cpu <= CPU_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goal: what is no list is none, and nothing large is believed. Method: each kind of damage.
    #[test]
    fn what_is_no_list() {
        for text in ["x", "1-", "-1", "3-1", "1,,2", "1 2", "0-99999999999", "8192", "+1", "1-2-3"]
            .into_iter()
            .chain(["0-3:0/2", "0-3:3/2", "0-3:1", "0-3:1/0", "alls"])
        {
            assert_eq!(CpuSet::parse_list(text), None, "{text}");
        }
        for text in ["", "xyz", "fffffffff", "+1", "1,,2"] {
            assert_eq!(CpuSet::parse_mask(text), None, "{text}");
        }
        assert_eq!(CpuSet::parse_mask(&"1,".repeat(1_000_000)), None);
        assert_eq!(CpuSet::parse_list("(null)"), Some(CpuSet::default()));
        for (text, first, count) in [
            ("all", vec![0, 1, 2], CPU_MAX + 1),
            ("2-N", vec![2, 3, 4], CPU_MAX - 1),
            ("1-9:2/4", vec![1, 2, 5], 5),
        ] {
            let set = CpuSet::parse_list(text).unwrap();
            assert_eq!((set.iter().take(3).collect(), set.0.len()), (first, count), "{text}");
        }
        let flagged = |text| CpuSet::parse_flagged(text).unwrap().to_string();
        assert_eq!(flagged("managed_irq,domain,2-3,5"), "2-3,5");
        assert_eq!(flagged("nohz"), "");
    }

    proptest! {
        /// Goal: both ways of writing read back. Method: any set.
        #[test]
        fn reads_back(cpus in proptest::collection::btree_set(0_usize..300, 0..40)) {
            let set = CpuSet(cpus);
            prop_assert_eq!(CpuSet::parse_list(&set.to_string()), Some(set.clone()));
            prop_assert_eq!(CpuSet::parse_mask(&set.to_mask()), Some(set));
        }
    }
}
