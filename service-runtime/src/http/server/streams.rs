//! The streams of HTTP/2, as tasks of the server.

use crate::tasks::TaskGroup;

/// Runs what hyper wants to run beside a connection, such as the streams of HTTP/2.
#[derive(Clone)]
pub(crate) struct StreamTasks(pub(crate) TaskGroup);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for StreamTasks {
    fn execute(&self, stream: F) {
        if let Err(error) = self.0.try_spawn("http2 stream", stream) {
            tracing::error!("a request is given up: {error}");
        }
    }
}
