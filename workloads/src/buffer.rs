//! What producers and consumers share: a bounded queue that notices when it was misused.

use std::collections::VecDeque;

/// What lies under the lock: a queue of limited length, with a number on each item.
#[derive(Debug)]
pub struct Buffer {
    items: VecDeque<u64>,
    capacity: usize,
    /// Items ever put; the number of the next one.
    put: u64,
    /// Items ever taken; the number that the next one must have.
    taken: u64,
    /// The slot is over: nobody waits any more.
    pub(crate) closed: bool,
    /// The first breach of the law that was seen.
    breach: Option<String>,
}

impl Buffer {
    /// An empty one.
    pub fn new(capacity: usize) -> Self {
        // Places beyond these are allocated when they are first used.
        const RESERVED: usize = 4096;
        let items = VecDeque::with_capacity(capacity.min(RESERVED));
        Self { items, capacity, put: 0, taken: 0, closed: false, breach: None }
    }

    pub(crate) fn put(&mut self) {
        if self.items.len() >= self.capacity {
            self.breach(format!("an item was put into a buffer that held {} already", self.capacity));
        }
        self.items.push_back(self.put);
        self.put += 1;
    }

    pub(crate) fn take(&mut self) {
        match self.items.pop_front() {
            Some(number) if number == self.taken => {}
            other => self.breach(format!("item {} was due, {other:?} was taken", self.taken)),
        }
        self.taken += 1;
    }

    #[cold]
    fn breach(&mut self, what: String) {
        self.breach.get_or_insert(what);
    }

    /// What the buffer says against what the tasks say they put and took.
    pub(crate) fn law(&self, put: u64, taken: u64) -> Result<(), String> {
        if let Some(breach) = &self.breach {
            return Err(breach.clone());
        }
        let left = self.items.len() as u64;
        if (self.put, self.taken) == (put, taken) && put == taken + left {
            return Ok(());
        }
        Err(format!(
            "the tasks put {put} items and took {taken}; the buffer counted {} and {} and has {left} left",
            self.put, self.taken
        ))
    }
}

pub(crate) fn has_room(buffer: &Buffer) -> bool {
    buffer.items.len() < buffer.capacity || buffer.closed
}

pub(crate) fn has_item(buffer: &Buffer) -> bool {
    !buffer.items.is_empty() || buffer.closed
}
