use super::*;
use crate::sync::Ordering::Relaxed;
use rustix::fs::FallocateFlags;
use rustix::mm::{Advice, MprotectFlags};

const WORDS: usize = 1024;
const BYTES: usize = WORDS * 8;

fn map(file: &OwnedFd, prot: ProtFlags) -> Result<*mut core::ffi::c_void, Errno> {
    // SAFETY: a new map at an address of the kernel's choice touches no memory that exists.
    unsafe { rustix::mm::mmap(null_mut(), BYTES, prot, MapFlags::SHARED, file, 0) }
}

fn protect(map: &Map, flags: MprotectFlags) -> Result<(), Errno> {
    // SAFETY: a whole map of ours, made more permissive or as it was.
    unsafe { rustix::mm::mprotect(map.start.as_ptr().cast(), BYTES, flags) }
}

fn advise_remove(map: &Map) -> Result<(), Errno> {
    // SAFETY: it must fail; if it did not, the words would turn zero, which atomics can be.
    unsafe { rustix::mm::madvise(map.start.as_ptr().cast(), BYTES, Advice::LinuxRemove) }
}

/// Everything that a process could try with a descriptor to change the memory behind it or its
/// size.
fn assaults(file: &OwnedFd) -> Vec<(&'static str, Result<(), Errno>)> {
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let allocate = |flags, bytes| rustix::fs::fallocate(file, flags, 0, bytes as u64);
    let seals = SealFlags::WRITE;
    vec![
        ("map read-write", map(file, ProtFlags::READ | ProtFlags::WRITE).map(drop)),
        ("map write-only", map(file, ProtFlags::WRITE).map(drop)),
        ("write(2)", rustix::io::write(file, &[1; 8]).map(drop)),
        ("pwrite(2)", rustix::io::pwrite(file, &[1; 8], 0).map(drop)),
        ("ftruncate to nothing", rustix::fs::ftruncate(file, 0)),
        ("ftruncate to more", rustix::fs::ftruncate(file, 2 * BYTES as u64)),
        ("punch a hole", allocate(punch, BYTES)),
        ("zero a range", allocate(FallocateFlags::ZERO_RANGE, BYTES)),
        ("grow", allocate(FallocateFlags::empty(), 2 * BYTES)),
        ("another seal", rustix::fs::fcntl_add_seals(file, seals)),
    ]
}

fn reopened(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
}

/// Goal: a client cannot write to the engine's pages, whatever it tries with its descriptor or its
/// map, while the engine still can. Method: every known way, on the descriptor as handed over and
/// on one re-opened for writing through /proc.
#[test]
fn pages_are_really_read_only() {
    let file = create("test-pages", WORDS).unwrap();
    let engine = Map::new(&file, WORDS, Access::Write).unwrap();
    seal(&file).unwrap();
    let handed_over = read_only(&file).unwrap();
    let client = Map::new(&handed_over, WORDS, Access::Read).unwrap();
    engine.words()[5].store(42, Relaxed);

    for (what, outcome) in assaults(&handed_over) {
        assert!(outcome.is_err(), "{what} through the descriptor handed over");
    }
    if let Ok(writable) = reopened(&handed_over) {
        for (what, outcome) in assaults(&writable) {
            assert!(outcome.is_err(), "{what} through a descriptor opened again");
        }
    }
    let write = MprotectFlags::READ | MprotectFlags::WRITE;
    assert_eq!(protect(&client, write), Err(Errno::ACCESS));
    assert!(advise_remove(&client).is_err());

    assert_eq!(client.words()[5].load(Relaxed), 42, "nothing came through");
    engine.words()[5].store(43, Relaxed);
    assert_eq!(client.words()[5].load(Relaxed), 43, "the engine still writes");
}

/// Goal: once a desk is sealed, its client has the one map that it had, and can neither pull pages
/// away nor add another map. Method: the same ways, on the client's own read-write descriptor.
#[test]
fn sealed_desk_has_one_writable_map() {
    let file = create("test-desk", WORDS).unwrap();
    let client = Map::new(&file, WORDS, Access::Write).unwrap();
    client.words()[5].store(42, Relaxed);
    seal(&file).unwrap();
    let engine = Map::new(&file, WORDS, Access::Read).unwrap();
    for (what, outcome) in assaults(&file) {
        assert!(outcome.is_err(), "{what}");
    }
    assert!(advise_remove(&client).is_err());
    client.words()[6].store(43, Relaxed);
    assert_eq!(engine.words()[5].load(Relaxed), 42);
    assert_eq!(engine.words()[6].load(Relaxed), 43);
}

/// Goal: a memory that could shrink under its map, or is of another size, is never mapped. Method:
/// an unsealed memfd, a sealed one of another size, an ordinary file.
#[test]
fn unsafe_memories_are_refused() {
    let loose = rustix::fs::memfd_create("test-loose", MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::fs::ftruncate(&loose, BYTES as u64).unwrap();
    assert!(Map::new(&loose, WORDS, Access::Read).is_err());
    let file = create("test-size", WORDS).unwrap();
    assert!(Map::new(&file, WORDS - 1, Access::Read).is_err());
    assert!(Map::new(&file, WORDS + 1, Access::Read).is_err());
    assert!(Map::new(&file, 0, Access::Read).is_err());
    let ordinary = tempfile::tempfile().unwrap();
    ordinary.set_len(BYTES as u64).unwrap();
    assert!(Map::new(&ordinary, WORDS, Access::Read).is_err());
}

/// Goal: a new memory is there at once: no page fault when it is first used. Method: count this
/// process's pages of the map that are in memory (mincore would tell of the file; /proc/self/smaps
/// tells of the map).
#[test]
fn maps_are_populated() {
    let file = create("test-populated", WORDS).unwrap();
    for access in [Access::Write, Access::Read] {
        let map = Map::new(&file, WORDS, access).unwrap();
        let start = format!("{:x}-", map.start.as_ptr() as usize);
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let of_map = smaps.lines().skip_while(|line| !line.starts_with(&start));
        let resident = of_map.into_iter().find(|line| line.starts_with("Rss:")).unwrap();
        assert!(resident.contains(&format!(" {} kB", BYTES / 1024)), "{access:?}: {resident}");
    }
}
