//! What the control process is answered, and where its socket is.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::component::Component;
use super::control::ControlEvent;
use super::event_loop::{EventLoop, Flow};
use super::policy::System;
use super::report::Parts;
use super::report_rows::View;
use super::worker_fork::Leave;
use crate::error_chain::chain;
use crate::ipc::control::ControlRequest;
use crate::listen::PrivateSocket;
use crate::settings::ReportFormat;
use crate::settings::control_socket::{self, Place};

impl EventLoop {
    /// Deals with what has happened at the control socket; returns in the control process, too.
    pub(super) fn control(&mut self, events: Vec<ControlEvent>) -> Flow {
        for event in events {
            match event {
                ControlEvent::Connected => {
                    let now = self.supervisor.now();
                    match self.supervisor.control.spawn(now) {
                        Ok(Some(spawned)) => {
                            return ControlFlow::Break(Leave::Control(Box::new(spawned)));
                        }
                        Ok(None) => {}
                        Err(error) => tracing::error!("no control process: {error}"),
                    }
                }
                ControlEvent::Asked(request) => self.answer(request)?,
            }
        }
        self.answer_reports();
        ControlFlow::Continue(())
    }

    fn answer(&mut self, request: ControlRequest) -> Flow {
        match request {
            ControlRequest::Alive => {}
            ControlRequest::Status(id) => self.answer_status(id, false),
            ControlRequest::Configuration(id) => self.answer_status(id, true),
            ControlRequest::Report(id) => {
                let now = self.supervisor.now();
                let supervisor = &mut self.supervisor;
                supervisor.control.report_for.push(id);
                let report = &mut supervisor.control.report;
                if !report.is_under_way() {
                    report.begin(&supervisor.workers, ReportFormat::Json, now);
                }
            }
            ControlRequest::Order(id, order) => return self.order(id, &order),
            ControlRequest::Events(after) => self.supervisor.control.follow(after),
        }
        ControlFlow::Continue(())
    }

    /// Sends what is known without asking anybody: neither a worker nor the system.
    fn answer_status(&mut self, id: u32, with_configuration: bool) {
        let parts = BTreeMap::new();
        let loaded = self
            .supervisor
            .configurations
            .present(self.decisions.machine().generation());
        let view = View {
            machine: self.decisions.machine(),
            pools: &self.supervisor.pools,
            workers: &self.supervisor.workers,
            parts: &parts,
            now: self.supervisor.now(),
            looks: false,
        };
        let loaded = loaded.filter(|_| with_configuration);
        let status = self
            .supervisor
            .complete(view.status(&self.supervisor.info, loaded));
        let bytes = status.write(ReportFormat::Json);
        self.supervisor.control.answer(id, bytes.as_bytes());
    }

    /// Answers those who wait for a report when every worker has told its part, or has had its time.
    fn answer_reports(&mut self) {
        let now = self.supervisor.now();
        for Parts { of, .. } in self.supervisor.control.report.events(now, &[]) {
            let machine = self.decisions.machine();
            let view = View {
                machine,
                pools: &self.supervisor.pools,
                workers: &self.supervisor.workers,
                parts: &of,
                now,
                looks: false,
            };
            let loaded = self.supervisor.configurations.present(machine.generation());
            let status = self
                .supervisor
                .complete(view.status(&self.supervisor.info, loaded));
            let bytes = status.write(ReportFormat::Json);
            for id in std::mem::take(&mut self.supervisor.control.report_for) {
                self.supervisor.control.answer(id, bytes.as_bytes());
            }
        }
    }

    /// Begins to listen on the control socket, in the place of a process that is replaced if `replaces`; what is
    /// in the way is logged and ends nothing.
    pub(super) fn open_control(&mut self, replaces: bool) {
        let generation = self.decisions.machine().generation();
        let supervisor = &mut self.supervisor;
        let Some(loaded) = supervisor.configurations.present(generation) else {
            return;
        };
        let program = &supervisor.info.program;
        let Some(place) = control_socket::place(&loaded.settings.admin, program) else {
            return;
        };
        match bind(&place, replaces) {
            Ok(socket) => {
                tracing::debug!(path = %socket.path().display(), "control socket");
                supervisor.control.listen(Some(socket));
            }
            Err(error) => tracing::warn!("no control socket: {error}"),
        }
    }
}

/// Binds the socket; in a directory that instances of the program share, under a name that is free.
fn bind(place: &Place, replaces: bool) -> Result<PrivateSocket, String> {
    if let Some(directory) = &place.directory {
        control_socket::make_directory(directory)
            .map_err(|error| format!("cannot make `{}`: {error}", directory.display()))?;
    }
    let bound = PrivateSocket::bind(&place.path, replaces);
    match bound {
        Err(_) if place.directory.is_some() && is_socket(&place.path) => {
            let own = format!("admin-{}.sock", std::process::id());
            let own: PathBuf = place.path.with_file_name(own);
            PrivateSocket::bind(&own, false)
        }
        bound => bound,
    }
    .map_err(|error| chain(&error))
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}
