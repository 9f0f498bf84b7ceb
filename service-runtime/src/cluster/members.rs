//! The workers of a service as its peers see them, now and as it changes.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::handle::{Cluster, ClusterError};
use super::member::{self, Member};
use super::record;
use crate::service::Context;

/// How often a watcher looks at most, and at least.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// The workers that serve a service at one moment, by host and slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(Vec<Member>);

/// Asks for the workers of a service: await it, or [`watch`](Self::watch) them; see [`Context::members`].
#[must_use = "nothing is asked for until it is awaited"]
pub struct MembersOf<'a> {
    cx: &'a Context,
    service: String,
}

impl Members {
    /// Goes over all of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Member> {
        self.0.iter()
    }

    /// Returns whether a worker on this host lives: it is up, busy, disabled or draining.
    pub fn is_up(&self, host: &str) -> bool {
        let mut here = self.0.iter().filter(|member| member.host == host);
        here.any(|member| member.state.is_alive())
    }

    /// Goes over those that may be given new work.
    pub fn taking_work(&self) -> impl Iterator<Item = &Member> {
        self.0.iter().filter(|member| member.state.takes_work())
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a Member;
    type IntoIter = std::slice::Iter<'a, Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> MembersOf<'a> {
    pub(super) fn new(cx: &'a Context, service: String) -> Self {
        Self { cx, service }
    }

    /// Returns whether a worker of the service on this host lives.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster, or the store does not answer.
    pub async fn is_up(self, host: &str) -> Result<bool, ClusterError> {
        Ok(self.await?.is_up(host))
    }

    /// Returns the lowest version of the service in the cluster, without hosts that are forced down; none if
    /// it has no record.
    ///
    /// # Errors
    ///
    /// As [`is_up`](Self::is_up).
    pub async fn lowest_version(self) -> Result<Option<u64>, ClusterError> {
        let cluster = Cluster::of(self.cx)?;
        Ok(record::lowest_version(&cluster.store, &self.service).await?)
    }

    /// Watches the workers: the receiver is told of each change until the calling service ends.
    ///
    /// It holds no member until the store has answered once, and the last answer while the store is away.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster.
    pub fn watch(self) -> Result<watch::Receiver<Members>, ClusterError> {
        let cluster = Cluster::of(self.cx)?;
        let (tell, told) = watch::channel(Members::default());
        let service = self.service;
        self.cx.tasks().background("members watch", async move {
            let pause = (cluster.config.interval / 10).clamp(SHORTEST, LONGEST);
            let mut failing = false;
            while !tell.is_closed() {
                match list(&cluster, &service).await {
                    Ok(members) => {
                        failing = false;
                        tell.send_if_modified(|known| {
                            let changed = differ(known, &members);
                            *known = members;
                            changed
                        });
                    }
                    Err(error) if !failing => {
                        failing = true;
                        tracing::warn!(service, "the members are not known any more: {error}");
                    }
                    Err(_) => {}
                }
                sleep(pause).await;
            }
        });
        Ok(told)
    }
}

impl<'a> IntoFuture for MembersOf<'a> {
    type Output = Result<Members, ClusterError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let cluster = Cluster::of(self.cx)?;
            list(&cluster, &self.service).await
        })
    }
}

async fn list(cluster: &Arc<Cluster>, service: &str) -> Result<Members, ClusterError> {
    let (store, down_after) = (&cluster.store, cluster.down_after());
    let members = member::list(store, service, down_after, &cluster.entry.process).await?;
    Ok(Members(members))
}

/// Returns whether somebody came, went or changed; a later beat alone is no change.
fn differ(old: &Members, new: &Members) -> bool {
    let of = |member: &Member| Member {
        seen: std::time::SystemTime::UNIX_EPOCH,
        ..member.clone()
    };
    !old.iter().map(of).eq(new.iter().map(of))
}
