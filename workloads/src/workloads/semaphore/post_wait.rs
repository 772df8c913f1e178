//! `post-wait`: some tasks add permits, the others use them up.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::arms::arms;
use crate::backend::PostBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Stop, Variant};

pub(super) const POST_WAIT: Variant = Variant {
    name: "post-wait",
    summary: "An operation is one permit that one of as many posters as asked for adds to an empty semaphore, that one \
              of N tasks takes and uses up, and that is answered through a second semaphore: two hand-offs. At most P \
              are posted and not answered. Shows what waking somebody through a semaphore costs, one by one and in \
              bursts.",
    defaults,
    knobs: &["tasks", "permits", "posters", "think_ns", "think_distribution", "cancel_percent"],
    contention: Contention::Demanded,
    arms: arms!(PostBackend, post_wait),
};

/// A poster for every four takers, and no more under way than there are takers: each finds the semaphore empty when
/// it comes back, on one worker as on many.
fn defaults() -> Params {
    Params { tasks: 16, permits: 16, posters: 4, ..Params::PLAIN }
}

/// One slot of `post-wait`.
pub fn post_wait<B: PostBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: PostBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let Params { permits, posters, .. } = *slot.params;
    let (ways, stop) = (Arc::new(Ways::<B>::new(permits)), slot.stop.clone());
    let mut crew = Crew::<B>::new(slot);
    for _ in 0..posters {
        crew = crew.with_companion(post(ways.clone(), stop.clone()));
    }
    let (mut outcome, _) = crew.run(|worker: Worker<P>| take(ways.clone(), worker));
    outcome.law = ways.law(permits as u64, outcome.ops_per_task.iter().sum());
    outcome
}

/// The two semaphores, and what is needed to leave them.
///
/// Whoever takes a permit of one side and means to stay uses it up and posts to the other, so their number stays the
/// same. Whoever takes one and leaves gives it back, to the next one of his side; the first of all to leave posts one
/// more to the other side, so that there is one to go round on both.
struct Ways<B: PostBackend> {
    /// Where posters post.
    posts: B::Semaphore,
    /// Where the takers answer, and so allow another post.
    answers: B::Semaphore,
    over: AtomicBool,
    /// Posts, without the one that tells the takers to leave.
    posted: AtomicU64,
    /// Whether that one was posted.
    told_takers: AtomicBool,
}

impl<B: PostBackend> Ways<B> {
    fn new(permits: usize) -> Self {
        Self {
            posts: B::new(0),
            answers: B::new(permits),
            over: AtomicBool::new(false),
            posted: AtomicU64::new(0),
            told_takers: AtomicBool::new(false),
        }
    }

    /// Whether nobody has left before.
    fn first_to_leave(&self) -> bool {
        // Ordering: Relaxed, one of them is the first, and nothing else is told by it.
        !self.over.swap(true, Ordering::Relaxed)
    }

    /// Every permit is somewhere: used up, or left in one of the two.
    fn law(&self, permits: u64, taken: u64) -> Result<(), String> {
        // Ordering: Relaxed, here and below, the tasks were joined.
        let posted = self.posted.load(Ordering::Relaxed);
        let told_takers = self.told_takers.load(Ordering::Relaxed);
        let [posts, answers] = [&self.posts, &self.answers].map(|side| B::available(side) as u64);
        side_law("posted", posted + u64::from(told_takers), taken, posts, permits)?;
        side_law("answered or free", permits + taken + u64::from(!told_takers), posted, answers, permits)
    }
}

/// One side: what came in was used up or is left, and of that there is one more at most than may be under way.
fn side_law(what: &str, came: u64, used: u64, left: u64, permits: u64) -> Result<(), String> {
    if left <= permits + 1 && came == used + left {
        return Ok(());
    }
    Err(format!("{came} permits were {what}, {used} were used up and {left} are left"))
}

/// A poster.
async fn post<B: PostBackend>(ways: Arc<Ways<B>>, stop: Arc<Stop>) {
    let mut posted = 0;
    loop {
        let allowed = B::acquire(&ways.answers).await;
        if stop.is_stopped() {
            drop(allowed);
            if ways.first_to_leave() {
                // Ordering: as in `law`.
                ways.told_takers.store(true, Ordering::Relaxed);
                B::post(&ways.posts);
            }
            break;
        }
        B::consume(allowed);
        B::post(&ways.posts);
        posted += 1;
    }
    ways.posted.fetch_add(posted, Ordering::Relaxed);
}

/// A taker.
///
/// One whose last wait was dropped waits once more before it leaves: what it then gets back to is a permit to give to
/// the next, so that no permit is left behind for takers who are all gone while the posters wait for an answer.
async fn take<B: PostBackend, P: Probe>(ways: Arc<Ways<B>>, mut worker: Worker<P>) -> (Worker<P>, ()) {
    loop {
        let permit = worker.ask(pin!(B::acquire(&ways.posts))).await;
        if worker.is_over() {
            let permit = match permit {
                Some(permit) => permit,
                None => B::acquire(&ways.posts).await,
            };
            drop(permit);
            if ways.first_to_leave() {
                B::post(&ways.answers);
            }
            break;
        }
        if let Some(permit) = permit {
            B::consume(permit);
            B::post(&ways.answers);
            worker.finish_op();
        }
    }
    (worker, ())
}
