//! The control process's end of the channel to the supervisor.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use super::events::Events;
use crate::ipc::control::{ControlReply, ControlRequest, OrderRequest};
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
    events: Mutex<Events>,
    /// The code that the program has ended with; `Some(None)` if the supervisor is gone without a word.
    ended: watch::Sender<Option<Option<u8>>>,
}

#[derive(Default)]
struct Waiting {
    number: u32,
    answers: HashMap<u32, oneshot::Sender<SupervisorReply>>,
}

/// What the supervisor has told about a question.
enum SupervisorReply {
    Answer(Option<Vec<u8>>),
    Outcome(Outcome, String),
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Refused,
    Failed,
    /// The program has ended, with this code if it was told.
    Ended(Option<u8>),
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
            events: Mutex::default(),
            ended,
        })))
    }

    /// Asks the supervisor for something, and returns what it has written.
    pub(super) async fn ask(
        &self,
        request: impl FnOnce(u32) -> ControlRequest,
    ) -> Result<Vec<u8>, LinkError> {
        let (id, reply) = self.register();
        let asked = async {
            self.send(request(id)).await?;
            match reply.await {
                Ok(SupervisorReply::Answer(Some(bytes))) => Ok(bytes),
                Ok(_) => Err(LinkError::Failed),
                Err(_) => Err(LinkError::Ended),
            }
        };
        let answer = timeout(TIME_TO_ANSWER, asked).await;
        self.waiting().answers.remove(&id);
        answer.unwrap_or(Err(LinkError::Silent))
    }

    /// Gives an order; the supervisor has it when this returns. The outcome comes when it is there.
    pub(super) async fn order(
        &self,
        order: OrderRequest,
    ) -> Result<impl Future<Output = (Outcome, String)> + use<>, LinkError> {
        let (id, reply) = self.register();
        self.send(ControlRequest::Order(id, order)).await?;
        let link = self.clone();
        Ok(async move {
            match reply.await {
                Ok(SupervisorReply::Outcome(outcome, text)) => (outcome, text),
                _ => {
                    let code = link.ended().await;
                    let code_text =
                        code.map_or_else(String::new, |code| format!(" with code {code}"));
                    (
                        Outcome::Ended(code),
                        format!("the program has ended{code_text}"),
                    )
                }
            }
        })
    }

    /// Sees to it that events come; those of before have come when this returns, with the state of then.
    pub(super) async fn receive_events(&self) -> Result<(u32, Vec<u8>), LinkError> {
        let is_news = !std::mem::replace(&mut self.events().is_asked_for, true);
        if is_news {
            self.send(ControlRequest::Events(0)).await?;
        }
        // Answers come in the order of the questions.
        if is_news {
            self.ask(ControlRequest::Status).await?;
        }
        let last = self.events().last();
        Ok((last, self.ask(ControlRequest::Status).await?))
    }

    /// Returns the events.
    pub(super) fn events(&self) -> std::sync::MutexGuard<'_, Events> {
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self) -> (u32, oneshot::Receiver<SupervisorReply>) {
        let (sender, reply) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.number = waiting.number.wrapping_add(1);
        let id = waiting.number;
        waiting.answers.insert(id, sender);
        (id, reply)
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
                    let bytes = file.and_then(|file| memory::read(file).ok());
                    self.replied(ControlReply::decode(&message.bytes), bytes);
                }
                Ok(None) => ready.clear_ready(),
                Err(_) => break,
            }
        }
        self.waiting().answers.clear();
        if self.0.ended.borrow().is_none() {
            self.events().end(None);
        }
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

    fn replied(&self, reply: Option<ControlReply>, bytes: Option<Vec<u8>>) {
        let text = || {
            let text = bytes.as_deref().map(String::from_utf8_lossy);
            text.map_or_else(|| "see the log".to_owned(), |text| text.into_owned())
        };
        let (id, answer) = match reply {
            Some(ControlReply::Answer(id)) => (id, SupervisorReply::Answer(bytes)),
            Some(ControlReply::Failed(id)) => (id, SupervisorReply::Answer(None)),
            Some(ControlReply::Done(id)) => (id, SupervisorReply::Outcome(Outcome::Done, text())),
            Some(ControlReply::Refused(id)) => {
                (id, SupervisorReply::Outcome(Outcome::Refused, text()))
            }
            Some(ControlReply::CameToNothing(id)) => {
                (id, SupervisorReply::Outcome(Outcome::Failed, text()))
            }
            Some(ControlReply::Event(id)) => {
                self.events().push(id, &text());
                return;
            }
            Some(ControlReply::Ended(code)) => {
                self.events().end(Some(code));
                self.0.ended.send_replace(Some(Some(code)));
                // Whoever has no answer yet waits for the end.
                self.waiting().answers.clear();
                return;
            }
            None => return,
        };
        if let Some(sender) = self.waiting().answers.remove(&id) {
            // Whoever asked may have gone.
            let _ = sender.send(answer);
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
