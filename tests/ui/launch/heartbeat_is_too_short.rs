use service_runtime::prelude::*;

#[launch(workers = 2, heartbeat_timeout = "2s")]
fn main() {}
