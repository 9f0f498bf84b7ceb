//! The arenas of a program, in one memory file.
//!
//! Whoever forks a worker claims an arena for it that nobody has, or adds one. The worker goes on with the
//! totals that it finds there. During an upgrade two supervisors do so in the same file, so a claim is one
//! atomic step on a word of the arena, and nothing has to be agreed on.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::layout::{ARENA_WORDS, HEADER, at};
use super::owner::Owner;
use super::place::Place;
use super::reader::{Arena, read};
use super::registry::Registry;
use super::settings::MetricSettings;
use crate::os::process::arena::{ArenaFile, Words};

/// How often an arena may be taken by somebody else at the moment at which it was found free.
const TRIES: usize = 100;

/// Where the words of an arena begin in the file.
fn begin(index: usize) -> usize {
    index * ARENA_WORDS
}

/// The memory file of the arenas, which every process of the program has. Every clone is the same file.
#[derive(Debug, Clone)]
pub(crate) struct Arenas {
    file: Arc<ArenaFile>,
    /// Those that this process has claimed and not released: nobody has to be asked about them.
    claimed: Arc<Mutex<BTreeSet<usize>>>,
}

impl Arenas {
    /// Makes the file, before the first fork.
    ///
    /// # Errors
    ///
    /// Returns the error of the system call.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            file: Arc::new(ArenaFile::new()?),
            claimed: Arc::default(),
        })
    }

    /// Takes over the file of the process that this one is to replace.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no such file.
    pub(crate) fn inherit(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            file: Arc::new(ArenaFile::inherit(File::from(fd))?),
            claimed: Arc::default(),
        })
    }

    /// Keeps an arena for a process that is to be forked: one that nobody has, or a new one.
    ///
    /// # Errors
    ///
    /// Returns the error of the system call.
    pub(crate) fn claim(&self) -> io::Result<usize> {
        let claim = Owner::claim();
        for _ in 0..TRIES {
            let count = self.file.count()? / ARENA_WORDS;
            for index in 0..count {
                if !self.claimed().contains(&index) && self.claim_one(index, claim)? {
                    self.claimed().insert(index);
                    return Ok(index);
                }
            }
            // Another supervisor may be the one who gets it.
            self.file.grow(begin(count + 1))?;
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn claim_one(&self, index: usize, claim: Owner) -> io::Result<bool> {
        let header = self.header(index)?;
        let word = &header[at::OWNER];
        let held = word.load(Ordering::Acquire);
        // One whose supervisor was killed was never released.
        if Owner::of(held).is_some_and(Owner::is_alive) {
            return Ok(false);
        }
        Ok(swap(word, held, claim.word()))
    }

    /// Takes an arena over in the process that writes it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such arena, or the error of the system call.
    pub(crate) fn open(
        &self,
        index: usize,
        place: &Place,
        settings: MetricSettings,
    ) -> io::Result<Registry> {
        let count = NonZeroUsize::new(ARENA_WORDS).expect("an arena has words");
        let words = self.file.map(begin(index), count)?;
        Ok(Registry::open(words, place, settings))
    }

    /// Notes that the process has ended that wrote an arena: its gauges are gone, its totals stay.
    ///
    /// Nothing happens if somebody else has the arena by now.
    pub(crate) fn release(&self, index: usize, pid: u32) {
        self.claimed().remove(&index);
        let released = self.header(index).map(|header| {
            let word = &header[at::OWNER];
            let held = word.load(Ordering::Acquire);
            let is_its = |owner: Owner| owner.pid() == pid || owner == Owner::claim();
            if Owner::of(held).is_some_and(is_its) {
                swap(word, held, 0);
            }
        });
        if let Err(error) = released {
            tracing::warn!("an arena of metrics is not given back: {error}");
        }
    }

    /// Reads all arenas; one that cannot be read is left out and named.
    pub(crate) fn read(&self) -> Vec<Arena> {
        let arenas = self.file.count().unwrap_or(0) / ARENA_WORDS;
        let one = |index| match self.read_one(index) {
            Ok(arena) => Some(arena),
            Err(error) => {
                say_left_out(index, &error);
                None
            }
        };
        (0..arenas).filter_map(one).collect()
    }

    fn read_one(&self, index: usize) -> io::Result<Arena> {
        let begin = begin(index);
        let header = NonZeroUsize::new(HEADER).expect("a header has words");
        let words = self.file.read(begin, header)?;
        let used = usize::try_from(words[at::USED]).unwrap_or(usize::MAX);
        let used = NonZeroUsize::new(used.clamp(HEADER, ARENA_WORDS)).unwrap_or(header);
        let arena = read(&self.file.read(begin, used)?).map_err(io::Error::other)?;
        let writes = |owner: &Owner| !owner.is_claim() && owner.is_alive();
        Ok(Arena {
            owner: arena.owner.filter(writes),
            ..arena
        })
    }

    fn claimed(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn header(&self, index: usize) -> io::Result<Words> {
        let header = NonZeroUsize::new(HEADER).expect("a header has words");
        self.file.map(begin(index), header)
    }
}

impl AsFd for Arenas {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Gives a word a new value if it has the old one still.
fn swap(word: &AtomicU64, old: u64, new: u64) -> bool {
    let swapped = word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire);
    swapped.is_ok()
}

/// Names an arena that is left out, once.
fn say_left_out(index: usize, error: &io::Error) {
    static SAID: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if !said.contains(&index) {
        said.push(index);
        tracing::error!(
            arena = index,
            "the metrics of a worker are left out: {error}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Kind;
    use super::*;

    fn count(arenas: &Arenas) -> usize {
        arenas.file.count().unwrap() / ARENA_WORDS
    }

    #[test]
    fn an_arena_is_claimed_by_one_and_used_again_when_it_is_released() {
        let arenas = Arenas::new().unwrap();
        let (first, second) = (arenas.claim().unwrap(), arenas.claim().unwrap());
        assert_eq!((first, second), (0, 1));
        arenas.release(first, 0);
        assert_eq!(arenas.claim().unwrap(), first);
        // What somebody else has by now is not taken from him.
        let other = arenas.header(second).unwrap();
        other[at::OWNER].store(1, Ordering::Release);
        arenas.release(second, 77);
        assert_eq!(other[at::OWNER].load(Ordering::Acquire), 1);
    }

    #[test]
    fn two_supervisors_never_claim_the_same_arena() {
        let arenas = Arenas::new().unwrap();
        let other = Arenas::inherit(arenas.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let mut claimed = Vec::new();
        std::thread::scope(|scope| {
            let threads = [&arenas, &other]
                .map(|of| scope.spawn(|| (0..50).map(|_| of.claim().unwrap()).collect::<Vec<_>>()));
            for thread in threads {
                claimed.extend(thread.join().unwrap());
            }
        });
        claimed.sort_unstable();
        claimed.dedup();
        assert_eq!(claimed.len(), 100);
    }

    #[test]
    fn an_arena_of_a_process_that_is_gone_is_used_again_and_its_totals_stay() {
        let arenas = Arenas::new().unwrap();
        let index = arenas.claim().unwrap();
        let opened = arenas.open(index, &Place::Alone, MetricSettings::default());
        let registry = opened.unwrap();
        registry
            .cell(Kind::Counter, "hits", &[])
            .unwrap()
            .handle
            .increment(3);
        assert!(arenas.read()[0].owner.is_some());
        // As if this process's number were another's by now: nobody has released it.
        let header = arenas.header(index).unwrap();
        header[at::OWNER].fetch_xor(1 << 32, Ordering::AcqRel);
        assert_eq!(arenas.read()[0].owner, None);
        // Its supervisor may still have to reap it: another one takes the arena.
        let fd = arenas.as_fd().try_clone_to_owned().unwrap();
        assert_eq!(Arenas::inherit(fd).unwrap().claim().unwrap(), index);
        assert_eq!(arenas.read()[0].records.len(), 1);
    }

    #[test]
    fn ten_thousand_workers_one_after_the_other_need_one_arena() {
        let arenas = Arenas::new().unwrap();
        for _ in 0..10_000 {
            let index = arenas.claim().unwrap();
            arenas.release(index, 0);
        }
        assert_eq!(count(&arenas), 1);
    }

    #[test]
    fn a_file_that_is_none_of_arenas_is_refused() {
        let file = crate::os::process::memory::file(c"other", b"no arena").unwrap();
        assert!(Arenas::inherit(file).is_err());
        assert!(Arenas::inherit(File::open("/dev/null").unwrap().into()).is_err());
    }
}
