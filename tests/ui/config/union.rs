use service_runtime::prelude::*;

#[derive(Clone, Copy, Config)]
union Bits {
    number: u32,
    bytes: [u8; 4],
}

fn main() {}
