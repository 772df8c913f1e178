//! What lies under the lock of a condition: a bounded queue for producers and consumers, and the turns of sleepers. Both
//! notice when they were misused.

use std::collections::VecDeque;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A queue of limited length, with a number on each item, and whose turn it is.
#[derive(Debug)]
pub struct Buffer {
    items: VecDeque<u64>,
    capacity: usize,
    /// Items ever put; the number of the next one.
    put: u64,
    /// Items ever taken; the number that the next one must have.
    taken: u64,
    pub(crate) turns: Turns,
    /// The slot is over: nobody waits any more.
    pub(crate) closed: bool,
    /// The first breach of the law that was seen.
    breach: Option<String>,
}

/// Turns that go from task to task in an order that is drawn, the same in every slot and on every backend.
#[derive(Debug)]
pub(crate) struct Turns {
    owner: usize,
    /// Turns ever had.
    had: u64,
    order: Pcg32,
}

impl Turns {
    /// The next one after `owner` among so many tasks; any of the others, so that nobody has two turns in a row.
    fn draw(&mut self, tasks: usize) -> usize {
        if tasks < 2 {
            return self.owner;
        }
        let ahead = 1 + self.order.next_u64() % (tasks as u64 - 1);
        (self.owner + ahead as usize) % tasks
    }
}

impl Buffer {
    /// An empty one; the first turn is the first task's.
    pub fn new(capacity: usize) -> Self {
        // Places beyond these are allocated when they are first used.
        const RESERVED: usize = 4096;
        let items = VecDeque::with_capacity(capacity.min(RESERVED));
        let turns = Turns { owner: 0, had: 0, order: Pcg32::seed_from_u64(0) };
        Self { items, capacity, put: 0, taken: 0, turns, closed: false, breach: None }
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

    /// `task`, one of so many, has had its turn.
    pub(crate) fn pass_turn(&mut self, task: usize, tasks: usize) {
        if self.turns.owner != task {
            self.breach(format!("task {task} took a turn that was task {}'s", self.turns.owner));
        }
        self.turns.owner = self.turns.draw(tasks);
        self.turns.had += 1;
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

    /// What was counted under the lock against what the tasks say they had.
    pub(crate) fn law_of_turns(&self, had: u64) -> Result<(), String> {
        match &self.breach {
            Some(breach) => Err(breach.clone()),
            None if self.turns.had == had => Ok(()),
            None => Err(format!("the tasks had {had} turns; {} were counted under the lock", self.turns.had)),
        }
    }
}

pub(crate) fn has_room(buffer: &Buffer) -> bool {
    buffer.items.len() < buffer.capacity || buffer.closed
}

pub(crate) fn has_item(buffer: &Buffer) -> bool {
    !buffer.items.is_empty() || buffer.closed
}

pub(crate) fn has_turn(buffer: &Buffer, task: usize) -> bool {
    buffer.turns.owner == task || buffer.closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_names_what_does_not_add_up() {
        let mut buffer = Buffer::new(2);
        buffer.put();
        buffer.put();
        buffer.take();
        assert_eq!(buffer.law(2, 1), Ok(()));
        let law = buffer.law(3, 1).unwrap_err();
        assert!(law.contains("put 3 items and took 1"), "{law}");
        buffer.put();
        buffer.put();
        let law = buffer.law(4, 1).unwrap_err();
        assert!(law.contains("held 2 already"), "{law}");
    }

    #[test]
    fn turns_go_to_everyone_and_never_twice_in_a_row() {
        for tasks in [2, 3, 16] {
            let mut buffer = Buffer::new(1);
            let mut had = vec![0; tasks];
            for _ in 0..100 * tasks {
                let owner = buffer.turns.owner;
                had[owner] += 1;
                buffer.pass_turn(owner, tasks);
                assert_ne!(buffer.turns.owner, owner);
            }
            assert!(had.iter().all(|&turns| turns > 50), "{had:?}");
            assert_eq!(buffer.law_of_turns(100 * tasks as u64), Ok(()));
        }
    }

    #[test]
    fn turn_out_of_order_and_turn_that_was_lost_are_named() {
        let mut buffer = Buffer::new(1);
        buffer.pass_turn(0, 1);
        let law = buffer.law_of_turns(2).unwrap_err();
        assert!(law.contains("had 2 turns; 1 were counted"), "{law}");
        buffer.pass_turn(5, 9);
        let law = buffer.law_of_turns(2).unwrap_err();
        assert!(law.contains("task 5 took a turn that was task 0's"), "{law}");
    }
}
