//! TLS by rustls: pairs of certificate and key that can change while the program runs.
//!
//! New pairs are built whole before they take the place of the old ones; connections keep the pair
//! that they began with.

mod file_thread;
mod load;
mod names;
mod tickets;
mod validity;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::{Accept, TlsAcceptor};

use self::file_thread::apart;
use self::load::load;
pub(crate) use self::tickets::tickets;
use self::watch::{Files, Watch};
use super::config::Wrong;
use super::{HttpConfig, TlsConfig};
use crate::service::Context;

/// TLS with the pairs of the moment.
#[derive(Clone)]
pub(crate) struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

type Loaded = Result<Option<Arc<ServerConfig>>, Wrong>;

/// Looks at the files, and then reads them, apart from the runtime.
async fn read(config: &TlsConfig) -> Option<(Files, Loaded)> {
    let config = config.clone();
    apart(move || (Files::of(&config), load(&config))).await
}

/// Opens every file of the table, and throws away what is in them.
pub(crate) fn open(config: &TlsConfig) -> Result<(), Wrong> {
    load(config).map(drop)
}

/// Why the pairs are loaded again.
enum Again {
    /// The configuration was taken over anew, changed or not.
    Told,
    /// A file has changed.
    Changed,
}

impl Tls {
    /// Loads the pairs, if there are any, and again whenever that is asked for or a file changes, by
    /// a task of the service.
    ///
    /// # Errors
    ///
    /// Returns an error, with the file, if a pair cannot be used.
    pub(crate) async fn start(cx: &Context, config: &TlsConfig) -> anyhow::Result<Option<Self>> {
        let (files, loaded) = read(config).await.context("cannot read the certificates")?;
        let loaded = match loaded {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return Ok(None),
            Err(wrong) => return Err(wrong.of(cx).into()),
        };
        let tls = Self(Arc::new(RwLock::new(loaded)));
        let keeping = tls.clone().keep(cx.clone(), config.clone(), files);
        cx.tasks().try_spawn("tls", keeping)?;
        Ok(Some(tls))
    }

    async fn keep(self, cx: Context, mut config: TlsConfig, files: Files) {
        let mut snapshots = cx.host().snapshots();
        let mut watch = Watch::new(config.watch, files);
        loop {
            let again = tokio::select! {
                changed = snapshots.changed() => match changed {
                    Ok(()) => Again::Told,
                    Err(_) => return,
                },
                () = watch.changed(&config) => Again::Changed,
                () = cx.stopping() => return,
            };
            if let Again::Told = again {
                let table = snapshots
                    .borrow_and_update()
                    .section::<HttpConfig>(cx.name());
                match table {
                    Ok(table) => config = table.tls,
                    // The service was given its configuration by the program itself.
                    Err(error) => tracing::debug!("the table is not read again: {error}"),
                }
            }
            // A stop does not wait for a file system that hangs.
            tokio::select! {
                read = read(&config) => match read {
                    Some((files, loaded)) => {
                        watch.loaded(&config, files);
                        self.replace(&cx, loaded);
                    }
                    None => tracing::error!(service = cx.name(), "the old TLS certificate stays"),
                },
                () = cx.stopping() => return,
            }
        }
    }

    /// Puts new pairs into place, or says why not.
    fn replace(&self, cx: &Context, loaded: Loaded) {
        match loaded {
            Ok(Some(new)) => {
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
                tracing::info!(service = cx.name(), "TLS certificate loaded");
            }
            Ok(None) => {}
            Err(wrong) => self.refused(cx, &wrong),
        }
    }

    fn refused(&self, cx: &Context, wrong: &Wrong) {
        tracing::error!(
            service = cx.name(),
            "the old TLS certificate stays: {wrong}"
        );
    }

    /// Begins a handshake with the pairs of the moment.
    pub(crate) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        let config = self.0.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config)).accept(stream)
    }
}
