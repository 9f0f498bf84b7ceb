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

/// Starts a detached thread with a stack of `stack` bytes.
///
/// Code that runs in it and allocates works, and costs the heap that this is meant to save.
///
/// # Errors
///
/// Returns the error of the operating system: no threads or no memory left.
pub(crate) fn spawn(stack: usize, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
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
    fn a_stack_that_is_too_small_is_refused() {
        assert!(spawn(1, || {}).is_err());
    }
}
