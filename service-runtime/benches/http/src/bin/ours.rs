//! service-runtime: everything as it is by default.

use service_runtime::http::HttpService;
use service_runtime::http::axum::{Router, routing::get};
use service_runtime::prelude::*;

service_runtime::http_table!("api");

#[launch(workers = 2)]
fn main() -> HttpService {
    HttpService::new("api", Router::new().route("/", get(|| async { "hello" })))
}
