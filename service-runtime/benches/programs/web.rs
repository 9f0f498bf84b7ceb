//! The HTTP program that is compared with other supervisors' workers: answers with its pid.

use service_runtime::http::HttpService;
use service_runtime::http::axum::{Router, routing::get};
use service_runtime::prelude::*;

service_runtime::http_table!("web");

#[launch(workers = 2)]
fn main() -> HttpService {
    let pid = get(|| async { std::process::id().to_string() });
    HttpService::new("web", Router::new().route("/", pid))
}
