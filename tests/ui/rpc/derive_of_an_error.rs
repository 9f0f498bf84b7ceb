use service_runtime::prelude::*;

#[derive(RpcError)]
union Bits {
    one: u8,
}

#[derive(Debug, RpcError)]
struct Wrapped<T>(T);

#[derive(Debug, thiserror::Error, RpcError)]
#[error("no room")]
#[rpc_error]
struct NoRoom;

#[derive(RpcError)]
enum NoError {
    Plain,
}

fn main() {}
