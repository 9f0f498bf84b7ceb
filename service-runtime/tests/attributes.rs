//! The attributes, with any set of features: `cargo test -p service-runtime --no-default-features`.

use service_runtime::prelude::*;

#[service(on_error = "restart")]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[start]
    fn prepare(&self, cx: &Context) {
        cx.status("prepared");
    }

    #[periodic(every = "1s")]
    async fn greet(&self) {}
}

mod program {
    use super::*;

    #[launch(workers = 1)]
    pub(super) fn main() -> Greeter {
        Greeter
    }
}

#[test]
fn a_service_and_its_main_need_no_feature() {
    let main: fn() -> std::process::ExitCode = program::main;
    assert_ne!(main as usize, 0);
    let description = Greeter.description();
    assert_eq!(
        (description.name(), description.policy()),
        ("greeter", OnError::Restart)
    );
}
