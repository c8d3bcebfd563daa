//! Which interrupts came while something was measured.

use serde::Serialize;

use crate::Host;

/// Most rows of /proc/interrupts that are read.
const ROWS_MAX: usize = 16_384;

/// Interrupts since the host was started, by source and core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The cores of the columns.
    cpus: Vec<usize>,
    rows: Vec<(String, Vec<u64>)>,
}

/// Interrupts of one source on one core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Number and device, or what the kernel calls it.
    pub name: String,
    /// How many came.
    pub count: u64,
}

impl Counts {
    /// As they stand now; empty if the host does not tell.
    pub fn now(host: &Host) -> Counts {
        Counts::parse(&host.text("proc/interrupts").unwrap_or_default())
    }

    fn parse(text: &str) -> Counts {
        let mut lines = text.lines();
        let number = |word: &str| word.strip_prefix("CPU")?.parse().ok();
        let cpus: Option<Vec<usize>> =
            lines.next().unwrap_or_default().split_ascii_whitespace().map(number).collect();
        let Some(cpus) = cpus else { return Counts::default() };
        let row = |line: &str| {
            let (name, rest) = line.split_once(':')?;
            let mut words = rest.split_ascii_whitespace();
            let counts: Option<Vec<u64>> =
                words.by_ref().take(cpus.len()).map(|word| word.parse().ok()).collect();
            let words: Vec<&str> = words.collect();
            let name = name.trim();
            // Of a device the last word is its name; of the kernel's own, all are.
            let name = match (name.parse::<u32>(), words.last()) {
                (Ok(irq), Some(device)) => format!("irq {irq} {device}"),
                (Err(_), Some(_)) => words.join(" "),
                (_, None) => name.to_owned(),
            };
            let counts = counts.filter(|counts| counts.len() == cpus.len())?;
            Some((name, counts))
        };
        let rows = lines.take(ROWS_MAX).filter_map(row).collect();
        Counts { cpus, rows }
    }

    /// What came on a core since `earlier`, the most frequent first.
    pub fn since(&self, earlier: &Counts, cpu: usize) -> Vec<Source> {
        let Some(column) =
            self.cpus.iter().position(|of| *of == cpu).filter(|_| self.cpus == earlier.cpus)
        else {
            return Vec::new();
        };
        let before = |name: &str| {
            let row = earlier.rows.iter().find(|(of, _)| of == name);
            row.and_then(|(_, counts)| counts.get(column).copied()).unwrap_or(0)
        };
        let of = |(name, counts): &(String, Vec<u64>)| {
            let count = counts.get(column).copied().unwrap_or(0).saturating_sub(before(name));
            (count > 0).then(|| Source { name: name.clone(), count })
        };
        let mut sources: Vec<Source> = self.rows.iter().filter_map(of).collect();
        sources.sort_by_key(|source| std::cmp::Reverse(source.count));
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "           CPU0       CPU2       \n 24:   1   5  IO-APIC   5-edge      ACPI:Ged\n\
                          LOC:   256582     260492   Local timer interrupts\nERR:   0\n";

    /// Goal: what came is counted by core and source. Method: two texts of the kernel's form, a core that is not there, a source
    /// that is new, and texts that are none.
    #[test]
    fn what_came_since() {
        let before = Counts::parse(BEFORE);
        let after =
            BEFORE.replace("260492", "260500").replace("1   5", "1   6") + "NEW: 0 3 New one\n";
        let after = Counts::parse(&after);
        let named = |sources: Vec<Source>| -> Vec<(String, u64)> {
            sources.into_iter().map(|source| (source.name, source.count)).collect()
        };
        let of = |name: &str, count| (name.to_owned(), count);
        let expected =
            [of("Local timer interrupts", 8), of("New one", 3), of("irq 24 ACPI:Ged", 1)];
        assert_eq!(named(after.since(&before, 2)), expected);
        assert_eq!(after.since(&before, 0), []);
        assert_eq!(after.since(&before, 1), []);
        for text in
            ["", "rubbish", "CPU0 CPUx\n1: 2 3", "CPU0\n1: 99999999999999999999999 x\n:\n::"]
        {
            let counts = Counts::parse(text);
            assert_eq!(counts.since(&before, 0), [], "{text}");
            assert_eq!(after.since(&counts, 0), [], "{text}");
        }
    }
}
