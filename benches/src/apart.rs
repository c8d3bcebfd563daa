//! Runs on two cores, and whether these were cores of their own meanwhile: a guest's may be threads of one, at one minute and
//! not at the next. What such runs come to is the host's doing, whosever work it is.

use doctor::Together;

/// Rounds that are tried for each one that is wanted.
const TRIED: usize = 3;

/// Does rounds until so many are of cores of their own, or three times as many were done; what those came to that count, and a
/// line about the others. If fewer than three were of cores of their own, all count. A round says `None` where nothing could be
/// measured, and counts then.
pub fn rounds<T>(wanted: usize, mut round: impl FnMut() -> (T, Option<bool>)) -> (Vec<T>, String) {
    let (mut apart, mut shared, mut unknown) = (Vec::new(), Vec::new(), 0);
    while apart.len() < wanted && apart.len() + shared.len() < TRIED * wanted {
        let (came_to, is_apart) = round();
        unknown += usize::from(is_apart.is_none());
        if is_apart == Some(false) { &mut shared } else { &mut apart }.push(came_to);
    }
    let (many, others) = (apart.len(), shared.len());
    let mut said = format!("n={many}, on cores of their own");
    if many < wanted.min(3) {
        apart.append(&mut shared);
        said =
            format!("n={}, {others} OF THEM WHILE BOTH CORES WERE THREADS OF ONE", many + others);
    } else if others > 0 {
        said += &format!("; {others} more while both were threads of one do not count");
    }
    if unknown > 0 {
        said += &format!("; NOT MEASURED OF {unknown} whether they were");
    }
    (apart, said)
}

/// Runs it; whether the two were cores of their own right before and right after.
pub fn watched<T>(cpus: [usize; 2], run: impl FnOnce() -> T) -> (T, Option<bool>) {
    let pair = [(cpus[0], cpus[1])];
    let are_apart = || doctor::measure_together(&pair).first().map(Together::is_apart);
    let before = are_apart();
    let came_to = run();
    (came_to, both(before, are_apart()))
}

/// Does `work` on a thread of its own that stays on a processor. The caller stays free to run anywhere, and so does what it
/// starts later: threads and programs inherit where whoever starts them may run.
pub fn pinned<T: Send>(cpu: usize, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            if !host::pin_current(cpu) {
                eprintln!("not pinned to processor {cpu}");
            }
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Of two looks: `false` if either says so, else `None` if either does not know.
pub fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: pinned work runs on its processor, and whatever is started after it may run on all of them. Method: where a thread
    /// may run in it, and one that is started behind it.
    #[test]
    fn pinned_work_pins_nobody_else() {
        let all = host::cpus();
        let last = *all.last().unwrap();
        assert_eq!(pinned(last, host::cpus), [last]);
        let later = std::thread::scope(|scope| scope.spawn(host::cpus).join().unwrap());
        assert_eq!(later, all);
    }

    /// Goal: rounds of one core do not count where enough are of two, and are told of either way, as are those of which nothing
    /// is known. Method: rounds of which every other is, none is, all are, and nothing is known.
    #[test]
    fn which_rounds_count() {
        let run = |is_apart: fn(usize) -> Option<bool>| {
            let mut number = 0;
            rounds(4, || {
                number += 1;
                (number, is_apart(number))
            })
        };
        let (counted, said) = run(|number| Some(number % 2 == 0));
        assert_eq!(counted, [2, 4, 6, 8]);
        assert!(said.starts_with("n=4, on cores of their own; 4 more"), "{said}");
        let (counted, said) = run(|_| Some(false));
        assert_eq!(counted.len(), 12);
        assert!(said.starts_with("n=12, 12 OF THEM"), "{said}");
        assert_eq!(run(|_| Some(true)), (vec![1, 2, 3, 4], "n=4, on cores of their own".into()));
        let (counted, said) = run(|_| None);
        assert!(
            counted.len() == 4 && said.ends_with("NOT MEASURED OF 4 whether they were"),
            "{said}"
        );
    }
}
