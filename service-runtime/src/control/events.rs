//! Events for clients, as server-sent events: what is kept of them, and who follows.

use std::collections::VecDeque;

use hyper::body::Bytes;
use tokio::sync::mpsc;

/// How many events are kept for those who come again.
const KEPT: usize = 256;

/// How many events a client may be behind; one that is further behind is dropped.
const BEHIND: usize = KEPT + 64;

/// How many clients may follow at the same time.
const FOLLOWERS: usize = 8;

/// The events that this process has heard of, and the clients that follow them.
#[derive(Default)]
pub(super) struct Events {
    last: u32,
    kept: VecDeque<(u32, Bytes)>,
    clients: Vec<mpsc::Sender<Bytes>>,
    /// Whether the supervisor has been asked for events.
    pub(super) is_asked_for: bool,
}

impl Events {
    /// Returns the number of the latest event.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// Takes an event in, and passes it on to those who follow; one that is known already is left out.
    pub(super) fn push(&mut self, id: u32, text: &str) {
        if id <= self.last {
            return;
        }
        self.last = id;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        let bytes = written(id, text);
        self.kept.push_back((id, bytes.clone()));
        self.clients
            .retain(|client| client.try_send(bytes.clone()).is_ok());
    }

    /// Returns the texts that are kept, as they are sent.
    pub(super) fn kept(&self) -> Vec<u8> {
        self.kept
            .iter()
            .flat_map(|(_, bytes)| bytes.to_vec())
            .collect()
    }

    /// Adds a client that knows everything up to an event; `first` is sent before the others. `None` if too
    /// many follow already.
    pub(super) fn follow(
        &mut self,
        after: u32,
        first: Option<Bytes>,
    ) -> Option<mpsc::Receiver<Bytes>> {
        self.clients.retain(|client| !client.is_closed());
        if self.clients.len() >= FOLLOWERS {
            return None;
        }
        let (send, receive) = mpsc::channel(BEHIND);
        let later = self.kept.iter().filter(|(id, _)| *id > after);
        let later = later.map(|(_, bytes)| bytes.clone());
        for bytes in first.into_iter().chain(later) {
            send.try_send(bytes).ok()?;
        }
        self.clients.push(send);
        Some(receive)
    }

    /// Tells everybody that the program has ended, and that nothing follows.
    pub(super) fn end(&mut self, code: Option<u8>) {
        let code = code.map_or_else(|| "null".to_owned(), |code| code.to_string());
        let id = self.last.wrapping_add(1);
        self.push(id, &format!("{{\"event\":\"ended\",\"exit_code\":{code}}}"));
        self.clients.clear();
    }
}

/// Writes an event as it is sent; JSON has no line ends of its own.
pub(super) fn written(id: u32, text: &str) -> Bytes {
    format!("id: {id}\ndata: {text}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_comes_again_gets_what_it_has_missed_and_each_event_once() {
        let mut events = Events::default();
        (1..=5).for_each(|id| events.push(id, "{}"));
        events.push(3, "again");
        let mut client = events.follow(3, None).unwrap();
        events.push(6, "{}");
        events.end(Some(0));
        let mut ids = Vec::new();
        while let Ok(bytes) = client.try_recv() {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            ids.push(text.lines().next().unwrap().to_owned());
        }
        assert_eq!(ids, ["id: 4", "id: 5", "id: 6", "id: 7"]);
    }

    #[test]
    fn a_slow_client_is_dropped_and_too_many_are_refused() {
        let mut events = Events::default();
        let mut slow = events.follow(0, None).unwrap();
        (1..=1000).for_each(|id| events.push(id, "{}"));
        assert!(events.clients.is_empty());
        let mut got = 0;
        while slow.try_recv().is_ok() {
            got += 1;
        }
        assert_eq!(got, BEHIND);
        let all: Vec<_> = (0..FOLLOWERS)
            .map(|_| events.follow(1000, None).unwrap())
            .collect();
        assert!(events.follow(1000, None).is_none());
        drop(all);
        assert!(events.follow(1000, None).is_some());
    }
}
