//! What a service finds of the cluster at its context.

use super::handle::{Cluster, ClusterError};
use super::lease::LeaseRequest;
use super::liveness::ReportedState;
use super::members::MembersOf;
use super::record::Record;
use super::records::Records;
use crate::service::Context;

impl Context {
    /// Returns the record of this service on this host, as it is in the store now; it is created if need be.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster, the store does not answer, or the program is
    /// older than what the cluster has come to.
    pub async fn record(&self) -> Result<Record, ClusterError> {
        let cluster = Cluster::of(self)?;
        let version = cluster.program.version;
        Ok(cluster
            .record
            .get_or_create(&cluster.store, version)
            .await?)
    }

    /// Returns the records of all services, for what operators do.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster.
    pub fn records(&self) -> Result<Records, ClusterError> {
        Ok(Records::of(Cluster::of(self)?.store.clone()))
    }

    /// Asks for the workers of a service: `cx.members("agent").await?`, or `.watch()?`.
    pub fn members(&self, service: impl Into<String>) -> MembersOf<'_> {
        MembersOf::new(self, service.into())
    }

    /// Asks for a lease, which one worker of the cluster has at a time: `cx.lease("import").acquire().await?`.
    ///
    /// Leases have one space of names in a store: begin the name with that of your program.
    pub fn lease(&self, name: impl Into<String>) -> LeaseRequest<'_> {
        LeaseRequest::new(self, name.into())
    }

    /// Tells peers that this worker has room for no more work at the moment, or has again.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster.
    pub fn busy(&self, busy: bool) -> Result<(), ClusterError> {
        Cluster::of(self)?.report_state(if busy {
            ReportedState::Busy
        } else {
            ReportedState::Up
        });
        Ok(())
    }
}
