//! The async runtime that services run on.

use tokio::runtime::{Builder, Runtime};

use crate::os::process::mask;
use crate::service::RuntimeKind;
use crate::settings::configuration::Loaded;

/// Builds the runtime that the settings ask for, or one of this kind if they do not say.
pub(crate) fn build_runtime(loaded: &Loaded, kind: RuntimeKind) -> std::io::Result<Runtime> {
    let settings = &loaded.settings;
    let mut builder = match settings.runtime.unwrap_or(kind) {
        RuntimeKind::CurrentThread => Builder::new_current_thread(),
        RuntimeKind::MultiThread => {
            let mut builder = Builder::new_multi_thread();
            if settings.threads > 0 {
                builder.worker_threads(settings.threads);
            }
            builder
        }
    };
    builder
        .on_thread_start(mask::unblock_when_handled)
        .enable_all()
        .build()
}
