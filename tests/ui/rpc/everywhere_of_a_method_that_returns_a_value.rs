use service_runtime::prelude::*;

#[service]
struct Compute;

#[service]
impl Compute {
    #[rpc]
    fn build(&self, image: String) -> usize {
        image.len()
    }

    #[rpc(cast)]
    fn forget(&self, image: String) {
        drop(image);
    }
}

async fn all(cx: &Context) {
    let _ = ComputeClient::new(cx).everywhere().forget("x".to_owned()).await;
    let _ = ComputeClient::new(cx).everywhere().build("x".to_owned()).await;
}

fn main() {}
