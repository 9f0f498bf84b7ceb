//! Calls between services: over the sockets of one machine, and over a broker of NATS.
//!
//! What holds whatever carries the calls is tested over each. What differs is permitted:
//!
//! | | `local:` | `nats://` |
//! | --- | --- | --- |
//! | a server that died is known | at once | after `rpc.monitor` |
//! | a killed worker loses | what ran in it | that, and what the broker had sent it |
//! | a second program of the same name | is refused | shares the calls |
//! | a cast to all returns | when it begins in all | when it begins in one |

mod bounds;
mod broker;
mod calls;
mod discovery;
mod interfaces;
mod nats;
mod place;
mod processes;
mod readiness;
mod seen;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use tests::fixture;
use tests::harness::{Fixture, LIMIT, Program, until};

use place::Place;

/// The fixture at a place that a test shares among its programs.
fn program(place: &Place, role: &str) -> Program {
    let host = format!("rpc.host={role}-host");
    let args = ["--set", &host, "--healthy-after", "0s"];
    let program = fixture!("calls").env("ROLE", role).args(args);
    let program = program.args(["--set", "front.bind=127.0.0.1:0"]);
    place.keys().iter().fold(program, |program, key| {
        program.args(["--set", key.as_str()])
    })
}

/// The address of HTTP of a program that has it.
fn address_of(program: &Fixture) -> String {
    let line = program.wait_for("listening on 127.0.0.1:");
    let address = line.split("listening on ").nth(1);
    let address = address.and_then(|rest| rest.split(' ').next());
    address.unwrap().to_owned()
}

/// Asks by HTTP; returns the status and all behind it.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap(), answer)
}

/// A connection to a caller: it is told what to call, and tells what came of it.
struct Caller(BufReader<TcpStream>);

impl Caller {
    /// Connects to a caller that is ready.
    #[track_caller]
    fn of(program: &Fixture) -> Self {
        let said = || program.lines().with("listening on 127");
        until("the caller listens", || !said().is_empty());
        let said = said();
        let address = said.last().and_then(|line| line.rsplit(' ').next());
        let stream = TcpStream::connect(address.expect("it has said where")).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "the caller is gone: {answer}");
        answer.trim_end().to_owned()
    }

    /// Waits for an answer; `None` once `or` comes true instead.
    fn answer_or(&mut self, mut or: impl FnMut() -> bool) -> Option<String> {
        let has_answer = |caller: &Self| {
            let stream = caller.0.get_ref();
            stream.set_nonblocking(true).unwrap();
            let peeked = stream.peek(&mut [0]);
            stream.set_nonblocking(false).unwrap();
            peeked.is_ok()
        };
        until("an answer or an event", || has_answer(self) || or());
        has_answer(self).then(|| self.answer())
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.answer()
    }
}

/// Makes a test of each case for each way to carry calls.
macro_rules! over_each {
    ($($file:ident: $($case:ident),+;)+) => {
        mod local {
            use super::place::Place;

            $($(
                #[test]
                fn $case() {
                    super::$file::$case(&Place::local());
                }
            )+)+
        }

        mod over_nats {
            use super::place::Place;

            $($(
                #[test]
                fn $case() {
                    if let Some(place) = Place::nats() {
                        super::$file::$case(&place);
                    }
                }
            )+)+
        }
    };
}

over_each! {
    calls: calls_are_answered_by_all_workers, arguments_go_by_name_and_may_be_left_out,
        nothing_is_an_answer_too, a_typed_error_arrives_as_itself, any_other_error_stays_in_the_log_of_its_server, a_call_in_time_ends_in_time_and_its_handler_is_told, what_nobody_serves_is_refused_at_once, a_message_above_the_limit_is_not_sent, context_and_deadline_go_on_with_nested_calls, a_cast_reaches_one_and_everywhere_all;
    interfaces: a_service_serves_two_interfaces_of_another_crate, an_idempotent_call_is_sent_again_when_its_server_died;
    processes: a_reload_fails_no_call, an_upgrade_fails_no_call, a_killed_worker_loses_what_ran_in_it_and_its_callers_are_told, kills_under_load_fail_nothing_but_what_ran, a_stop_finishes_what_runs_and_gives_back_the_rest, a_stop_under_load_fails_no_call_while_another_program_serves, a_stop_among_calls_and_casts_loses_none_and_runs_none_twice;
    bounds: an_answer_above_the_limit_is_an_error_that_names_it, everywhere_tells_all_workers_at_once, ten_thousand_timeouts_leave_nothing, calls_above_the_slots_wait_and_lose_nothing, calls_that_wait_longer_than_the_monitor_are_not_lost;
    readiness: every_topic_answers_the_pings_of_oslo_and_nova, pings_are_answered_while_all_slots_are_taken, a_client_waits_for_a_server_that_comes_later;
    seen: a_report_tells_of_each_method_and_of_what_was_refused, calls_are_metrics_by_topic_method_and_outcome;
}
