//! `--pin`: each worker of the runtime on a processor of its own, so that the system does not move it about.

use std::sync::Arc;
use std::thread;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::exit::Usage;
use crate::say::say;

/// What `--pin` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    /// The first processors that this process may use.
    Auto,
    /// These, in the order of the workers.
    Processors(Vec<usize>),
}

/// The word for [`Pin::Auto`], which `--pin` alone stands for.
pub(crate) const AUTO: &str = "auto";

/// Reads `auto` or `0,1`.
///
/// # Errors
/// A sentence that says what is taken.
pub(crate) fn parse(text: &str) -> Result<Pin, String> {
    if text == AUTO {
        return Ok(Pin::Auto);
    }
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let numbers = numbers
        .map_err(|_| format!("expected {AUTO}, or numbers of processors separated by commas, such as 0,1"))?;
    match numbers.iter().enumerate().find(|(place, number)| numbers[..*place].contains(number)) {
        Some((_, twice)) => Err(format!("processor {twice} is named twice, and two workers would share it")),
        None => Ok(Pin::Processors(numbers)),
    }
}

/// The processors of the workers; none where they are not pinned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins(Arc<[usize]>);

impl Pins {
    /// One processor for each worker. That the system lets a thread go there is tried here.
    ///
    /// # Errors
    /// A [`Usage`] that names the processor or the numbers that do not fit.
    pub(crate) fn new(pin: Option<&Pin>, workers: usize) -> anyhow::Result<Self> {
        let Some(pin) = pin else { return Ok(Self::default()) };
        let allowed = allowed()?;
        let processors = match pin {
            Pin::Auto if allowed.len() < workers => {
                return Err(Usage::error(format!(
                    "--pin: {workers} workers need a processor each, and this process may use {}: lower --workers",
                    allowed.len()
                )));
            }
            Pin::Auto => allowed[..workers].to_vec(),
            Pin::Processors(named) => named.clone(),
        };
        if let Some(missing) = processors.iter().find(|processor| !allowed.contains(processor)) {
            return Err(Usage::error(format!(
                "--pin: there is no processor {missing} for this process; it may use {}",
                listed(&allowed)
            )));
        }
        if processors.len() != workers {
            return Err(Usage::error(format!(
                "--pin={} names {} processors for {workers} workers: name as many, or say --workers {}",
                listed(&processors),
                processors.len(),
                processors.len()
            )));
        }
        for &processor in &processors {
            let tried = thread::spawn(move || sched_setaffinity(None, &only(processor))).join();
            if !matches!(tried, Ok(Ok(()))) {
                return Err(Usage::error(format!(
                    "--pin: the system lets no thread of ours be pinned to processor {processor}: leave --pin out"
                )));
            }
        }
        Ok(Self(processors.into()))
    }

    /// Pins this thread as the `worker`-th; threads beyond the workers stay where they are.
    pub(crate) fn pin_this_thread(&self, worker: usize) {
        let Some(&processor) = self.0.get(worker) else { return };
        if let Err(error) = sched_setaffinity(None, &only(processor)) {
            say!("warning: worker {worker} could not be pinned to processor {processor}: {error}");
        }
    }

    /// For the report.
    pub(crate) fn processors(&self) -> Option<Vec<usize>> {
        (!self.0.is_empty()).then(|| self.0.to_vec())
    }
}

/// The processors that this process may use.
fn allowed() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(None)
        .map_err(|error| Usage::error(format!("--pin: the system does not tell its processors: {error}")))?;
    Ok((0..CpuSet::MAX_CPU).filter(|&processor| set.is_set(processor)).collect())
}

fn only(processor: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(processor);
    set
}

fn listed(processors: &[usize]) -> String {
    processors.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_read_in_their_order() {
        assert_eq!(parse("auto"), Ok(Pin::Auto));
        assert_eq!(parse("3, 0,1"), Ok(Pin::Processors(vec![3, 0, 1])));
    }

    #[test]
    fn what_names_no_processors_is_refused() {
        for text in ["", ",", "0,", "-1", "one", "0;1"] {
            assert!(parse(text).unwrap_err().contains("0,1"), "{text:?} was taken");
        }
        assert!(parse("0,1,0").unwrap_err().contains("processor 0 is named twice"));
    }

    #[test]
    fn a_worker_is_pinned_to_its_processor_alone() {
        let first = allowed().unwrap()[0];
        let pins = Pins::new(Some(&Pin::Processors(vec![first])), 1).unwrap();
        assert_eq!(pins.processors(), Some(vec![first]));
        thread::spawn(move || {
            pins.pin_this_thread(0);
            assert_eq!(allowed().unwrap(), [first]);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn processors_that_are_not_there_or_do_not_fit_are_refused() {
        let all = allowed().unwrap();
        let message = |pin: Pin, workers| Pins::new(Some(&pin), workers).unwrap_err().to_string();
        let beyond = CpuSet::MAX_CPU + 5;
        assert!(message(Pin::Processors(vec![beyond]), 1).contains(&format!("no processor {beyond}")));
        assert!(message(Pin::Processors(vec![all[0]]), 2).contains("1 processors for 2 workers"));
        assert!(message(Pin::Auto, all.len() + 1).contains("lower --workers"));
        assert_eq!(Pins::new(None, 2).unwrap().processors(), None);
    }
}
