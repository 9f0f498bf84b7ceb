use service_runtime::prelude::*;

#[derive(Config)]
struct Section {
    #[config(default = 10)]
    size: u8,
}

fn main() {}
