//! A random history of a `Semaphore`, told step by step. `super` says whose it is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use super::{AcquireError, OwnedSemaphorePermit, Semaphore};
use crate::common::{Random, Task};

type Acquire = Task<Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>>>>>;

/// What happened in `steps` steps drawn from `seed`. Left out is what may differ: the count while somebody waits.
pub(crate) fn tell(seed: u64, steps: usize) -> Vec<String> {
    const MAX_PERMITS_A_STEP: usize = 4;
    let mut random = Random(seed);
    let semaphore = Arc::new(Semaphore::new(random.below(MAX_PERMITS_A_STEP)));
    let mut waiting: Vec<(usize, Acquire)> = Vec::new();
    let mut permits: Vec<OwnedSemaphorePermit> = Vec::new();
    let mut story = Vec::new();
    for step in 0..steps {
        let n = random.below(MAX_PERMITS_A_STEP + 1);
        let what = match random.below(9) {
            0..=2 => {
                let future = Arc::clone(&semaphore).acquire_many_owned(n as u32);
                waiting.push((step, Task::new(Box::pin(future))));
                format!("{step} wants {n}")
            }
            3 if !waiting.is_empty() => {
                let (who, _) = waiting.remove(random.below(waiting.len()));
                format!("{who} gives up")
            }
            4 => match Arc::clone(&semaphore).try_acquire_many_owned(n as u32) {
                Ok(permit) => {
                    permits.push(permit);
                    format!("{n} taken")
                }
                Err(error) => format!("{n} not taken: {error:?}"),
            },
            5 if !permits.is_empty() => {
                let permit = permits.swap_remove(random.below(permits.len()));
                format!("{} back", permit.num_permits())
            }
            6 if !permits.is_empty() => {
                let kept = permits.pop().map_or(0, |mut permit| {
                    let part = permit.split(n);
                    let kept = permit.num_permits();
                    permits.push(permit);
                    part.map_or(usize::MAX, |part| {
                        part.forget();
                        kept
                    })
                });
                format!("{kept} kept of a split by {n}")
            }
            7 if waiting.is_empty() => format!("{} forgotten", semaphore.forget_permits(n)),
            _ => {
                semaphore.add_permits(n);
                format!("{n} more")
            }
        };
        story.push(what);
        // Some of those who wait are polled, the others keep what they were granted until another step.
        let mut still = Vec::new();
        for (who, mut acquire) in std::mem::take(&mut waiting) {
            if who != step && random.below(2) == 0 {
                story.push(format!("{who} was woken {} times", acquire.wakes()));
                still.push((who, acquire));
                continue;
            }
            match acquire.poll() {
                Poll::Ready(permit) => {
                    permits.push(permit.expect("it is not closed"));
                    story.push(format!("{who} has its permits"));
                }
                Poll::Pending => still.push((who, acquire)),
            }
        }
        waiting = still;
        if waiting.is_empty() {
            story.push(format!("{} are free", semaphore.available_permits()));
        }
    }
    semaphore.close();
    story.push(format!("{} wait at the end", waiting.len()));
    drop((waiting, permits));
    story.push(format!("{} are left", semaphore.available_permits()));
    story
}
