//! `axum::serve` on a runtime of two threads; it speaks no TLS.

use axum::{Router, routing::get};

#[tokio::main(worker_threads = 2)]
async fn main() {
    let listener = tokio::net::TcpListener::from_std(http_comparison::listen()).expect("a listener");
    let routes = Router::new().route("/", get(|| async { "hello" }));
    axum::serve(listener, routes).await.expect("it never ends");
}
