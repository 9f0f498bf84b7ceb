//! The arenas of a program: one for each cell of the shared page.
//!
//! A worker that is forked into a cell goes on with the arena of the one that had it before.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::{ARENA_WORDS, HEADER, at};
use super::reader::{Arena, read};
use super::registry::Registry;
use crate::os::process::arena::ArenaFile;

/// Where the words of an arena begin in the file.
fn begin(index: usize) -> usize {
    index * ARENA_WORDS
}

/// The memory file of the arenas, which every process of the program has. Every clone is the same file.
#[derive(Debug, Clone)]
pub(crate) struct Arenas {
    file: Arc<ArenaFile>,
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
        })
    }

    /// Makes room for an arena, before the process is forked that is to write it.
    ///
    /// # Errors
    ///
    /// Returns the error of the system call.
    pub(crate) fn prepare(&self, cell: usize) -> io::Result<()> {
        self.file.grow(begin(cell + 1))
    }

    /// Takes an arena over in the process that writes it.
    ///
    /// # Errors
    ///
    /// Returns an error if the arena was not prepared, or the error of the system call.
    pub(crate) fn open(&self, cell: usize) -> io::Result<Registry> {
        let count = NonZeroUsize::new(ARENA_WORDS).expect("an arena has words");
        let words = self.file.map(begin(cell), count)?;
        Ok(Registry::open(words))
    }

    /// Notes that the process has ended that wrote an arena: its gauges are gone, its totals stay.
    pub(crate) fn release(&self, cell: usize) {
        let owner = begin(cell) + at::OWNER;
        let is_there = self.file.count().is_ok_and(|count| owner < count);
        if is_there && let Err(error) = self.file.store(owner, 0) {
            tracing::warn!("the gauges of a worker that has ended stay: {error}");
        }
    }

    /// Reads all arenas; one that cannot be read is left out and named.
    pub(crate) fn read(&self) -> Vec<Arena> {
        read_file(&self.file)
    }
}

fn read_file(file: &ArenaFile) -> Vec<Arena> {
    let arenas = file.count().unwrap_or(0) / ARENA_WORDS;
    let one = |index| match read_arena(file, index) {
        Ok(arena) => Some(arena),
        Err(error) => {
            say_left_out(index, &error);
            None
        }
    };
    (0..arenas).filter_map(one).collect()
}

fn read_arena(file: &ArenaFile, index: usize) -> io::Result<Arena> {
    let begin = begin(index);
    let header = NonZeroUsize::new(HEADER).expect("a header has words");
    let words = file.read(begin, header)?;
    let used = usize::try_from(words[at::USED]).unwrap_or(usize::MAX);
    let used = NonZeroUsize::new(used.clamp(HEADER, ARENA_WORDS)).unwrap_or(header);
    let arena = read(&file.read(begin, used)?).map_err(io::Error::other)?;
    let is_alive = arena.owner.is_some_and(|pid| {
        let pid = i32::try_from(pid.get())
            .ok()
            .map(nix::unistd::Pid::from_raw);
        pid.is_some_and(|pid| nix::sys::signal::kill(pid, None) != Err(nix::errno::Errno::ESRCH))
    });
    Ok(Arena {
        owner: arena.owner.filter(|_| is_alive),
        ..arena
    })
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
