use service_runtime::prelude::*;

struct Image;

#[service]
struct Compute;

#[service]
impl Compute {
    #[rpc]
    fn build(&self, image: Image) {
        drop(image);
    }
}

fn main() {}
