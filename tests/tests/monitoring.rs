//! Metrics as others read them: a real Prometheus, a reference parser, and the rules and the dashboard of
//! `docs/monitoring`.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Fixture, LIMIT, Scratch, kill, until};

/// Asks on a connection of its own; returns the body of a good answer.
fn ask(address: &str, head: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.0\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.split(' ')
        .nth(1)?
        .starts_with('2')
        .then(|| body.to_owned())
}

/// A program that serves HTTP, and its metrics on an address of their own.
struct Web {
    program: Fixture,
    address: String,
    metrics: String,
}

impl Web {
    fn start() -> Self {
        let program = fixture!("web")
            .args(["--set=web.bind=127.0.0.1:0", "--metrics-bind=127.0.0.2:0"])
            .start();
        let address = |line: String| line.split_once(" 127.").unwrap().1.to_owned();
        let end = |text: String| format!("127.{}", text.split(' ').next().unwrap());
        let told = program.wait_for("metrics are told on ");
        let listens = program.wait_for("listening on 127.0.0.1:");
        program.settles(2);
        Self {
            address: end(address(listens)),
            metrics: end(address(told)),
            program,
        }
    }

    fn count(&self, times: usize) {
        for _ in 0..times {
            ask(&self.address, "GET /count", "").unwrap();
        }
    }
}

/// Prometheus, which is ended with the test.
struct Prometheus {
    process: Child,
    address: String,
    _files: Scratch,
}

impl Prometheus {
    /// Starts it for one target that it scrapes twice a second; `None` if it is not installed.
    fn start(target: &str) -> Option<Self> {
        let files = Scratch::new();
        let config = files.write(
            "prometheus.yml",
            &format!(
                "global:\n  scrape_interval: 500ms\nscrape_configs:\n  - job_name: web\n    \
                 static_configs:\n      - targets: ['{target}']\n"
            ),
        );
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                files.path("data").display()
            ))
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut process) = process else {
            println!("skipped: prometheus is not installed (Debian: prometheus)");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = loop {
            let Some(line) = lines.next() else {
                let _ = process.kill();
                panic!("prometheus listens on no address: {said:#?}");
            };
            let line = line.unwrap();
            let message: Value = serde_json::from_str(&line).unwrap_or_default();
            if message["msg"] == "Listening on" {
                break message["address"].as_str().unwrap().to_owned();
            }
            said.push(line);
        };
        // What nobody reads would block it.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            process,
            address,
            _files: files,
        })
    }

    /// Asks a question; returns what it comes to for the one series that there is, if there is one.
    fn query(&self, query: &str) -> Option<Value> {
        let letters = query.bytes().map(|byte| format!("%{byte:02x}"));
        let head = format!("GET /api/v1/query?query={}", letters.collect::<String>());
        let answer: Value = serde_json::from_str(&ask(&self.address, &head, "")?).unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let result = answer["data"]["result"].get(0)?;
        let value = result.get("value").map(|value| &value[1]);
        Some(value.or(result.get("values")).unwrap().clone())
    }

    fn number(&self, query: &str) -> Option<f64> {
        self.query(query)?.as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn prometheus_sees_no_reset_and_the_right_rate_while_workers_are_killed_and_reloaded() {
    let web = Web::start();
    let Some(prometheus) = Prometheus::start(&web.metrics) else {
        return;
    };
    let scrapes = || prometheus.number("count_over_time(fixture_counts_total[10m])");
    web.count(1);
    let mut counted = 1;
    until("it has begun to scrape", || scrapes().is_some());
    for round in 0..8 {
        web.count(25);
        counted += 25;
        if round % 2 == 0 {
            kill(web.program.settles(2)[0].pid, Signal::SIGKILL);
            web.program.wait_for("worker ready");
        } else {
            web.program.signal(Signal::SIGHUP);
            web.program.wait_for("reloaded");
        }
        let seen = scrapes().unwrap();
        until("one more scrape", || scrapes().unwrap() > seen);
    }
    let all = f64::from(counted);
    until("all is scraped", || {
        prometheus.number("fixture_counts_total") == Some(all)
    });
    let resets = prometheus.number("resets(fixture_counts_total[10m])");
    assert_eq!(resets, Some(0.0));
    let deaths = "service_worker_deaths_total{cause=\"signal\"}";
    assert_eq!(prometheus.number(deaths), Some(4.0));
    let up = prometheus.number("avg_over_time(up[10m])");
    assert_eq!(up, Some(1.0), "a scrape has failed");
    // What it calls the rate is what its own samples come to.
    let samples = prometheus.query("fixture_counts_total[10m]").unwrap();
    let sample = |value: &Value| {
        let number: f64 = value[1].as_str().unwrap().parse().unwrap();
        (value[0].as_f64().unwrap(), number)
    };
    let samples: Vec<_> = samples.as_array().unwrap().iter().map(sample).collect();
    let ((begin, first), (end, last)) = (samples[0], samples[samples.len() - 1]);
    let range = (end - begin).ceil();
    let increase = format!("increase(fixture_counts_total[{range}s] @ {end})");
    let increase = prometheus.number(&increase).unwrap();
    let expected = last - first;
    assert!(
        (increase - expected).abs() < expected * 0.2,
        "{increase} is told, {expected} has happened in {range} s"
    );
}

/// Reads a text as the reference does and prints the values of the labels of `fixture_labels`.
const REFERENCE: &str = "
import sys, json
from prometheus_client.parser import text_string_to_metric_families as prometheus
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
parse = openmetrics if sys.argv[1] == 'openmetrics' else prometheus
families = list(parse(sys.stdin.read()))
assert len(families) > 10, families
for family in families:
    for sample in family.samples:
        if sample.name == 'fixture_labels_total':
            print(json.dumps(sample.labels['value']))
";

/// Returns an interpreter that has the reference parser.
fn reference() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    let all = [own, PathBuf::from("python3")];
    all.into_iter().find(|python| {
        let found = Command::new(python)
            .args(["-c", "import prometheus_client"])
            .stderr(Stdio::null())
            .status();
        found.is_ok_and(|status| status.success())
    })
}

#[test]
fn a_reference_parser_reads_both_formats_with_labels_of_every_kind() {
    let Some(python) = reference() else {
        println!("skipped: no python has prometheus_client (PyPI: prometheus-client)");
        return;
    };
    let web = Web::start();
    let long = "x".repeat(10_000);
    let values = [
        "a\"b",
        "a\\b",
        "a\nb",
        "a\\nb",
        "\\",
        "größe 🦀",
        "}{,=",
        "",
        &long,
    ];
    for value in values {
        ask(&web.address, "POST /label", value).unwrap();
    }
    web.count(2);
    for (name, accept) in [
        ("prometheus", "text/plain"),
        ("openmetrics", "application/openmetrics-text"),
    ] {
        let head = format!("GET /metrics HTTP/1.1\r\naccept: {accept}\r\nx: ");
        let text = ask(&web.metrics, &head, "").unwrap();
        let mut parser = Command::new(&python)
            .args(["-c", REFERENCE, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        parser
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = parser.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}\n{text}");
        let read = String::from_utf8(output.stdout).unwrap();
        let read: BTreeSet<String> = read
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let expected: BTreeSet<String> = values.map(str::to_owned).into();
        assert_eq!(read, expected, "{name}");
    }
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the names of metrics that stand in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_letter(c));
    let names = words.filter(|word| {
        ["service_", "process_", "http_server_"]
            .iter()
            .any(|prefix| word.starts_with(prefix))
    });
    names.map(str::to_owned).collect()
}

#[track_caller]
fn every_metric_exists(expressions: &str) {
    let guide = page("guide/metrics.md");
    let named = metrics_in(expressions);
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        let exists = |name: &str, kind: &str| guide.contains(&format!("| `{name}` | {kind}"));
        let of_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| name.strip_suffix(end))
            .any(|name| exists(name, "histogram"));
        assert!(
            exists(&name, "") || of_histogram,
            "there is no metric {name}"
        );
    }
}

#[test]
fn the_dashboard_is_one_and_every_metric_in_it_exists() {
    let dashboard: Value = serde_json::from_str(&page("monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut expressions = String::new();
    let mut numbers = BTreeSet::new();
    for panel in panels {
        assert!(numbers.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        for target in panel["targets"].as_array().unwrap() {
            expressions.push_str(target["expr"].as_str().unwrap());
            expressions.push('\n');
        }
    }
    every_metric_exists(&expressions);
    // Every metric of the framework's own is on it.
    let shown = metrics_in(&expressions);
    let guide = page("guide/metrics.md");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `"));
    for name in rows.filter_map(|row| row.split('`').next()) {
        let is_own = !metrics_in(name).is_empty();
        let is_shown = shown.iter().any(|shown| shown.starts_with(name));
        assert!(!is_own || is_shown, "{name} is not on the dashboard");
    }
}

#[test]
fn the_alert_rules_are_rules_and_every_metric_in_them_exists() {
    let rules = page("monitoring/alerts.yml");
    every_metric_exists(&rules);
    let checked = Command::new("promtool")
        .args(["check", "rules"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring/alerts.yml"))
        .output();
    let Ok(checked) = checked else {
        println!("skipped: promtool is not installed (Debian: prometheus)");
        return;
    };
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success(), "{said}");
}

#[test]
fn every_expression_of_the_dashboard_is_one_of_prometheus() {
    let web = Web::start();
    let Some(prometheus) = Prometheus::start(&web.metrics) else {
        return;
    };
    let dashboard: Value = serde_json::from_str(&page("monitoring/dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let query = query
                .replace("$__rate_interval", "1m")
                .replace("$job", ".*");
            // It panics if Prometheus does not understand it.
            let _ = prometheus.query(&query);
        }
    }
}
