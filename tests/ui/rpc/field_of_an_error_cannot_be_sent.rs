use service_runtime::prelude::*;

#[derive(Debug)]
struct Image;

#[derive(Debug, thiserror::Error, RpcError)]
enum Refused {
    #[error("no room for {0:?}")]
    NoRoom(Image),
    #[error("closed")]
    Closed,
}

fn main() {}
