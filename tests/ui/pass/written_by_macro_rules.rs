#![deny(warnings)]

use service_runtime::prelude::*;

macro_rules! greeter {
    ($type:ident, $name:literal, $every:literal, $method:ident, $cx:ident: $cx_type:ty, $body:block) => {
        #[service(name = $name)]
        struct $type;

        #[service]
        impl $type {
            #[init]
            fn new() -> Result<Self> {
                Ok(Self)
            }

            #[start]
            #[periodic(every = $every)]
            async fn $method(&self, $cx: $cx_type) -> Result<()> $body

            #[stop]
            fn on_stop(&self, cx: &Context) {
                let _ = cx;
            }
        }
    };
}

greeter!(English, "english", "1s", hello, cx: &Context, {
    let _ = cx;
    Ok(())
});
greeter!(German, "german", "2s", hallo, _context: &Context, { Ok(()) });

macro_rules! service {
    ($struct:item $impl:item) => {
        #[service]
        $struct

        #[service]
        $impl
    };
}

service! {
    struct French;

    impl French {
        #[start]
        fn on_start(&self) {}
    }
}

fn main() {}
