//! Which route of axum's answers a request, for metrics.

use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::connection::Client;

/// Has routes note which of them answers a request.
pub(crate) fn noting_routes(routes: axum::Router) -> axum::Router {
    routes.layer(NoteRoute).with_state(())
}

#[derive(Clone, Copy)]
struct NoteRoute;

impl<S> Layer<S> for NoteRoute {
    type Service = NotedRoute<S>;

    fn layer(&self, service: S) -> NotedRoute<S> {
        NotedRoute(service)
    }
}

/// The service behind a route.
#[derive(Clone)]
struct NotedRoute<S>(S);

impl<S: Service<Request>> Service<Request> for NotedRoute<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        let extensions = request.extensions();
        let found = extensions.get::<MatchedPath>();
        if let (Some(found), Some(client)) = (found, extensions.get::<Client>()) {
            client.request().found(found.clone());
        }
        self.0.call(request)
    }
}
