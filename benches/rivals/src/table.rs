//! One table of everything, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::contest::{Line, Outcome, Part, Verdict};
use crate::machine::Machine;

/// What a run came to.
pub struct Table {
    /// Of which machine.
    pub machine: Machine,
    /// Messages of the day that was asked for.
    pub messages: u64,
    /// Rounds that were asked for.
    pub rounds: u32,
    /// Contests with the names of their rows.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

/// The first figure of a part that may be compared: what others are divided by.
fn reference(lines: &[Line], part: Part) -> Option<f64> {
    lines.iter().find(|line| line.part == part && line.counts()).and_then(Line::median)
}

fn ratio(line: &Line, to: Option<f64>) -> Option<f64> {
    line.median().filter(|_| line.counts()).zip(to).map(|(median, to)| median / to)
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(value) if value < 100.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.0}"),
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Right => "ok".into(),
        Verdict::Unchecked => "-".into(),
        Verdict::Wrong(found) => format!("WRONG {found:016x}"),
        Verdict::Absent(why) => why.clone(),
        Verdict::Panicked => "panicked".into(),
    }
}

impl Table {
    /// Whether nothing of ours is wrong or panicked, and no bound.
    pub fn is_right(&self) -> bool {
        let mut lines = self.outcomes.iter().flat_map(|(_, outcome)| &outcome.lines);
        let failed = |line: &Line| matches!(line.verdict, Verdict::Wrong(_) | Verdict::Panicked);
        lines.all(|line| line.part == Part::Rival || !failed(line))
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = self.machine.text();
        let _ = writeln!(
            text,
            "{} messages, {} rounds, alternating. Less is better; compare within one table of one run alone.",
            self.messages, self.rounds
        );
        for (row, outcome) in &self.outcomes {
            let Outcome { title, unit, hiccups, place, lines } = outcome;
            let (lost, longest) = (hiccups.lost_percent, hiccups.longest_us);
            let _ = write!(text, "\n{row}: {title}, {unit}");
            let _ =
                write!(text, " (others took {lost:.0} % just before, {longest:.0} us at a stretch");
            if let Some(place) = place {
                let _ = write!(text, "; {}", place.text());
            }
            if let Some(together) = hiccups.together_percent {
                let factor = doctor::factor(together);
                let _ = write!(text, "; work took {factor} times as long beside the partner's");
            }
            text.push_str(")\n");
            let head = ["", "median", "min", "x ours", "x bound", "digest"];
            let [name, median, min, ours, bound, digest] = head;
            let _ =
                writeln!(text, "{name:<44} {median:>9} {min:>9} {ours:>8} {bound:>8}  {digest}");
            let (ours, bound) = (reference(lines, Part::Ours), reference(lines, Part::Bound));
            for line in lines {
                let name = format!("{} {}", line.name, line.version);
                let note =
                    if line.note.is_empty() { String::new() } else { format!("  ({})", line.note) };
                let row = format!(
                    "{name:<44} {:>9} {:>9} {:>8} {:>8}  {}{note}",
                    number(line.median()),
                    number(line.min()),
                    number(ratio(line, ours)),
                    number(ratio(line, bound)),
                    verdict(&line.verdict),
                );
                let _ = writeln!(text, "{}", row.trim_end());
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let contests: Vec<Value> =
            self.outcomes.iter().map(|(row, outcome)| contest(row, outcome)).collect();
        let table = json!({
            "machine": self.machine,
            "messages": self.messages,
            "rounds": self.rounds,
            "contests": contests,
        });
        format!("{table:#}\n")
    }
}

fn contest(row: &str, outcome: &Outcome) -> Value {
    let Outcome { title, unit, hiccups, place, lines } = outcome;
    let (ours, bound) = (reference(lines, Part::Ours), reference(lines, Part::Bound));
    let line = |line: &Line| {
        let part = match line.part {
            Part::Ours => "ours",
            Part::Rival => "rival",
            Part::Bound => "bound",
        };
        json!({
            "name": line.name,
            "version": line.version,
            "part": part,
            "median": line.median(),
            "min": line.min(),
            "rounds": line.rounds,
            "ratio_to_ours": ratio(line, ours),
            "ratio_to_bound": ratio(line, bound),
            "verdict": verdict(&line.verdict),
            "note": line.note,
        })
    };
    let lines: Vec<Value> = lines.iter().map(line).collect();
    json!({ "row": row, "title": title, "unit": unit, "hiccups": hiccups, "place": place, "lines": lines })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::Options;
    use crate::contest::{Contender, Contest, Round};
    use crate::setting::Setting;

    /// Goal: a run fails where a part of ours or a bound panics or is wrong, and not where a rival does. Method: one contender of
    /// each, that panics, finds something else, or does well.
    #[test]
    fn what_makes_a_run_fail() {
        let setting = Setting::new(&Options::parse_from(["rivals", "--rounds", "1"]));
        let is_right = |contender| {
            let (title, contenders) = (String::new(), vec![contender]);
            let outcome = Contest { title, unit: "", right: Some(1), contenders }.run(&setting);
            let outcomes = vec![("", outcome)];
            Table { machine: Machine::now(), messages: 0, rounds: 1, outcomes }.is_right()
        };
        let found = |sum| move || Round { each: 1.0, sum: Some(sum) };
        assert!(is_right(Contender::ours("", found(1))));
        assert!(!is_right(Contender::ours("", found(2))));
        assert!(!is_right(Contender::ours("", || panic!("on purpose"))));
        assert!(!is_right(Contender::bound("", || panic!("on purpose"))));
        assert!(is_right(Contender::rival("", "", || panic!("on purpose"))));
    }
}
