//! What comes over a socket of RPC: frames, requests and answers.
#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use service_runtime::rpc::fuzzing::{frames, message};

fuzz_target!(|bytes: &[u8]| {
    message(bytes);
    // Bytes in memory are always there: it ends at its first poll.
    let polled = pin!(frames(bytes, 1024)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(())));
});
