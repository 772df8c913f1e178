//! Many steps, of one thread against a plain model, and of several threads at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use sync::Barrier;
use sync::futures::BarrierWait;

use crate::common::{Random, Task, poll_once};
use crate::{assert_leads, index};

#[test]
fn hundred_thousand_arrivals_leave_in_any_order() {
    let barrier = Barrier::new(100_001);
    let mut waiters: Vec<Pin<Box<_>>> = (0..100_000).map(|_| Box::pin(barrier.wait())).collect();
    for waiter in &mut waiters {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    Random(4).shuffle(&mut waiters);
    drop(waiters.split_off(50_000));
    assert_eq!(barrier.waiting(), 50_000);
    waiters.extend((0..50_000).map(|_| Box::pin(barrier.wait())));
    for waiter in &mut waiters[50_000..] {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    assert_leads(&barrier);
    let mut seen = vec![false; 100_000];
    for waiter in &mut waiters {
        let Poll::Ready(outcome) = poll_once(waiter.as_mut()) else { panic!("it was not released") };
        assert!(!std::mem::replace(&mut seen[index(outcome)], true), "an index was given twice");
    }
}

#[test]
fn random_steps_agree_with_a_plain_model() {
    for seed in 0..30 {
        let mut random = Random(seed);
        let parties = [1, 2, 3, 5, 40][random.below(5)];
        let barrier = Barrier::new(parties);
        let mut broken = false;
        let mut waiting: Vec<Task<BarrierWait<'_>>> = Vec::new();
        // Ended but not polled yet, with what they will give.
        let mut ended: Vec<(Task<BarrierWait<'_>>, Option<usize>)> = Vec::new();
        for _ in 0..2_000 {
            match random.below(20 + parties) {
                0 => {
                    barrier.abort();
                    broken = true;
                    ended.extend(waiting.drain(..).map(|task| (task, None)));
                }
                1 | 2 => {
                    barrier.reset();
                    broken = false;
                    ended.extend(waiting.drain(..).map(|task| (task, None)));
                }
                3..6 if !waiting.is_empty() => drop(waiting.remove(random.below(waiting.len()))),
                6 if !ended.is_empty() => drop(ended.swap_remove(random.below(ended.len()))),
                7 if !waiting.is_empty() => {
                    let chosen = random.below(waiting.len());
                    waiting[chosen].assert_waits();
                }
                8 | 9 if !ended.is_empty() => {
                    let (mut task, expected) = ended.swap_remove(random.below(ended.len()));
                    assert_eq!(task.woken().ok().map(|result| result.index()), expected);
                }
                _ => {
                    let mut task = Task::new(barrier.wait());
                    match task.poll() {
                        Poll::Ready(Err(_)) => assert!(broken),
                        Poll::Ready(Ok(result)) => {
                            assert!(!broken && result.is_leader());
                            assert_eq!((waiting.len(), result.index()), (parties - 1, parties - 1));
                            ended.extend(waiting.drain(..).zip(0..).map(|(task, index)| (task, Some(index))));
                        }
                        Poll::Pending => {
                            assert!(!broken && waiting.len() < parties - 1);
                            waiting.push(task);
                        }
                    }
                }
            }
            let statistics = barrier.statistics();
            assert_eq!((statistics.waiting, statistics.broken), (waiting.len(), broken));
            assert!(waiting.iter().all(|task| task.wakes() == 0));
            assert!(ended.iter().all(|(task, _)| task.wakes() == 1));
        }
    }
}

/// No party may be more than a phase ahead of any other, however many arrivals are taken back meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_cancellations_keeps_all_in_step() {
    const PARTIES: usize = 40;
    const PHASES: usize = 500;
    let barrier = Arc::new(Barrier::new(PARTIES));
    let [ready, indices] = [const { AtomicUsize::new(0) }; 2].map(Arc::new);
    let tasks: Vec<_> = (0..PARTIES)
        .map(|party| {
            let (barrier, ready, indices) = (Arc::clone(&barrier), Arc::clone(&ready), Arc::clone(&indices));
            tokio::spawn(async move {
                let mut random = Random(party as u64);
                for phase in 1..=PHASES {
                    // One comes when the others are done with that, so that no wait is released and dropped.
                    while party != 0 && random.below(3) != 0 {
                        let mut cancelled = Box::pin(barrier.wait());
                        assert!(poll_once(cancelled.as_mut()).is_pending(), "somebody is missing");
                        tokio::task::yield_now().await;
                    }
                    ready.fetch_add(1, Ordering::SeqCst);
                    while party == 0 && ready.load(Ordering::SeqCst) < PARTIES * phase {
                        tokio::task::yield_now().await;
                    }
                    indices.fetch_add(index(barrier.wait().await), Ordering::SeqCst);
                    assert!(ready.load(Ordering::SeqCst) >= PARTIES * phase, "it was released early");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(indices.load(Ordering::SeqCst), PHASES * PARTIES * (PARTIES - 1) / 2);
    assert_eq!(barrier.waiting(), 0);
}

/// Aborts, resets and drops come at any moment, also between batches and after a release.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_aborts_and_resets_ends_every_wait() {
    const PARTIES: usize = 70;
    let barrier = Arc::new(Barrier::new(PARTIES));
    let [released, broken, over] = [const { AtomicUsize::new(0) }; 3].map(Arc::new);
    let parties: Vec<_> = (0..PARTIES + 10)
        .map(|seed| {
            let (barrier, over) = (Arc::clone(&barrier), Arc::clone(&over));
            let (released, broken) = (Arc::clone(&released), Arc::clone(&broken));
            tokio::spawn(async move {
                let mut random = Random(seed as u64);
                while over.load(Ordering::SeqCst) == 0 {
                    if random.below(8) == 0 {
                        let mut cancelled = Box::pin(barrier.wait());
                        let _ = poll_once(cancelled.as_mut());
                        tokio::task::yield_now().await;
                    } else if barrier.wait().await.is_ok() {
                        released.fetch_add(1, Ordering::SeqCst);
                    } else {
                        broken.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let mut random = Random(0);
    while released.load(Ordering::SeqCst) < 20_000 || broken.load(Ordering::SeqCst) < 2_000 {
        if random.below(40) == 0 {
            barrier.abort();
            tokio::task::yield_now().await;
        }
        if barrier.is_broken() || random.below(20) == 0 {
            barrier.reset();
        }
        tokio::task::yield_now().await;
    }
    over.store(1, Ordering::SeqCst);
    barrier.abort();
    for party in parties {
        party.await.unwrap();
    }
    assert_eq!(barrier.waiting(), 0);
}
