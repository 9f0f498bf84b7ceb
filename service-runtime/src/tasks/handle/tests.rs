//! What a handle tells of its task.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::*;
use crate::tasks::{FailureCause, TaskGroup, TaskKind};

#[tokio::test]
async fn a_task_gives_its_value_and_is_gone() {
    let group = TaskGroup::new("g");
    let task = group.spawn("one", async { 1 }).await.unwrap();
    assert_eq!((task.name(), group.len()), ("one", 1));
    assert_eq!(task.wait().await, Ok(1));
    assert!(group.is_empty());
    assert_eq!(group.tasks(), []);
}

#[tokio::test]
async fn a_panic_is_reported_and_in_the_handle() {
    let group = TaskGroup::new("g");
    let (tell, told) = mpsc::channel();
    group.on_failure(move |failure| {
        let FailureCause::Panicked(message) = &failure.cause else {
            panic!("not a panic")
        };
        tell.send((failure.task.to_string(), failure.kind, message.clone()))
            .unwrap();
    });
    let task = group
        .spawn("bad", async { panic!("no {}", "luck") })
        .await
        .unwrap();
    let error: TaskError = task.wait().await.unwrap_err();
    assert_eq!(error.to_string(), "task `bad` panicked: no luck");
    assert_eq!(
        told.recv().unwrap(),
        ("bad".to_owned(), TaskKind::Task, "no luck".to_owned())
    );
}

#[tokio::test]
async fn a_listener_that_panics_does_not_keep_others_from_hearing() {
    let group = TaskGroup::new("g");
    let heard = Arc::new(AtomicUsize::new(0));
    group.on_failure(|_| panic!("deaf"));
    let count = Arc::clone(&heard);
    group.on_failure(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    group
        .spawn("bad", async { panic!() })
        .await
        .unwrap()
        .wait()
        .await
        .unwrap_err();
    assert_eq!(heard.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_future_that_panics_while_it_is_aborted_is_a_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    let group = TaskGroup::new("g");
    let task = group.try_spawn("a", async {
        let _bomb = Bomb;
        pending::<()>().await;
    });
    yield_now().await;
    group.stop(false);
    group.wait().await;
    let error = task.unwrap().wait().await.unwrap_err();
    assert_eq!(
        error,
        TaskError::Panicked {
            task: "a".into(),
            message: "boom".into()
        }
    );
}

#[tokio::test]
async fn dropped_handles_leave_nothing_behind() {
    let group = TaskGroup::new("g");
    let (release, released) = oneshot::channel::<()>();
    drop(group.spawn("a", released).await.unwrap());
    for _ in 0..100 {
        drop(group.spawn("b", async {}).await.unwrap());
    }
    assert_eq!(group.len(), 101);
    release.send(()).unwrap();
    group.stop(true);
    group.wait().await;
    assert_eq!((group.len(), group.tasks()), (0, vec![]));
}

#[tokio::test]
async fn callbacks_run_in_order_before_the_value_is_there() {
    let group = TaskGroup::new("g");
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut task = group.spawn("a", async {}).await.unwrap();
    for n in 0..3 {
        let order = Arc::clone(&order);
        task.on_done(move |end| order.lock().unwrap().push((n, end.clone())));
    }
    task.wait().await.unwrap();
    let expected: Vec<_> = (0..3).map(|n| (n, TaskEnd::Completed)).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_callback_given_after_the_end_runs_at_once_and_the_value_is_kept() {
    let group = TaskGroup::new("g");
    let mut task = group.spawn("a", async { 7 }).await.unwrap();
    yield_now().await;
    assert!(task.is_done());
    let (tell, told) = mpsc::channel();
    let again = tell.clone();
    task.on_done(move |end| tell.send(end.clone()).unwrap());
    assert_eq!(told.try_recv().unwrap(), TaskEnd::Completed);
    assert_eq!((&mut task).await, Ok(7));
    task.on_done(move |end| again.send(end.clone()).unwrap());
    assert_eq!(told.try_recv().unwrap(), TaskEnd::Completed);
}

#[tokio::test]
async fn a_callback_learns_of_panic_and_cancel_also_without_the_handle() {
    let group = TaskGroup::new("g");
    let (tell, told) = mpsc::channel();
    let mut bad = group.spawn("bad", async { panic!("no") }).await.unwrap();
    let panicked = tell.clone();
    bad.on_done(move |end| panicked.send(end.clone()).unwrap());
    let late = tell.clone();
    (&mut bad).await.unwrap_err();
    bad.on_done(move |end| late.send(end.clone()).unwrap());
    let mut idle = group.spawn("idle", pending::<()>()).await.unwrap();
    idle.on_done(move |end| tell.send(end.clone()).unwrap());
    drop((bad, idle));
    group.stop(false);
    group.wait().await;
    let panicked = TaskEnd::Panicked("no".into());
    let expected = vec![panicked.clone(), panicked, TaskEnd::Cancelled];
    assert_eq!(told.iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_callback_that_panics_hurts_nobody() {
    let group = TaskGroup::new("g");
    let mut task = group.spawn("a", async { 1 }).await.unwrap();
    let (tell, told) = mpsc::channel();
    task.on_done(|_| panic!("callback"));
    task.on_done(move |_| tell.send(()).unwrap());
    assert_eq!(task.wait().await, Ok(1));
    told.try_recv().unwrap();
    assert!(group.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads_spawn_end_and_listen_at_a_time() {
    let group = TaskGroup::new("g");
    let done = Arc::new(AtomicUsize::new(0));
    let spawner = |name: &'static str| {
        let (group, done) = (group.clone(), Arc::clone(&done));
        group.clone().try_spawn(name, async move {
            for n in 0..2000 {
                let mut task = group.try_spawn("short", async move { n }).unwrap();
                let done = Arc::clone(&done);
                task.on_done(move |_| {
                    done.fetch_add(1, Ordering::SeqCst);
                });
                if n % 3 == 0 {
                    assert_eq!(task.wait().await, Ok(n));
                }
            }
        })
    };
    let spawners = [spawner("a"), spawner("b"), spawner("c")];
    for spawner in spawners {
        spawner.unwrap().wait().await.unwrap();
    }
    group.stop(true);
    group.wait().await;
    assert_eq!((done.load(Ordering::SeqCst), group.len()), (6000, 0));
}

#[tokio::test(start_paused = true)]
async fn a_plain_task_is_not_ended_by_the_stop_of_its_handle() {
    let group = TaskGroup::new("g");
    let task = group.try_spawn("a", sleep(Duration::from_secs(1))).unwrap();
    yield_now().await;
    task.stop();
    assert_eq!(task.wait().await, Ok(()));
}
