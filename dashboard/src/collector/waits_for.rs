//! Who waits for whom, and who can never go on: a pure function of what waits and what is held.
//!
//! A wait can end if what it needs can be given back by somebody who can go on:
//!
//! | waits for | needs |
//! |---|---|
//! | a mutex | its holder, and everybody ahead in the queue |
//! | permits | enough permits of holders, and everybody ahead in the queue |
//! | a condition, an event, a barrier | a call that anybody may make: nobody can be said to be in the way |
//!
//! Who does not wait can go on, and so can a task of which one wait can end. What is left over when this was said as often
//! as it can be said is stuck: a semaphore's waiters are, unless enough of its permits are with holders who are not
//! (a knot, not merely a cycle). What is not known counts as able to go on, so that nobody is called stuck who may not be.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::fields::Kind;
use super::scene::{Agent, Party};

/// Who is stuck.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// For each wait, whether nothing that is seen can end it.
    pub(super) stuck: Vec<bool>,
    /// Those who keep each other from going on. Others may wait behind them.
    pub(super) knots: Vec<Knot>,
}

/// Some who keep each other from going on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Knot {
    /// Of the waits.
    pub(super) waits: Vec<usize>,
    /// Of the holds that are in their way.
    pub(super) holds: Vec<usize>,
    /// How many they are.
    pub(super) agents: usize,
}

/// Everybody at one object.
#[derive(Debug, Default)]
struct Queue {
    /// In the order of the queue.
    waits: Vec<usize>,
    holds: Vec<usize>,
}

/// The graph while it is worked on.
struct Graph<'a> {
    waits: &'a [Party],
    holds: &'a [Party],
    queues: BTreeMap<u64, Queue>,
    /// The waiters. Whoever is not among them can go on.
    agents: HashMap<Agent, usize>,
    /// For each of them, whether it can go on.
    live: Vec<bool>,
}

/// Says who is stuck. `waits` are in the order in which they began; `free` tells how many permits an object has that nobody
/// holds, given the first in its queue.
pub(super) fn standing(waits: &[Party], holds: &[Party], free: impl Fn(&Party) -> u64) -> Standing {
    let mut graph = Graph::new(waits, holds);
    while graph.spread(&free) {}
    let stuck = waits.iter().map(|wait| !graph.live[graph.agents[&wait.waiter()]]).collect();
    Standing { knots: graph.knots(), stuck }
}

/// The most that a semaphore can have free while its first waiter still waits. The collector does not know how many there are.
pub(super) fn most_free(first: &Party) -> u64 {
    first.permits.saturating_sub(1)
}

impl<'a> Graph<'a> {
    fn new(waits: &'a [Party], holds: &'a [Party]) -> Self {
        let mut queues = BTreeMap::<u64, Queue>::new();
        let mut agents = HashMap::new();
        for (index, wait) in waits.iter().enumerate() {
            queues.entry(wait.object).or_default().waits.push(index);
            let next = agents.len();
            agents.entry(wait.waiter()).or_insert(next);
        }
        for (index, hold) in holds.iter().enumerate() {
            if let Some(queue) = queues.get_mut(&hold.object) {
                queue.holds.push(index);
            }
        }
        let mut live = vec![false; agents.len()];
        for wait in waits.iter().filter(|wait| !wait.kind.is_held()) {
            live[agents[&wait.waiter()]] = true;
        }
        Self { waits, holds, queues, agents, live }
    }

    /// The number of a hold's holder, if that is one who waits.
    fn waiting_holder(&self, hold: usize) -> Option<usize> {
        self.agents.get(&self.holds[hold].holder()?).copied()
    }

    fn agent(&self, wait: usize) -> usize {
        self.agents[&self.waits[wait].waiter()]
    }

    /// Goes through the queues once. Returns whether somebody was found who can go on.
    fn spread(&mut self, free: &impl Fn(&Party) -> u64) -> bool {
        let mut found = Vec::new();
        for queue in self.queues.values() {
            let Some(&first) = queue.waits.first() else { continue };
            let first = &self.waits[first];
            if !first.kind.is_held() {
                continue;
            }
            let back = |&&hold: &&usize| self.waiting_holder(hold).is_none_or(|holder| self.live[holder]);
            let supply = match first.kind {
                Kind::Mutex if queue.holds.iter().all(|hold| back(&hold)) => u64::MAX,
                Kind::Mutex => 0,
                // Permits that nobody has may come from anybody.
                _ if queue.holds.is_empty() => u64::MAX,
                _ => {
                    let given_back = queue.holds.iter().filter(back).map(|&hold| self.holds[hold].permits);
                    given_back.fold(free(first), u64::saturating_add)
                }
            };
            for &wait in &queue.waits {
                let agent = self.agent(wait);
                if !self.live[agent] {
                    if supply < self.waits[wait].permits.max(1) {
                        break;
                    }
                    found.push(agent);
                }
            }
        }
        found.iter().for_each(|&agent| self.live[agent] = true);
        !found.is_empty()
    }

    /// Who is in the way of each who is stuck, of those that are stuck too: holders, and with `queues` also whoever is ahead.
    fn in_the_way(&self, queues: bool) -> Vec<Vec<usize>> {
        let mut edges = vec![Vec::new(); self.live.len()];
        for queue in self.queues.values() {
            let holders: Vec<usize> =
                queue.holds.iter().filter_map(|&hold| self.waiting_holder(hold)).collect();
            let mut ahead = None;
            for &wait in &queue.waits {
                let agent = self.agent(wait);
                // Who is further ahead is in the way of the one ahead.
                let before = ahead.replace(agent).filter(|&before| queues && before != agent);
                edges[agent].extend(holders.iter().copied().chain(before).filter(|&other| !self.live[other]));
            }
        }
        edges
    }

    /// The sets of those who keep each other from going on. Who merely stands between two of them in a queue is not one of
    /// them, unless they would not be one without.
    fn rings(&self) -> Vec<Vec<usize>> {
        let stuck = |agent: usize| !self.live[agent];
        let (holders, all) = (self.in_the_way(false), self.in_the_way(true));
        let ring = |edges: &[Vec<usize>], members: &Vec<usize>| {
            members.len() > 1 || edges[members[0]].contains(&members[0])
        };
        let mut rings = components(&holders, stuck);
        rings.retain(|members| ring(&holders, members));
        let told: HashSet<usize> = rings.iter().flatten().copied().collect();
        let by_queues = components(&all, stuck).into_iter();
        rings
            .extend(by_queues.filter(|members| {
                ring(&all, members) && !members.iter().any(|member| told.contains(member))
            }));
        rings
    }

    fn knots(&self) -> Vec<Knot> {
        if self.live.iter().all(|&live| live) {
            return Vec::new();
        }
        let mut knot_of = vec![None; self.live.len()];
        let mut knots: Vec<Knot> = Vec::new();
        for members in self.rings() {
            members.iter().for_each(|&agent| knot_of[agent] = Some(knots.len()));
            knots.push(Knot { agents: members.len(), ..Knot::default() });
        }
        for wait in 0..self.waits.len() {
            if let Some(knot) = knot_of[self.agent(wait)] {
                knots[knot].waits.push(wait);
            }
        }
        for (index, hold) in self.holds.iter().enumerate() {
            let Some(knot) = self.waiting_holder(index).and_then(|holder| knot_of[holder]) else { continue };
            if knots[knot].waits.iter().any(|&wait| self.waits[wait].object == hold.object) {
                knots[knot].holds.push(index);
            }
        }
        knots
    }
}

/// The strongly connected components among the nodes that are `wanted`, after Tarjan, without recursion: a chain of
/// waiters may be longer than a thread's stack.
fn components(edges: &[Vec<usize>], wanted: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let (mut number, mut low) = (vec![NEW; edges.len()], vec![NEW; edges.len()]);
    let mut open = vec![false; edges.len()];
    let (mut next, mut stack, mut found) = (0, Vec::new(), Vec::new());
    for root in (0..edges.len()).filter(|&node| wanted(node)) {
        if number[root] != NEW {
            continue;
        }
        // Each node with the edge that is looked at next.
        let mut path = vec![(root, 0)];
        while let Some(&mut (node, ref mut edge)) = path.last_mut() {
            if *edge == 0 {
                (number[node], low[node], open[node]) = (next, next, true);
                next += 1;
                stack.push(node);
            }
            if let Some(&to) = edges[node].get(*edge) {
                *edge += 1;
                if number[to] == NEW {
                    path.push((to, 0));
                } else if open[to] {
                    low[node] = low[node].min(number[to]);
                }
                continue;
            }
            path.pop();
            if let Some(&(before, _)) = path.last() {
                low[before] = low[before].min(low[node]);
            }
            if low[node] == number[node] {
                let start = stack.iter().rposition(|&member| member == node).unwrap_or(0);
                let members = stack.split_off(start);
                members.iter().for_each(|&member| open[member] = false);
                found.push(members);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
