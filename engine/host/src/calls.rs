//! How often a thread calls the kernel: the tracepoint that every system call passes, counted for one thread
//! (perf_event_open(2)).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::FromRawFd;

/// Where tracefs is, or was before it had a place of its own.
const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// PERF_TYPE_TRACEPOINT.
const TRACEPOINT: u32 = 2;
/// PERF_FLAG_FD_CLOEXEC.
const CLOSE_ON_EXEC: libc::c_ulong = 8;

/// The first edition of perf_event_attr, which every kernel takes.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    period: u64,
    sample: u64,
    read: u64,
    flags: u64,
    wake_up: u32,
    breakpoint: u32,
    address: u64,
}
const _: () = assert!(size_of::<Attributes>() == 64);

/// System calls of the thread that made it.
#[derive(Debug)]
pub struct CallCounter(File);

impl CallCounter {
    /// Begins to count the calling thread's.
    ///
    /// # Errors
    ///
    /// What the host says: there is no tracefs, or this user may not count (CAP_PERFMON).
    pub fn start() -> io::Result<CallCounter> {
        let file = "events/raw_syscalls/sys_enter/id";
        let read = |root: &&str| std::fs::read_to_string(format!("{root}/{file}")).ok();
        let number = TRACEFS.iter().find_map(read).and_then(|text| text.trim().parse().ok());
        let absent = || io::Error::new(io::ErrorKind::NotFound, "tracefs is not there");
        let config = number.ok_or_else(absent)?;
        let size = size_of::<Attributes>() as u32;
        let attributes = Attributes { kind: TRACEPOINT, size, config, ..Attributes::default() };
        // SAFETY: the kernel reads one perf_event_attr of the size that it says, and takes the rest as numbers: this thread,
        // any processor, no group.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                0,
                -1,
                -1,
                CLOSE_ON_EXEC,
            )
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel made this descriptor for us, and nobody else has it.
        Ok(CallCounter(unsafe { File::from_raw_fd(fd as i32) }))
    }

    /// Calls so far, the one that asks among them.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn count(&mut self) -> io::Result<u64> {
        let mut count = [0; 8];
        self.0.read_exact(&mut count)?;
        Ok(u64::from_ne_bytes(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: this thread's calls count, and no other's. Method: ten calls between two looks, of which the second is one
    /// itself; then a thread that makes a thousand. Where nobody may count, that is said.
    #[test]
    fn calls_are_counted() {
        let mut counter = match CallCounter::start() {
            Ok(counter) => counter,
            Err(error) => return println!("SKIPPED: {error}"),
        };
        let mut between = |calls: &dyn Fn()| {
            let before = counter.count().unwrap();
            calls();
            counter.count().unwrap() - before - 1
        };
        let ask = || assert!(rustix::process::getppid().is_some());
        assert_eq!(between(&|| ()), 0);
        assert_eq!(between(&|| (0..10).for_each(|_| ask())), 10);
        let thousand = || {
            let spawned = std::thread::spawn(move || (0..1000).for_each(|_| ask()));
            spawned.join().unwrap();
        };
        assert!(between(&thousand) < 1000, "another thread's are not ours");
    }
}
