//! The processors that this process may use: those of its control group and its affinity mask.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// Returns how many processors this process may use at the moment, a part of one counted as one.
pub(crate) fn count() -> usize {
    let mask = allowed().len();
    let mask = match mask {
        // A machine with more processors than the set can hold.
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        mask => mask,
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    quota(&own, Path::new(GROUPS)).map_or(mask, |quota| mask.min(quota).max(1))
}

/// Pins this thread, and those that it starts later, to one of the allowed processors, round them
/// by slots.
///
/// # Errors
///
/// Returns the kernel's error.
pub(crate) fn pin(slot: usize) -> nix::Result<()> {
    let allowed = allowed();
    let Some(cpu) = slot.checked_rem(allowed.len()).map(|index| allowed[index]) else {
        return Ok(());
    };
    let mut one = CpuSet::new();
    one.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &one)
}

/// Returns the numbers of the processors in this thread's mask.
fn allowed() -> Vec<usize> {
    let Ok(mask) = sched_getaffinity(Pid::from_raw(0)) else {
        return Vec::new();
    };
    (0..CpuSet::count())
        .filter(|cpu| mask.is_set(*cpu) == Ok(true))
        .collect()
}

/// Returns the smallest quota of a process's control groups and all above them, rounded up.
///
/// `own` is what `/proc/self/cgroup` says, `mount` where the groups are.
fn quota(own: &str, mount: &Path) -> Option<usize> {
    let mut least: Option<usize> = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else {
            continue;
        };
        let is_v1 = controllers.split(',').any(|controller| controller == "cpu");
        if !controllers.is_empty() && !is_v1 {
            continue;
        }
        let root: PathBuf = mount.join(controllers);
        let inside = Path::new(group.trim_start_matches('/'));
        // In a container the group may be named as the host sees it: then only the root is there.
        for group in inside.ancestors() {
            let dir = root.join(group);
            let quota = if is_v1 { v1(&dir) } else { v2(&dir) };
            least = quota.into_iter().chain(least).min();
        }
    }
    least
}

/// Reads `150000 100000`, or `max 100000`.
fn v2(dir: &Path) -> Option<usize> {
    let text = fs::read_to_string(dir.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    share(quota, period)
}

/// Reads the quota, -1 for none, and the period.
fn v1(dir: &Path) -> Option<usize> {
    let read = |name| fs::read_to_string(dir.join(name)).ok();
    share(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?)
}

fn share(quota: &str, period: &str) -> Option<usize> {
    let (quota, period): (usize, usize) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    (period > 0).then(|| quota.div_ceil(period).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a folder of control groups.
    fn groups(files: &[(&str, &str)]) -> PathBuf {
        let name = format!(
            "service-runtime-cpus-{}-{:x}",
            std::process::id(),
            fastrand::u64(..)
        );
        let root = std::env::temp_dir().join(name);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_smallest_quota_above_a_group_counts_rounded_up() {
        let root = groups(&[
            ("a/cpu.max", "150000 100000\n"),
            ("a/b/cpu.max", "max 100000\n"),
        ]);
        assert_eq!(quota("0::/a/b\n", &root), Some(2));
        assert_eq!(quota("0::/a\n", &root), Some(2));
        assert_eq!(quota("0::/\n", &root), None);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_quota_of_the_old_kind_counts_and_minus_one_is_none() {
        let root = groups(&[
            ("cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
            ("cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ("cpu,cpuacct/free/cpu.cfs_quota_us", "-1\n"),
            ("cpu,cpuacct/free/cpu.cfs_period_us", "100000\n"),
        ]);
        // The container's own group is not visible under the host's name.
        let own = "5:cpu,cpuacct:/docker/0123\n4:memory:/docker/0123\n";
        assert_eq!(quota(own, &root), Some(1));
        assert_eq!(quota("5:cpu,cpuacct:/free\n", &root), Some(1));
        assert_eq!(quota("4:memory:/free\n", &root), None);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn there_is_at_least_one_processor_and_at_most_as_many_as_in_the_mask() {
        assert!((1..=allowed().len().max(1)).contains(&count()));
    }
}
