//! hyper and nothing else: two threads, each with a runtime of its own, and one listener.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsAcceptor;

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"hello")));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, text);
    Ok(answer)
}

fn main() {
    let listener = http_comparison::listen();
    let tls = http_comparison::tls().map(|config| TlsAcceptor::from(Arc::new(config)));
    let threads = [(); 2].map(|()| {
        let (listener, tls) = (listener.try_clone().expect("a descriptor"), tls.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(serve(listener, tls));
        })
    });
    threads.into_iter().for_each(|thread| thread.join().expect("it never ends"));
}

async fn serve(listener: std::net::TcpListener, tls: Option<TlsAcceptor>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => {
                    let serving = http1::Builder::new();
                    let _ = serving.serve_connection(TokioIo::new(stream), service_fn(hello)).await;
                }
                Some(tls) => {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let serving = http1::Builder::new();
                    let _ = serving.serve_connection(TokioIo::new(stream), service_fn(hello)).await;
                }
            }
        });
    }
}
