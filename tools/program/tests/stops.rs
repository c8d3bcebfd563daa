//! How a program is asked to stop.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

/// Starts it with no signal ignored, whatever this process ignores.
const PLAIN: &[&str] = &["env", "--default-signal=HUP"];

/// What the example says and how it ends, which takes it `takes` milliseconds from the first of `signals` on; the others are sent
/// so many milliseconds after the one before. `how`: what it is started by.
fn ended(how: &[&str], takes: u32, signals: &[(&str, u64)]) -> (String, Option<i32>) {
    let here = std::env::current_exe().expect("this program");
    let built = here.ancestors().nth(2).expect("a folder of a build").join("examples/waits");
    let (first, rest) = how.split_first().expect("a program");
    let mut child = Command::new(first)
        .args(rest)
        .arg(built)
        .arg(takes.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said: BufReader<ChildStdout> = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut text = String::new();
    said.read_line(&mut text).expect("that it waits");
    for (signal, after) in signals {
        std::thread::sleep(Duration::from_millis(*after));
        assert_eq!(child.try_wait().expect("a child"), None, "it ended before {signal}");
        let sent = Command::new("kill").args([*signal, &child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }
    said.read_to_string(&mut text).expect("all that it says");
    (text, child.wait().expect("its end").code())
}

/// Goal: each way of being asked ends a program in its own time; one Ctrl-C that comes twice is one. Method: each signal, and two
/// at once.
#[test]
fn it_is_asked_once() {
    for signals in
        [&[("-INT", 0)][..], &[("-TERM", 0)], &[("-HUP", 0)], &[("-INT", 0), ("-INT", 0)]]
    {
        let told = ended(PLAIN, 100, signals);
        assert_eq!(told, ("waits\nasked\n".to_owned(), Some(7)), "{signals:?}");
    }
}

/// Goal: whoever asks again ends it at once, but not a terminal that closes. Method: a program that would take minutes; a short
/// one that hears of its terminal twice.
#[test]
fn a_second_time_ends_it() {
    let told = ended(PLAIN, 300_000, &[("-INT", 0), ("-TERM", 1_000)]);
    assert_eq!(told, ("waits\nasked\n".to_owned(), Some(program::INTERRUPTED)));
    let told = ended(PLAIN, 1_500, &[("-HUP", 0), ("-HUP", 500)]);
    assert_eq!(told, ("waits\nasked\n".to_owned(), Some(7)));
}

/// Goal: what was started to outlive its terminal does. Method: `nohup`.
#[test]
fn nohup_is_heeded() {
    let told = ended(&["nohup"], 0, &[("-HUP", 0), ("-TERM", 300)]);
    assert_eq!(told, ("waits\nasked\n".to_owned(), Some(7)));
}
