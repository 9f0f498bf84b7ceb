use service_runtime::prelude::*;

#[service]
struct Launch;

#[service]
impl Launch {}

fn main() {}
