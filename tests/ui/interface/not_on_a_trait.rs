use service_runtime::prelude::*;

#[interface(topic = "compute")]
struct Compute;

#[interface(topic = "")]
trait Empty {}

fn main() {}
