//! 48 words in shared memory between two processes: this one writes, the program started again as its partner reads.
//!
//! Ours is a board as the engine publishes it and a client reads it: one of four slots, in memory that the client cannot write,
//! and that the engine's heart has begun to beat; in the second line every field is judged. What the rivals hand over is 48
//! bare words.
//!
//! Each round starts a partner. It reads a page that nobody changes, many times, and says what one read took; then it
//! waits for page after page, each of which bears the time at which it was published, and says how old the median one
//! was when it was first seen. The clock is read twice in that, and both processes spin, with a pause between two looks.
//! Whoever reads has the whole page in memory of its own then, not only the two words that are looked at.

#[cfg(feature = "iceoryx2")]
mod iceoryx;
mod ours;

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use super::rival;
use crate::contest::{Contender, Contest, Outcome, Round};
use crate::setting::Setting;

/// Words of a page.
const WORDS: usize = model::page::Board::WORDS;
/// Reads of the page that nobody changes.
const READS: u64 = 200_000;
/// Pages that are published, and the time from one to the next.
const PAGES: u64 = 20_000;
const GAP_NS: u64 = 5_000;

/// Tells a partner which library it reads by, where, and on which processor.
const PARTNER: &str = "RIVALS_PARTNER";

/// The writing end.
trait Write {
    /// Publishes page `number`, stamped with the time.
    fn publish(&mut self, number: u64, stamp: u64);
}

/// The reading end.
trait Read {
    /// Number and stamp of the newest page; `None`: none, or none since the last call. The page went through [`whole`].
    fn read(&mut self) -> Option<(u64, u64)>;
}

/// The page, every byte of which is used, for all that the compiler knows: it leaves out the copying of words that nobody looks
/// at, and a blackboard that is inlined here would copy two of 48.
fn whole<T>(page: &T) -> &T {
    std::hint::black_box(page)
}

/// Which of its two figures a round is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Read,
    Seen,
}

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let [_, cpu] = setting.cpus;
    let contest = |about, title: &str, unit| Contest {
        title: title.into(),
        unit,
        right: Some(1),
        contenders: rivals(about, cpu),
    };
    let read = contest(About::Read, "page of 384 bytes, read while nobody writes", "ns a read");
    let seen =
        contest(About::Seen, "page of 384 bytes, published until seen by another process", "ns");
    let mut outcomes = vec![read.run(setting)];
    if setting.cpus[0] == cpu {
        eprintln!("  skipped: two processors are needed");
    } else {
        outcomes.push(seen.run_on_pair(setting));
    }
    outcomes
}

fn rivals(about: About, cpu: usize) -> Vec<Contender<'static>> {
    let mut rivals = vec![
        Contender::ours_if("board's words", move || ours::round(about, cpu, ours::WORDS))
            .note("whole, from memory that it cannot write"),
        Contender::ours_if("board page", move || ours::round(about, cpu, ours::PAGE))
            .note("every field judged"),
        rival!(
            "iceoryx2",
            "iceoryx2",
            Contender::rival_if("iceoryx2", "blackboard", move || iceoryx::blackboard(about, cpu))
                .note("bare words; its reader writes to shared memory")
        ),
    ];
    if about == About::Seen {
        rivals.push(rival!(
            "iceoryx2",
            "iceoryx2",
            Contender::rival_if("iceoryx2", "pub-sub", move || iceoryx::pub_sub(about, cpu))
                .note("bare words")
        ));
    }
    rivals
}

/// Publishes to a partner that reads by `kind` at `place`, and takes what it found.
fn serve(
    about: About,
    cpu: usize,
    [kind, place]: [&str; 2],
    writer: &mut impl Write,
) -> Result<Round, String> {
    let failed = |error: std::io::Error| format!("not run: {error}");
    let program = std::env::current_exe().map_err(failed)?;
    let what = if about == About::Read { "read" } else { "seen" };
    let mut partner = Command::new(program)
        .env(PARTNER, format!("{kind} {place} {cpu} {what}"))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut lines =
        partner.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines);
    let mut figure = None;
    writer.publish(1, host::monotonic_ns());
    while let Some(Ok(line)) = lines.next() {
        match line.split_once(' ') {
            Some(("each", each)) => figure = each.parse().ok(),
            _ => publish_all(writer),
        }
    }
    let is_right = partner.wait().is_ok_and(|status| status.success());
    let each = figure.ok_or("not run: the partner failed")?;
    Ok(Round { each, sum: Some(is_right.into()) })
}

fn publish_all(writer: &mut impl Write) {
    let mut next = host::monotonic_ns();
    for number in 2..=PAGES + 1 {
        next += GAP_NS;
        while host::monotonic_ns() < next {
            std::hint::spin_loop();
        }
        // A writer that was held up does not make up for it by pages that nobody can see.
        next = host::monotonic_ns();
        writer.publish(number, next);
    }
}

/// The partner's life, if this process is one.
pub fn as_partner() -> Option<ExitCode> {
    let told = std::env::var(PARTNER).ok()?;
    let [kind, place, cpu, what] = told.split(' ').collect::<Vec<_>>()[..] else {
        return Some(ExitCode::FAILURE);
    };
    let about = if what == "read" { About::Read } else { About::Seen };
    host::pin_current(cpu.parse().unwrap_or(0));
    let is_right = match kind {
        ours::WORDS => {
            ours::words_reader(place, about).is_some_and(|reader| read_all(reader, about))
        }
        ours::PAGE => ours::page_reader(place, about).is_some_and(|reader| read_all(reader, about)),
        #[cfg(feature = "iceoryx2")]
        "blackboard" => {
            iceoryx::blackboard_reader(place, about).is_ok_and(|reader| read_all(reader, about))
        }
        #[cfg(feature = "iceoryx2")]
        "pub-sub" => iceoryx::subscriber(place).is_ok_and(|reader| read_all(reader, about)),
        _ => false,
    };
    Some(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_all(mut reader: impl Read, about: About) -> bool {
    if about == About::Read {
        while reader.read().is_none() {}
        let start = host::monotonic_ns();
        let right = (0..READS)
            .filter(|_| std::hint::black_box(reader.read()).is_some_and(|(number, _)| number == 1));
        let right = right.count() as u64;
        println!("each {}", (host::monotonic_ns() - start) as f64 / READS as f64);
        return right == READS;
    }
    println!("ready");
    let (mut last, mut ages, mut in_order) = (1, Vec::with_capacity(PAGES as usize), true);
    while last <= PAGES {
        let Some((number, stamp)) = reader.read() else {
            std::hint::spin_loop();
            continue;
        };
        if number > last {
            ages.push(host::monotonic_ns().saturating_sub(stamp));
        }
        in_order &= number >= last;
        last = number;
    }
    ages.sort_unstable();
    println!("each {}", ages[ages.len() / 2]);
    in_order && ages.len() as u64 > PAGES / 2
}
