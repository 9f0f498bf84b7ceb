//! Memory that one process writes and others read, as words that are atomics.
//!
//! Whoever reads such memory meets whatever its writer has left there, but never a torn word, and never
//! the end of the file: it cannot be made shorter.
#![expect(
    unsafe_code,
    reason = "memory shared between processes comes as a raw pointer"
)]

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

const WORD: usize = size_of::<AtomicU64>();

/// Mapped words.
pub(crate) struct Words {
    base: NonNull<AtomicU64>,
    count: NonZeroUsize,
}

impl Words {
    /// Maps `count` words of this process alone, and of those that it forks; all zero.
    ///
    /// # Errors
    ///
    /// Returns the error of the system call.
    pub(crate) fn anonymous(count: NonZeroUsize) -> io::Result<Self> {
        let prot = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let length = bytes(count)?;
        // SAFETY: no address is asked for, so no mapping of anybody else can be replaced.
        let base = unsafe { mmap_anonymous(None, length, prot, MapFlags::MAP_SHARED) }?;
        Ok(Self {
            base: base.cast(),
            count,
        })
    }
}

impl Deref for Words {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is `count` words long, page-aligned, readable and writable, unmapped only
        // when `self` is dropped, and every bit pattern is a value of an atomic.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.count.get()) }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: every reference into the mapping borrows from `self`, which is gone after this.
        let _ = unsafe { munmap(self.base.cast(), self.count.get() * WORD) };
    }
}

// SAFETY: the memory behind the pointer is plain and belongs to no thread.
unsafe impl Send for Words {}

// SAFETY: all access is by shared reference to atomics.
unsafe impl Sync for Words {}

fn bytes(count: NonZeroUsize) -> io::Result<NonZeroUsize> {
    let word = NonZeroUsize::new(WORD).expect("a word has a size");
    count
        .checked_mul(word)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// One word of a mapping, which stays mapped for as long as this is kept.
///
/// Whoever counts gets to it by one pointer, without a look at the mapping.
#[derive(Clone)]
pub(crate) struct Word {
    word: NonNull<AtomicU64>,
    _words: Arc<Words>,
}

impl Word {
    /// Returns word number `at`, if there is one.
    pub(crate) fn of(words: &Arc<Words>, at: usize) -> Option<Self> {
        Some(Self {
            word: NonNull::from(words.get(at)?),
            _words: Arc::clone(words),
        })
    }
}

impl Deref for Word {
    type Target = AtomicU64;

    fn deref(&self) -> &AtomicU64 {
        // SAFETY: the pointer was made of a reference into `_words`, whose mapping is unmapped only when the
        // last of its `Arc`s is dropped, and `self` holds one.
        unsafe { self.word.as_ref() }
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word").finish_non_exhaustive()
    }
}

// SAFETY: the word is part of a mapping that is `Send` and `Sync` itself.
unsafe impl Send for Word {}

// SAFETY: as above; all access is by shared reference to an atomic.
unsafe impl Sync for Word {}

#[cfg(workers)]
pub(crate) use linux::ArenaFile;

#[cfg(workers)]
mod linux {
    use std::fs::File;
    use std::io;
    use std::num::NonZeroUsize;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::atomic::Ordering;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, SealFlag, fcntl};
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::sys::mman::{MapFlags, ProtFlags, mmap};
    use nix::sys::resource::{Resource, getrlimit};

    use super::{WORD, Words, bytes};

    /// A memory file of words, which grows and never shrinks.
    #[derive(Debug)]
    pub(crate) struct ArenaFile(File);

    impl ArenaFile {
        /// Makes an empty file.
        ///
        /// # Errors
        ///
        /// Returns the error of the system call: no descriptors or no memory left.
        pub(crate) fn new() -> io::Result<Self> {
            let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
            let fd = memfd_create(c"service-runtime-metrics", flags)?;
            fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK))?;
            Ok(Self(fd.into()))
        }

        /// Takes over the file of another process.
        ///
        /// # Errors
        ///
        /// Returns an error if anybody could make it shorter, or the error of the system call.
        pub(crate) fn inherit(file: File) -> io::Result<Self> {
            // What is no memory file has no seals, and says so.
            let seals = SealFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GET_SEALS)?);
            if !seals.contains(SealFlag::F_SEAL_SHRINK) {
                return Err(io::Error::other("it could become shorter"));
            }
            Ok(Self(file))
        }

        /// Returns how many words it holds.
        pub(crate) fn count(&self) -> io::Result<usize> {
            let length = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
            Ok(length / WORD)
        }

        /// Makes it hold at least `count` words; new ones are zero, and use no memory until written.
        ///
        /// # Errors
        ///
        /// Returns an error if no file may be that long.
        pub(crate) fn grow(&self, count: usize) -> io::Result<()> {
            if self.count()? >= count {
                return Ok(());
            }
            let length = (count * WORD) as u64;
            // A longer one would be answered by a signal that ends the process.
            let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
            if length > limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            match self.0.set_len(length) {
                // Another process may have made it longer meanwhile, which the seal keeps it.
                Err(error) if error.raw_os_error() == Some(Errno::EPERM as i32) => {
                    match self.count()? >= count {
                        true => Ok(()),
                        false => Err(error),
                    }
                }
                other => other,
            }
        }

        #[cfg(test)]
        pub(super) fn shorten(&self) -> io::Result<()> {
            self.0.set_len(8)
        }

        /// Maps `count` words from word `from` on, for reading and writing.
        ///
        /// # Errors
        ///
        /// Returns an error if the file does not hold them, or the error of the system call.
        pub(crate) fn map(&self, from: usize, count: NonZeroUsize) -> io::Result<Words> {
            let prot = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
            self.map_as(from, count, prot)
        }

        /// Reads `count` words from word `from` on, each as it is at some moment.
        ///
        /// # Errors
        ///
        /// Returns an error if the file does not hold them, or the error of the system call.
        pub(crate) fn read(&self, from: usize, count: NonZeroUsize) -> io::Result<Vec<u64>> {
            let words = self.map_as(from, count, ProtFlags::PROT_READ)?;
            // In this order: what a word says of those behind it has been written before it.
            Ok(words
                .iter()
                .map(|word| word.load(Ordering::Acquire))
                .collect())
        }

        fn map_as(&self, from: usize, count: NonZeroUsize, prot: ProtFlags) -> io::Result<Words> {
            let end = from.checked_add(count.get());
            let all = self.count()?;
            if end.is_none_or(|end| end > all) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let offset = i64::try_from(from * WORD).map_err(io::Error::other)?;
            let (length, flags) = (bytes(count)?, MapFlags::MAP_SHARED);
            // SAFETY: no address is asked for, so no mapping of anybody else can be replaced. The file
            // holds all these words, as was just checked, and its seal keeps it from becoming shorter.
            let base = unsafe { mmap(None, length, prot, flags, &self.0, offset) }?;
            Ok(Words {
                base: base.cast(),
                count,
            })
        }
    }

    impl AsFd for ArenaFile {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(all(test, workers))]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    fn count(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("tests map words")
    }

    #[test]
    fn what_one_mapping_writes_another_reads() {
        let file = ArenaFile::new().unwrap();
        file.grow(2048).unwrap();
        let words = file.map(1024, count(1024)).unwrap();
        words[3].fetch_add(7, Ordering::Relaxed);
        assert_eq!(file.read(0, count(2048)).unwrap()[1027], 7);
    }

    #[test]
    fn words_that_the_file_does_not_hold_are_refused() {
        let file = ArenaFile::new().unwrap();
        file.grow(1024).unwrap();
        assert!(file.read(512, count(1024)).is_err());
        assert!(file.map(usize::MAX, count(1024)).is_err());
    }

    #[test]
    fn no_process_can_make_the_file_shorter() {
        let file = ArenaFile::new().unwrap();
        file.grow(1024).unwrap();
        assert!(file.shorten().is_err());
        assert_eq!(file.count().unwrap(), 1024);
    }
}
