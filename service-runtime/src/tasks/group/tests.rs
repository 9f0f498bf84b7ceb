//! Groups and handles, from outside.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::*;
use crate::tasks::run_view::{RunCounts, RunView};
use crate::tasks::{TaskError, TaskKind};

/// Says when it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

#[tokio::test]
async fn a_full_group_makes_spawn_wait_and_refuses_try_spawn() {
    let group = TaskGroup::with_limit("g", two());
    let gate = Arc::new(Notify::new());
    for name in ["a", "b"] {
        let gate = Arc::clone(&gate);
        group
            .spawn(name, async move { gate.notified().await })
            .await
            .unwrap();
    }
    let full = group.try_spawn("c", async {}).unwrap_err();
    assert_eq!(
        full.to_string(),
        "cannot start task `c`: group `g` already runs 2 tasks"
    );
    let mut third = Box::pin(group.spawn("c", async { 3 }));
    assert!(is_pending(&mut third).await);
    yield_now().await;
    gate.notify_one();
    assert_eq!(third.await.unwrap().wait().await, Ok(3));
}

#[tokio::test]
async fn a_spawn_that_is_dropped_while_it_waits_takes_no_room() {
    let group = TaskGroup::with_limit("g", NonZeroUsize::MIN);
    let first = group.spawn("a", pending::<()>()).await.unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let load = Dropped(Arc::clone(&dropped));
    let mut given_up = Box::pin(group.spawn("b", async move { drop(load) }));
    assert!(is_pending(&mut given_up).await);
    drop(given_up);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    first.cancel();
    group
        .spawn("c", async {})
        .await
        .unwrap()
        .wait()
        .await
        .unwrap();
    group
        .spawn("d", async {})
        .await
        .unwrap()
        .wait()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_panic_and_a_cancel_give_their_room_back() {
    let group = TaskGroup::with_limit("g", NonZeroUsize::MIN);
    group
        .try_spawn("a", async { panic!() })
        .unwrap()
        .wait()
        .await
        .unwrap_err();
    let second = group.try_spawn("b", pending::<()>()).unwrap();
    second.cancel();
    assert_eq!(
        second.wait().await,
        Err(TaskError::Cancelled { task: "b".into() })
    );
    assert!(group.try_spawn("c", async {}).is_ok());
}

#[tokio::test]
async fn a_stop_refuses_those_who_wait_for_room() {
    let group = TaskGroup::with_limit("g", NonZeroUsize::MIN);
    let first = group.spawn("a", pending::<()>()).await.unwrap();
    let mut second = Box::pin(group.spawn("b", async {}));
    assert!(is_pending(&mut second).await);
    group.stop(true);
    let refused = second.await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot start task `b`: group `g` is stopping"
    );
    first.cancel();
    group.wait().await;
}

#[tokio::test]
async fn a_graceful_stop_lets_tasks_run_to_their_end() {
    let group = TaskGroup::new("g");
    let stopping = group.clone();
    let task = group.spawn("a", async move {
        stopping.stopping().await;
        "finished"
    });
    let task = task.await.unwrap();
    assert!(!group.is_stopping());
    group.stop(true);
    group.wait().await;
    assert!(group.is_stopping() && group.stop_token().is_cancelled());
    assert_eq!(task.wait().await, Ok("finished"));
}

#[tokio::test]
async fn a_stop_that_is_not_graceful_drops_every_future() {
    let group = TaskGroup::new("g");
    let dropped = Arc::new(AtomicUsize::new(0));
    let spawn = |name| {
        let load = Dropped(Arc::clone(&dropped));
        group.try_spawn(name, async move {
            let _load = load;
            pending::<()>().await;
        })
    };
    let waiting = spawn("waits").unwrap();
    yield_now().await;
    let unpolled = spawn("has not begun").unwrap();
    group.stop(true);
    yield_now().await;
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    group.stop(false);
    group.wait().await;
    assert_eq!((dropped.load(Ordering::SeqCst), group.len()), (2, 0));
    for task in [waiting, unpolled] {
        assert!(matches!(
            task.wait().await,
            Err(TaskError::Cancelled { .. })
        ));
    }
}

#[tokio::test]
async fn a_task_may_stop_its_own_group_and_wait_for_the_others() {
    let group = TaskGroup::new("g");
    let (other, count) = (group.clone(), Arc::new(AtomicUsize::new(0)));
    let worker = Arc::clone(&count);
    let _worker = group.try_spawn("worker", async move {
        other.stopping().await;
        worker.fetch_add(1, Ordering::SeqCst);
    });
    let (own, seen) = (group.clone(), Arc::clone(&count));
    let leader = group.try_spawn("leader", async move {
        own.stop(true);
        own.wait().await;
        seen.load(Ordering::SeqCst)
    });
    group.wait().await;
    assert_eq!(leader.unwrap().wait().await, Ok(1));
}

#[tokio::test]
async fn a_task_that_aborts_its_own_group_ends_at_its_next_await() {
    let group = TaskGroup::new("g");
    let own = group.clone();
    let task = group.try_spawn("a", async move {
        own.stop(false);
        yield_now().await;
        unreachable!("aborted at the await");
    });
    group.wait().await;
    assert!(matches!(
        task.unwrap().wait().await,
        Err(TaskError::Cancelled { .. })
    ));
}

#[tokio::test]
async fn many_may_wait_inside_and_outside() {
    let group = TaskGroup::new("g");
    let inside: Vec<_> = (0..3)
        .map(|_| {
            let own = group.clone();
            group
                .try_spawn("inside", async move { own.wait().await })
                .unwrap()
        })
        .collect();
    let outside = TaskGroup::new("outside");
    for _ in 0..3 {
        let group = group.clone();
        outside
            .try_spawn("waits", async move { group.wait().await })
            .unwrap();
    }
    yield_now().await;
    assert_eq!((group.len(), outside.len()), (3, 3));
    group.stop(true);
    outside.stop(true);
    outside.wait().await;
    for task in inside {
        task.wait().await.unwrap();
    }
}

#[tokio::test]
async fn a_group_that_nobody_stops_is_waited_for() {
    let group = TaskGroup::new("g");
    let mut wait = Box::pin(group.wait());
    assert!(is_pending(&mut wait).await);
    group.stop(true);
    wait.await;
    group.wait().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_blocks_is_named_and_waited_for() {
    let group = TaskGroup::new("g");
    let (release, released) = mpsc::channel::<()>();
    let (tell, begun) = oneshot::channel();
    let blocked = group.try_spawn("blocked", async move {
        tell.send(()).unwrap();
        released.recv().unwrap();
        yield_now().await;
    });
    begun.await.unwrap();
    group.stop(false);
    let mut wait = Box::pin(group.wait());
    assert!(is_pending(&mut wait).await);
    let tasks = group.tasks();
    assert_eq!(
        (tasks.len(), &*tasks[0].name, tasks[0].kind),
        (1, "blocked", TaskKind::Task)
    );
    release.send(()).unwrap();
    wait.await;
    assert!(matches!(
        blocked.unwrap().wait().await,
        Err(TaskError::Cancelled { .. })
    ));
}

#[tokio::test]
async fn a_token_that_is_cancelled_does_not_stop_the_group() {
    let group = TaskGroup::new("g");
    group.stop_token().cancel();
    assert!(!group.is_stopping());
    assert!(group.try_spawn("a", async {}).is_ok());
}

#[tokio::test]
async fn tasks_are_described_the_oldest_first() {
    let group = TaskGroup::with_limit("g", two());
    let _a = group.try_spawn(String::from("a"), pending::<()>()).unwrap();
    let tasks = group.tasks();
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        (&*tasks[0].name, tasks[0].runs, tasks[0].last_run),
        ("a", 0, None)
    );
    assert_eq!((group.name(), group.limit()), ("g", Some(two())));
    assert_eq!(
        format!("{group:?}"),
        r#"TaskGroup { name: "g", len: 1, stopping: false }"#
    );
}

#[tokio::test]
async fn what_is_in_progress_at_a_stop_may_spawn_until_the_last_task_has_ended() {
    let group = TaskGroup::new("group");
    let (go_on, told) = oneshot::channel::<()>();
    let inner = group.clone();
    let first = group
        .try_spawn("request", async move {
            told.await.unwrap();
            let second = inner.spawn("part of it", async { 2 }).await.unwrap();
            let limited = inner.limited(NonZeroUsize::MIN);
            let third = limited.try_spawn("another part", async { 3 }).unwrap();
            (second.wait().await.unwrap(), third.wait().await.unwrap())
        })
        .unwrap();
    group.stop(true);
    let refused = group.timer(
        "late",
        crate::tasks::Timer::every(Duration::from_secs(1)),
        || async {},
    );
    assert!(refused.is_err(), "a timer would never end");
    go_on.send(()).unwrap();
    assert_eq!(first.wait().await, Ok((2, 3)));
    group.wait().await;
    assert!(group.try_spawn("late", async {}).is_err());
}

#[tokio::test]
async fn a_background_task_runs_on_during_a_stop_and_is_dropped_last() {
    struct Told(Option<oneshot::Sender<()>>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }
    let group = TaskGroup::new("group");
    let (ask, mut asked) = tokio::sync::mpsc::channel::<oneshot::Sender<u32>>(1);
    let (gone, mut dropped) = oneshot::channel();
    group.background("driver", async move {
        let _told = Told(Some(gone));
        while let Some(answer) = asked.recv().await {
            let _ = answer.send(42);
        }
        pending::<()>().await;
    });
    assert_eq!(group.tasks().len(), 1);
    assert!(group.is_empty(), "it is no work of the group's");
    let (go_on, told) = oneshot::channel::<()>();
    let request = group
        .try_spawn("request", async move {
            told.await.unwrap();
            let (answer, answered) = oneshot::channel();
            ask.send(answer).await.unwrap();
            answered.await.unwrap()
        })
        .unwrap();
    group.stop(true);
    go_on.send(()).unwrap();
    assert_eq!(request.wait().await, Ok(42), "the driver still drives");
    assert!(dropped.try_recv().is_err());
    group.wait().await;
    dropped.await.unwrap();
    assert_eq!(group.tasks().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_the_first_turn_of_a_loop_is_not_missed() {
    struct Loop(AtomicBool);

    impl RunView for Loop {
        fn stop(&self) {
            self.0.store(true, Ordering::SeqCst);
        }

        fn is_stopped(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }

        fn counts(&self) -> RunCounts {
            RunCounts::default()
        }
    }

    let group = TaskGroup::new("g");
    let start = Start {
        name: "loop".into(),
        kind: TaskKind::Timer,
        run: Some(Arc::new(Loop(AtomicBool::new(false)))),
    };
    let (stops, mut polled) = (group.clone(), false);
    // As a loop that has looked whether it is stopped just before it was, and sleeps now.
    let turning = poll_fn(move |_| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        stops.stop(true);
        Poll::Pending
    });
    drop(group.start(start, turning).unwrap());
    timeout(Duration::from_secs(3600), group.wait())
        .await
        .expect("the loop is woken, and does not sleep out its interval");
}
