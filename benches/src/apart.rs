//! Runs on two cores, and whether these were cores of their own meanwhile: a guest's may be threads of one, at one minute and
//! not at the next. What such runs come to is the host's doing.

use doctor::Together;

/// Rounds that are tried for each one that is wanted.
const TRIED: usize = 3;

/// Does rounds until so many are of cores of their own, or three times as many were done; what those came to that count, and a
/// line about the others. If fewer than three were of cores of their own, all count.
pub fn rounds<T>(wanted: usize, mut round: impl FnMut() -> (T, bool)) -> (Vec<T>, String) {
    let (mut apart, mut shared) = (Vec::new(), Vec::new());
    while apart.len() < wanted && apart.len() + shared.len() < TRIED * wanted {
        let (came_to, is_apart) = round();
        if is_apart { &mut apart } else { &mut shared }.push(came_to);
    }
    let (many, others) = (apart.len(), shared.len());
    if many >= wanted.min(3) {
        let left_out = format!(
            "n={many}, on cores of their own; {others} more while both were threads of one core"
        );
        return (apart, left_out);
    }
    apart.append(&mut shared);
    (apart, format!("n={}, {others} OF THEM WHILE BOTH CORES WERE THREADS OF ONE", many + others))
}

/// Runs it; whether the two were cores of their own right before and right after. Also if nothing can be measured: nothing says
/// that they were not.
pub fn watched<T>(cpus: [usize; 2], run: impl FnOnce() -> T) -> (T, bool) {
    let are_apart = || doctor::measure_together(&cpus).first().is_none_or(Together::is_apart);
    let before = are_apart();
    let came_to = run();
    (came_to, before && are_apart())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: rounds of one core do not count where enough are of two, and are told of either way. Method: rounds of which every
    /// other is, none is, and none is not.
    #[test]
    fn which_rounds_count() {
        let run = |is_apart: fn(usize) -> bool| {
            let mut number = 0;
            rounds(4, || {
                number += 1;
                (number, is_apart(number))
            })
        };
        let (counted, said) = run(|number| number % 2 == 0);
        assert_eq!(counted, [2, 4, 6, 8]);
        assert!(said.starts_with("n=4, ") && said.contains("4 more while"), "{said}");
        let (counted, said) = run(|_| false);
        assert_eq!(counted.len(), 12);
        assert!(said.starts_with("n=12, 12 OF THEM"), "{said}");
        let (counted, said) = run(|_| true);
        assert_eq!(counted, [1, 2, 3, 4]);
        assert!(said.contains("0 more"), "{said}");
    }
}
