use service_runtime::prelude::*;

#[service]
struct Compute;

#[service]
impl Compute {
    #[rpc]
    fn build(&self, image: String) -> usize {
        image.len()
    }
}

async fn all(cx: &Context) {
    let _ = ComputeClient::new(cx).everywhere();
}

fn main() {}
