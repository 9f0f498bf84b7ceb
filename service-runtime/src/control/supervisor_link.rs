//! The control process's end of the channel to the supervisor.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::ipc::control::{ControlReply, ControlRequest};
use crate::os::process::channel::{Channel, is_transient};
use crate::os::process::memory;

/// How long the supervisor has to answer; a report waits up to two seconds for the workers.
const TIME_TO_ANSWER: Duration = Duration::from_secs(5);

/// How often the supervisor is told that this process answers clients.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// How soon a message is sent again for which there was no room.
const SEND_AGAIN: Duration = Duration::from_millis(10);

/// A handle on the channel; every clone is the same one.
#[derive(Clone)]
pub(super) struct SupervisorLink(Arc<Shared>);

struct Shared {
    channel: AsyncFd<Channel>,
    waiting: Mutex<Waiting>,
    /// The code that the program has ended with; `Some(None)` if the supervisor is gone without a word.
    ended: watch::Sender<Option<Option<u8>>>,
}

#[derive(Default)]
struct Waiting {
    number: u32,
    answers: HashMap<u32, oneshot::Sender<Option<Vec<u8>>>>,
}

/// Why the supervisor's answer is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum LinkError {
    /// It is gone.
    #[error("the program has ended")]
    Ended,
    /// It says nothing.
    #[error("the supervisor has not answered within {}s", TIME_TO_ANSWER.as_secs())]
    Silent,
    /// It has no room for the answer.
    #[error("the supervisor cannot answer: it is short of memory or descriptors")]
    Failed,
}

impl SupervisorLink {
    /// Takes the channel; inside a runtime.
    pub(super) fn open(channel: Channel) -> io::Result<Self> {
        let (ended, _) = watch::channel(None);
        Ok(Self(Arc::new(Shared {
            channel: channel.watched()?,
            waiting: Mutex::default(),
            ended,
        })))
    }

    /// Asks the supervisor for something, and returns what it has written.
    pub(super) async fn ask(
        &self,
        request: impl FnOnce(u32) -> ControlRequest,
    ) -> Result<Vec<u8>, LinkError> {
        let (tell, told) = oneshot::channel();
        let id = {
            let mut waiting = self.waiting();
            waiting.number = waiting.number.wrapping_add(1);
            let id = waiting.number;
            waiting.answers.insert(id, tell);
            id
        };
        let asked = async {
            self.send(request(id)).await?;
            match told.await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(LinkError::Failed),
                Err(_) => Err(LinkError::Ended),
            }
        };
        let answer = timeout(TIME_TO_ANSWER, asked).await;
        self.waiting().answers.remove(&id);
        answer.unwrap_or(Err(LinkError::Silent))
    }

    /// Says again and again that this process answers clients.
    pub(super) async fn stay_alive(self) {
        while self.send(ControlRequest::Alive).await.is_ok() {
            sleep(ALIVE_EVERY).await;
        }
    }

    /// Takes in what the supervisor says, until it is gone.
    pub(super) async fn receive(self) {
        loop {
            let Ok(mut ready) = self.0.channel.readable().await else {
                break;
            };
            match self.0.channel.get_ref().receive() {
                Ok(Some(mut message)) => {
                    let file = message.fds.pop();
                    let read = || memory::read(file?).ok();
                    match ControlReply::decode(&message.bytes) {
                        Some(ControlReply::Answer(id)) => self.answered(id, read()),
                        Some(ControlReply::Failed(id)) => self.answered(id, None),
                        Some(ControlReply::Ended(code)) => {
                            self.0.ended.send_replace(Some(Some(code)));
                        }
                        None => {}
                    }
                }
                Ok(None) => ready.clear_ready(),
                Err(_) => break,
            }
        }
        self.waiting().answers.clear();
        self.0.ended.send_if_modified(|ended| {
            let is_news = ended.is_none();
            *ended = Some(ended.flatten());
            is_news
        });
    }

    /// Waits for the end of the program; returns its exit code, if it was told.
    pub(super) async fn ended(&self) -> Option<u8> {
        let mut ended = self.0.ended.subscribe();
        let ended = ended.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| ended.flatten())
    }

    async fn send(&self, request: ControlRequest) -> Result<(), LinkError> {
        loop {
            match self.0.channel.get_ref().send(&request.encode(), &[]) {
                Ok(()) => return Ok(()),
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(LinkError::Ended),
                Err(error) if is_transient(error) => sleep(SEND_AGAIN).await,
                Err(_) => return Err(LinkError::Failed),
            }
        }
    }

    fn answered(&self, id: u32, answer: Option<Vec<u8>>) {
        if let Some(tell) = self.waiting().answers.remove(&id) {
            // Whoever asked may have gone.
            let _ = tell.send(answer);
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
