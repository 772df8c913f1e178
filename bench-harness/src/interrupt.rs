//! Ctrl-C: the first asks for an end that keeps what was measured, the second ends at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// Whether the user asked for the end, and who wants to be told.
#[derive(Default)]
pub(crate) struct Interrupt {
    state: Mutex<State>,
    raised: Condvar,
}

#[derive(Default)]
struct State {
    raised: bool,
    listeners: Vec<Box<dyn Fn() + Send>>,
}

impl Interrupt {
    /// Listens to Ctrl-C and to the signal by which service managers end programs, from a thread of its own.
    ///
    /// # Errors
    /// Where the system gives neither thread nor handler.
    pub(crate) fn install() -> anyhow::Result<Arc<Self>> {
        let interrupt = Arc::new(Self::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut ctrl_c, mut terminate) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let raised = Arc::clone(&interrupt);
        let listen = async move {
            for times in 1.. {
                tokio::select! {
                    _ = ctrl_c.recv() => {}
                    _ = terminate.recv() => {}
                }
                if times > 1 {
                    std::process::exit(Exit::Interrupted.code().into());
                }
                raised.raise();
            }
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || runtime.block_on(listen))
            .context("cannot start the thread that listens to Ctrl-C")?;
        Ok(interrupt)
    }

    /// What Ctrl-C does.
    pub(crate) fn raise(&self) {
        let mut state = self.lock();
        state.raised = true;
        state.listeners.iter().for_each(|listener| listener());
        self.raised.notify_all();
    }

    /// Whether the user asked for the end.
    pub(crate) fn is_raised(&self) -> bool {
        self.lock().raised
    }

    /// Calls `listener` when it is raised, at once where it is already. It must neither wait nor call back.
    pub(crate) fn notify(&self, listener: impl Fn() + Send + 'static) {
        let mut state = self.lock();
        if state.raised {
            listener();
        }
        state.listeners.push(Box::new(listener));
    }

    /// Blocks until it is raised.
    pub(crate) fn wait(&self) {
        let state = self.lock();
        drop(self.raised.wait_while(state, |state| !state.raised).unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_listener_is_told_whether_it_came_before_or_after() {
        let interrupt = Interrupt::default();
        let told = Arc::new(AtomicUsize::new(0));
        let listener = |told: &Arc<AtomicUsize>| {
            let told = Arc::clone(told);
            move || {
                told.fetch_add(1, Ordering::Relaxed);
            }
        };
        interrupt.notify(listener(&told));
        assert_eq!(told.load(Ordering::Relaxed), 0);
        interrupt.raise();
        interrupt.notify(listener(&told));
        assert_eq!(told.load(Ordering::Relaxed), 2);
        interrupt.wait();
        assert!(interrupt.is_raised());
    }
}
