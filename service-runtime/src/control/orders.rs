//! Orders of clients: read from the address, given to the supervisor, and answered with the outcome.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::peer::Caller;
use super::supervisor_link::{Outcome, SupervisorLink};
use crate::ipc::control::{OrderKind, OrderRequest, ServiceName};

/// Where orders are given: the word follows.
pub(super) const ORDERS: &str = "/v1/orders/";

/// An order as a client has written it.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    kind: OrderKind,
    number: u32,
    service: ServiceName,
    /// Whether the client waits for the outcome.
    waits: bool,
}

/// Gives the order that an address stands for; returns the status and what is answered.
pub(super) async fn give(
    link: &SupervisorLink,
    caller: Caller,
    word: &str,
    query: &str,
) -> (StatusCode, Value) {
    let written = match read(word, query) {
        Ok(written) => written,
        Err(error) => return (StatusCode::BAD_REQUEST, json!({ "error": error })),
    };
    let order = OrderRequest {
        kind: written.kind,
        number: written.number,
        uid: caller.uid,
        pid: caller.pid,
        service: written.service,
    };
    let outcome = match link.order(order).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let error = error.to_string();
            return (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": error }));
        }
    };
    if !written.waits {
        let answer = json!({"order": word, "outcome": "under way"});
        return (StatusCode::ACCEPTED, answer);
    }
    let (outcome, text) = outcome.await;
    let (is_stop, is_quick) = (
        written.kind == OrderKind::Stop,
        written.kind == OrderKind::Quit,
    );
    let name = match outcome {
        Outcome::Done => "done",
        Outcome::Ended(Some(0)) if is_stop || is_quick => "done",
        // It ends with an error because it was to be quick.
        Outcome::Ended(Some(_)) if is_quick => "done",
        Outcome::Refused => "refused",
        Outcome::Failed | Outcome::Ended(_) => "failed",
    };
    let mut answer = json!({"order": word, "outcome": name, "text": text});
    if let Outcome::Ended(code) = outcome {
        answer["exit_code"] = code.into();
    }
    if name == "done" {
        return (StatusCode::OK, answer);
    }
    answer["error"] = answer["text"].clone();
    (StatusCode::CONFLICT, answer)
}

/// Reads an order: its word, and `service`, `number` and `wait` behind a question mark.
fn read(word: &str, query: &str) -> Result<Written, String> {
    let kind = OrderKind::of_word(word).ok_or_else(|| {
        let known: Vec<&str> = OrderKind::ALL.iter().map(|(_, word)| *word).collect();
        format!("there is no such order; known are {}", known.join(", "))
    })?;
    let (mut number, mut service, mut waits) = (None, ServiceName::new(""), true);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "number" => {
                number = Some(value.parse().map_err(|_| "`number` is a whole number")?);
            }
            "service" => service = ServiceName::new(value),
            "wait" => waits = value != "no",
            _ => return Err("known are `number`, `service` and `wait`".to_owned()),
        }
    }
    let needs_number = matches!(kind, OrderKind::Scale | OrderKind::Drain | OrderKind::Fill);
    if needs_number && number.is_none() {
        return Err(format!("`{word}` needs a `number`"));
    }
    Ok(Written {
        kind,
        number: number.unwrap_or(0),
        service: service.ok_or("no service has so long a name")?,
        waits,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_order_is_read_from_its_address_or_refused_with_what_is_known() {
        let written = read("scale", "service=api&number=3&wait=no").unwrap();
        assert_eq!(
            (written.kind, written.number, written.waits),
            (OrderKind::Scale, 3, false)
        );
        assert!(written.service.is("api"));
        assert!(read("reload", "").unwrap().waits);
        for (word, query) in [
            ("relaod", ""),
            ("scale", ""),
            ("scale", "number=-1"),
            ("scale", "number=4294967296"),
            ("drain", "slot=1"),
        ] {
            assert!(read(word, query).is_err(), "{word}?{query}");
        }
        let long = format!("service={}", "x".repeat(65));
        assert!(read("reload", &long).is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_writes_makes_reading_fail(word: String, query in "[a-z=&0-9%]{0,80}|.{0,80}") {
            let _ = read(&word, &query);
            for (_, known) in OrderKind::ALL {
                let _ = read(known, &query);
            }
        }
    }
}
