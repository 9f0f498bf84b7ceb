//! actix-web with two workers.

use actix_web::{App, HttpServer, web};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let routes = || App::new().route("/", web::get().to(|| async { "hello" }));
    let server = HttpServer::new(routes).workers(2).disable_signals();
    let listener = http_comparison::listen();
    match http_comparison::tls() {
        None => server.listen(listener)?.run().await,
        Some(tls) => server.listen_rustls_0_23(listener, tls)?.run().await,
    }
}
