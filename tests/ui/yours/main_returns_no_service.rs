use service_runtime::prelude::*;

#[launch(workers = 2)]
fn main() -> Vec<u32> {
    Vec::new()
}
