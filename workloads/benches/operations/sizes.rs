//! How large the primitives and their futures are, in bytes.

use std::mem::{size_of, size_of_val};

use workloads::backend::{BarrierBackend, EventBackend, MutexBackend, SemaphoreBackend};

use super::{BACKENDS, SIZES};

/// Two figures: the primitive, and the future of a wait for it.
pub type Sizes = [usize; 2];

/// A lock without the counter that the backends' locks guard.
pub fn mutex<B: MutexBackend>() -> Sizes {
    let mutex = B::new(0);
    [size_of::<B::Mutex>() - size_of::<u64>(), size_of_val(&B::lock(&mutex))]
}

pub fn semaphore<B: SemaphoreBackend>() -> Sizes {
    let semaphore = B::new(1);
    [size_of::<B::Semaphore>(), size_of_val(&B::acquire(&semaphore))]
}

pub fn event<B: EventBackend>() -> Sizes {
    let event = B::new();
    [size_of::<B::Event>(), size_of_val(&B::wait(&event))]
}

pub fn barrier<B: BarrierBackend>() -> Sizes {
    let barrier = B::new(1);
    [size_of::<B::Barrier>(), size_of_val(&B::wait(&barrier))]
}

/// Everybody's, as a table in Markdown.
pub fn table() -> String {
    let names: Vec<&str> = BACKENDS.iter().map(|backend| backend.name).collect();
    let columns = "---|".repeat(names.len() + 3);
    let mut table =
        format!("| bytes: primitive / future | {} | target | met |\n|{columns}\n", names.join(" | "));
    for of in SIZES {
        let mut row = vec![of.what.to_owned()];
        row.extend(of.parts.iter().map(|(_, part)| part.map_or("–".to_owned(), |part| text((part.of)()))));
        let ours = of.parts[0].1.map(|part| (part.of)());
        let met = ours.zip(of.target).map(|(ours, target)| ours[0] <= target[0] && ours[1] <= target[1]);
        row.push(of.target.map_or("–".to_owned(), |target| format!("≤ {}", text(target))));
        row.push(met.map_or("–", |met| if met { "yes" } else { "no" }).to_owned());
        table += &format!("| {} |\n", row.join(" | "));
    }
    table
}

fn text([primitive, future]: Sizes) -> String {
    format!("{primitive} / {future}")
}
