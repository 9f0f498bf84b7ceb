//! A thread of the runtime itself: small, detached, without what std adds for an author's thread.
//!
//! A std thread asks where its stack ends and sets up a handler for its overflow. That allocates, so
//! the allocator gives the thread a heap of its own: in glibc a mapping of 128 MiB and a few memory
//! pages, in every worker, for a thread that has nothing to keep.
#![expect(
    unsafe_code,
    reason = "starting a thread without std is a foreign call"
)]

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::libc;

type Body = Box<dyn FnOnce() + Send>;

/// Starts a detached thread with a stack of `stack` bytes, or of as much more as this machine demands.
///
/// Code that runs in it and allocates works, and costs the heap that this is meant to save.
///
/// # Errors
///
/// Returns the error of the operating system: no threads or no memory left.
pub(crate) fn spawn(stack: usize, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let stack = stack_size(
        stack,
        setting(libc::_SC_THREAD_STACK_MIN),
        setting(libc::_SC_PAGESIZE),
    );
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the call fills in the place that it is given, which is of the type that it asks for.
    check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    // SAFETY: the call above has returned 0, so the attributes are filled in.
    let mut attributes = unsafe { attributes.assume_init() };
    // SAFETY: the attributes are initialized, and no thread is being started with them now.
    check(unsafe { libc::pthread_attr_setstacksize(&raw mut attributes, stack) })?;
    let detached = libc::PTHREAD_CREATE_DETACHED;
    // SAFETY: as above.
    check(unsafe { libc::pthread_attr_setdetachstate(&raw mut attributes, detached) })?;
    let body: *mut Body = Box::into_raw(Box::new(Box::new(body)));
    let mut thread = MaybeUninit::uninit();
    // SAFETY: `run` takes the pointer as what it is, a boxed `Body` that is `Send`, and nobody else
    // has it once the thread is started; the attributes are initialized.
    let started = check(unsafe {
        libc::pthread_create(thread.as_mut_ptr(), &raw const attributes, run, body.cast())
    });
    if started.is_err() {
        // SAFETY: no thread has been started, so the pointer from `into_raw` is still ours alone.
        drop(unsafe { Box::from_raw(body) });
    }
    started
}

/// Returns what this machine says; 0 if it says nothing.
fn setting(name: libc::c_int) -> usize {
    // SAFETY: the call takes an integer and touches no memory of ours; an unknown name gives -1.
    let value = unsafe { libc::sysconf(name) };
    usize::try_from(value).unwrap_or(0)
}

/// Returns a size that the C library takes: not below its minimum, in whole memory pages.
///
/// The minimum depends on the processor: 16 KiB on x86-64, 128 KiB on aarch64, more where registers are
/// large. What is wanted comes on top, because the minimum leaves no room for calls.
fn stack_size(wanted: usize, minimum: usize, page: usize) -> usize {
    let size = if wanted < minimum {
        minimum.saturating_add(wanted)
    } else {
        wanted
    };
    size.checked_next_multiple_of(page.max(1)).unwrap_or(size)
}

extern "C" fn run(body: *mut c_void) -> *mut c_void {
    // SAFETY: `spawn` has made the pointer by `into_raw` of a boxed `Body`, and gave it to this
    // thread alone.
    let body = unsafe { Box::from_raw(body.cast::<Body>()) };
    // A panic must not cross into the C library; the hook has told of it.
    let _ = catch_unwind(AssertUnwindSafe(body));
    std::ptr::null_mut()
}

fn check(error: libc::c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_body_runs_in_another_thread() {
        let (tell, told) = mpsc::channel();
        spawn(64 * 1024, move || {
            tell.send(std::thread::current().id()).unwrap()
        })
        .unwrap();
        assert_ne!(told.recv().unwrap(), std::thread::current().id());
    }

    #[test]
    fn a_panic_ends_the_thread_alone() {
        let (tell, told) = mpsc::channel::<()>();
        spawn(64 * 1024, move || {
            let _tell = tell;
            panic!("on purpose");
        })
        .unwrap();
        assert!(told.recv().is_err());
    }

    #[test]
    fn a_stack_below_what_the_machine_demands_is_made_larger() {
        let (tell, told) = mpsc::channel();
        spawn(1, move || tell.send(()).unwrap()).unwrap();
        told.recv().unwrap();
        let kib = 1024;
        // x86-64, aarch64, and a kernel with pages of 64 KiB.
        assert_eq!(stack_size(64 * kib, 16 * kib, 4 * kib), 64 * kib);
        assert_eq!(stack_size(64 * kib, 128 * kib, 4 * kib), 192 * kib);
        assert_eq!(stack_size(72 * kib, 16 * kib, 64 * kib), 128 * kib);
    }
}
