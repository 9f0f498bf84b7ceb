use service_runtime::prelude::*;

#[service]
struct Größe;

#[service]
impl Größe {}

fn main() {}
