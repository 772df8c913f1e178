//! What tokio's spans and events mean: from resources and calls to rows, waits and guards.
//!
//! | tokio tells | meaning |
//! |---|---|
//! | `async_op` opened | a call asks |
//! | first `is_ready=false` | it waits, since it asked |
//! | `permits_obtained` reaches `permits_requested` | it was granted, by whoever says so |
//! | `is_ready=true` | its task has it, and holds; if the inner call has not said so before, the semaphore was closed |
//! | `async_op` closed before that | its wait was dropped |
//! | `locked`, `write_locked`, `current_readers` | a guard is gone, or one is there that was only tried for |
//! | `permits` added to a semaphore's inner one, or given to a call from outside of it | as many permits were given back |
//!
//! Mutex, RwLock and Semaphore have a semaphore inside, which is a resource of its own with calls of its own. It is folded into
//! its owner, the resource that was entered when it was made; its calls into the call that was entered when they were.
//! What has tokio's names and is none of these (timers, channels) is not kept, and so are its events not.
//!
//! The tables' locks are held for one look-up each. Nothing is asked of the intake meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};

use sync::probe::Outcome;
use tracing::Event;
use tracing::span::Attributes;

use super::asked::{Asked, Progress};
use super::entered;
use super::guards::{Guard, Guards};
use super::schema::{Change, Read, type_name};
use crate::collector::clock::now_ns;
use crate::collector::fields::{Fields, Kind, Texts};
use crate::collector::hash;
use crate::collector::in_flight::Table;
use crate::collector::intake::Intake;
use crate::collector::limits::{OBJECTS, OPEN_SPANS, OPERATIONS};
use crate::collector::operations::{Operation, Phase, Turn};
use crate::collector::rows::RowIndex;
use crate::collector::sites::{NO_SITE, Site, SiteIndex};

/// Set in the numbers of tokio's objects, operations and tasks, so that none is one of `sync`. They stay below what a page's
/// script counts exactly.
const OF_TOKIO: u64 = 1 << 52;

/// What is known of tokio's primitives.
#[derive(Debug)]
pub(in crate::collector) struct Resources {
    /// By the span of each resource.
    objects: Table<Resource>,
    /// By the span of each call.
    calls: Table<Call>,
    tasks: Table<Task>,
    next: AtomicU64,
}

/// What a resource is.
#[derive(Clone, Copy, Debug)]
enum Identity {
    Primitive {
        kind: Kind,
        object: u64,
        row: RowIndex,
    },
    /// Inside another one, by the span of that.
    Inner {
        owner: u64,
    },
}

#[derive(Debug)]
struct Resource {
    identity: Identity,
    guards: Guards,
    waiting: u64,
    /// When a barrier's phase ended last.
    let_go_ns: u64,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Whole(Asked),
    /// Of an inner semaphore, within another call, by the span of that.
    Part {
        of: u64,
    },
}

#[derive(Debug)]
struct Task {
    number: u64,
    file: String,
    line: u64,
    column: u64,
}

/// Who is at work in this thread, and where.
struct Caller {
    task: u64,
    site: SiteIndex,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            objects: Table::new(OBJECTS),
            calls: Table::new(OPERATIONS),
            tasks: Table::new(OPEN_SPANS),
            next: AtomicU64::new(1),
        }
    }
}

impl Resources {
    fn number(&self) -> u64 {
        // Ordering: Relaxed, only uniqueness counts.
        OF_TOKIO | (self.next.fetch_add(1, Ordering::Relaxed) & (OF_TOKIO - 1))
    }

    /// A resource was made.
    pub(super) fn resource_made(&self, intake: &Intake, attributes: &Attributes<'_>, span: u64) {
        let read = Read::span(attributes);
        intake.taken.add(span);
        if read.odd || !read.typed {
            intake.malformed.add(1);
        }
        let identity = if read.is_internal {
            // One of a channel has no owner.
            let owner = entered::resource(intake.collector).filter(|&owner| self.identity(owner).is_some());
            owner.map(|owner| Identity::Inner { owner })
        } else {
            read.kind.map(|kind| self.primitive(intake, kind, &read))
        };
        let Some(identity) = identity else { return };
        let resource = Resource { identity, guards: Guards::default(), waiting: 0, let_go_ns: 0 };
        // Resources are taken in while the collector is off, too.
        if !self.objects.insert_always(span, resource) {
            intake.objects_dropped.add(1);
        }
    }

    fn primitive(&self, intake: &Intake, kind: Kind, read: &Read) -> Identity {
        let (name, object) = (type_name(kind), self.number());
        let fields = Fields {
            name_hash: hash::text(name),
            made_file_hash: hash::text(&read.file),
            made_line: read.line,
            ..Fields::default()
        };
        let texts = || Texts { name: name.to_owned(), file: String::new(), made_file: read.file.clone() };
        let row = intake.row_of(kind, object, &fields, texts);
        // Nothing says whether a permit is an owned one, nor which one is given back.
        if kind == Kind::Semaphore {
            intake.rows.get(row).into_iter().for_each(|row| row.mark_as_lending());
        }
        Identity::Primitive { kind, object, row }
    }

    fn identity(&self, span: u64) -> Option<Identity> {
        self.objects.update(span, |resource| resource.identity)
    }

    /// A task was spawned.
    pub(super) fn task_spawned(&self, intake: &Intake, attributes: &Attributes<'_>, span: u64) {
        let read = Read::span(attributes);
        if read.odd {
            intake.malformed.add(1);
        }
        let number = OF_TOKIO | (read.task & (OF_TOKIO - 1));
        let task = Task { number, file: read.file, line: read.line, column: read.column };
        if !self.tasks.insert_always(span, task) {
            intake.in_flight_dropped.add(1);
        }
    }

    pub(super) fn task_gone(&self, span: u64) {
        self.tasks.remove(span);
    }

    /// The task that this thread polls; zero where there is none.
    fn current_task(&self, intake: &Intake) -> u64 {
        let task = entered::task(intake.collector);
        task.and_then(|span| self.tasks.update(span, |task| task.number)).unwrap_or(0)
    }

    fn caller(&self, intake: &Intake, row: RowIndex) -> Caller {
        let task = self.current_task(intake);
        let Some(row) = intake.rows.get(row) else { return Caller { task, site: NO_SITE } };
        let place = entered::place(intake.collector);
        let named = place.and_then(|metadata| Some((metadata.file()?, metadata.line()?.into())));
        let site = if let Some((file, line)) = named {
            intake.site_of(row, (hash::text(file), line, 0), || file.to_owned())
        } else {
            let spawned = entered::task(intake.collector)
                .and_then(|span| self.tasks.update(span, |task| (task.file.clone(), task.line, task.column)));
            let (file, line, column) = spawned.unwrap_or_default();
            intake.site_of(row, (hash::text(&file), line, column), || file.clone())
        };
        Caller { task, site }
    }

    /// A call was made.
    pub(super) fn asked(&self, intake: &Intake, attributes: &Attributes<'_>, span: u64) {
        let entered = || entered::resource(intake.collector);
        let Some(resource) = attributes.parent().map(tracing::Id::into_u64).or_else(entered) else { return };
        let call = match self.identity(resource) {
            Some(Identity::Primitive { kind, object, row }) => {
                intake.taken.add(span);
                let read = Read::span(attributes);
                let exclusive = kind == Kind::Mutex || read.writes;
                let asked = self.asks(intake, resource, (kind, object, row), exclusive);
                if read.owned {
                    let site = intake.rows.get(row).and_then(|row| row.sites.get(asked.site));
                    site.into_iter().for_each(Site::mark_as_lending);
                }
                Call::Whole(asked)
            }
            Some(Identity::Inner { .. }) => match entered::async_op(intake.collector) {
                Some(of) => Call::Part { of },
                None => return,
            },
            None => return,
        };
        intake.count_insertion(&self.calls.insert(span, call, &intake.enabled));
    }

    /// A call that begins now, for one permit until it says otherwise.
    fn asks(
        &self,
        intake: &Intake,
        resource: u64,
        (kind, object, row): (Kind, u64, RowIndex),
        exclusive: bool,
    ) -> Asked {
        let Caller { task, site } = self.caller(intake, row);
        Asked {
            resource,
            op: self.number(),
            kind,
            object,
            row,
            site,
            task,
            exclusive,
            since_ns: now_ns(),
            requested: 1,
            obtained: 0,
            granted_ns: None,
            inner_is_through: false,
            progress: Progress::Asks,
        }
    }

    /// Changes a call, told by its own span or by that of its part.
    fn change<R>(&self, span: u64, change: impl FnOnce(&mut Asked) -> R) -> Option<R> {
        let part = self.calls.update(span, |call| match *call {
            Call::Part { of } => Some(of),
            Call::Whole(_) => None,
        })?;
        self.calls.update(part.unwrap_or(span), |call| match call {
            Call::Whole(asked) => Some(change(asked)),
            Call::Part { .. } => None,
        })?
    }

    /// A call asks for something or was given it, or is the last to arrive.
    pub(super) fn op_updated(&self, intake: &Intake, event: &Event<'_>) {
        let Some(span) = entered::async_op(intake.collector) else { return };
        let read = Read::event(event);
        if read.odd {
            intake.malformed.add(1);
        }
        if let Some(requested) = read.requested {
            self.change(span, |asked| asked.requested = requested);
        }
        if let Some(obtained) = read.obtained.filter(|_| read.change == Some(Change::Add)) {
            self.given(intake, span, obtained);
        }
        if read.is_leader
            && let Some(asked) = self.change(span, |asked| *asked)
        {
            let now_ns = now_ns();
            self.objects.update(asked.resource, |resource| resource.let_go_ns = now_ns);
        }
    }

    fn given(&self, intake: &Intake, span: u64, permits: u64) {
        let now_ns = now_ns();
        let asked = self.change(span, |asked| {
            asked.obtained = asked.obtained.saturating_add(permits);
            if asked.obtained >= asked.requested {
                asked.granted_ns.get_or_insert(now_ns);
            }
            *asked
        });
        let Some(asked) = asked else { return };
        if asked.progress == Progress::Waits
            && let Some(granted_ns) = asked.granted_ns
        {
            intake.operations.note_turn(asked.op, Turn::Granted(granted_ns));
        }
        if asked.kind == Kind::Semaphore && permits > 0 && intake.hears_every_call() {
            if entered::is_spoken_of_from_outside(intake.collector, span) {
                self.permits_back(intake, asked.resource, permits);
            }
            let guard = Guard { permits, ..asked.guard() };
            self.objects.update(asked.resource, |resource| resource.guards.give(guard));
        }
    }

    /// A call was polled.
    pub(super) fn polled(&self, intake: &Intake, event: &Event<'_>) {
        let Some(span) = entered::async_op(intake.collector) else { return };
        let read = Read::event(event);
        let Some(is_ready) = read.is_ready else {
            intake.malformed.add(1);
            return;
        };
        let before = self.calls.update(span, |call| match call {
            Call::Whole(asked) => Some(asked.polled(is_ready)),
            Call::Part { .. } => None,
        });
        let Some(before) = before.flatten() else {
            if is_ready {
                self.change(span, |asked| asked.inner_is_through = true);
            }
            return;
        };
        intake.cost.of(before.op, || match (is_ready, before.progress) {
            // All is there, and its task has but used up its turn.
            (false, Progress::Asks) if before.granted_ns.is_none() => self.waits(intake, &before),
            (true, Progress::Asks | Progress::Waits) => self.ready(intake, &before),
            _ => {}
        });
    }

    fn waits(&self, intake: &Intake, asked: &Asked) {
        let ahead = self.objects.update(asked.resource, |resource| {
            resource.waiting += 1;
            resource.waiting - 1
        });
        let waiting = asked.operation(Phase::Waiting, asked.since_ns);
        intake.heard_waiting(asked.op, &Operation { queue: ahead.unwrap_or(0), ..waiting });
    }

    fn ready(&self, intake: &Intake, asked: &Asked) {
        let now_ns = now_ns();
        let waited = asked.progress == Progress::Waits;
        let closed = asked.was_closed();
        let known = self.objects.update(asked.resource, |resource| {
            resource.waiting = resource.waiting.saturating_sub(waited.into());
            if closed {
                resource.guards.will_return(asked.op);
            }
            (resource.guards.has_room(), resource.let_go_ns)
        });
        let (has_room, let_go_ns) = known.unwrap_or_default();
        // Who asked for no permits at all never gives them back.
        let holds = !closed && asked.kind.is_held() && asked.permits() > 0 && intake.hears_every_call();
        if holds && !has_room {
            intake.in_flight_dropped.add(1);
        }
        if waited {
            let granted_ns = asked.granted_ns.or(Some(let_go_ns).filter(|_| asked.kind == Kind::Barrier));
            let granted_ns = granted_ns.filter(|granted_ns| (asked.since_ns..=now_ns).contains(granted_ns));
            let outcome = if closed { Outcome::Closed } else { Outcome::Granted };
            intake.wait_over(asked.op, outcome, asked.waited(granted_ns, now_ns), now_ns, holds && has_room);
        } else if intake.hears_every_call() {
            let figures = || Some(intake.figures(intake.rows.get(asked.row)?, asked.site));
            if closed {
                figures().into_iter().for_each(|figures| figures.count_closed());
            } else if (holds && has_room) || !asked.kind.is_held() {
                intake.acquired(asked.op, asked.operation(Phase::Holding, now_ns));
            } else {
                figures().into_iter().for_each(|figures| figures.count_acquisition());
            }
        }
        if holds {
            // Last: once the guard is listed, another thread may end it.
            let listed = self.objects.update(asked.resource, |resource| match asked.kind {
                Kind::Semaphore => resource.guards.hold_tried(asked.guard()),
                _ => resource.guards.hold(asked.guard()),
            });
            if has_room && listed != Some(true) {
                lost(intake, asked.op);
                intake.in_flight_dropped.add(1);
            }
        }
    }

    /// A primitive, or the semaphore inside it, has changed.
    pub(super) fn state_updated(&self, intake: &Intake, event: &Event<'_>) {
        let Some(span) = entered::resource(intake.collector) else { return };
        let Some(identity) = self.identity(span) else { return };
        let read = Read::event(event);
        if read.odd {
            intake.malformed.add(1);
        }
        if !intake.hears_every_call() {
            return;
        }
        match identity {
            Identity::Inner { owner } => {
                if let (Some(permits), Some(Change::Add)) = (read.permits, read.change)
                    && let Some(Identity::Primitive { kind: Kind::Semaphore, .. }) = self.identity(owner)
                {
                    self.permits_back(intake, owner, permits);
                }
            }
            Identity::Primitive { kind, object, row } => match (kind, &read) {
                (Kind::Mutex, Read { locked: Some(taken), .. })
                | (Kind::RwLock, Read { write_locked: Some(taken), .. }) => {
                    if *taken {
                        self.spoken_of(intake, span, (kind, object, row), true);
                    } else {
                        self.exclusive_back(intake, span);
                    }
                }
                (Kind::RwLock, Read { readers: Some(readers), change: Some(change), .. }) => match change {
                    Change::Add => self.spoken_of(intake, span, (kind, object, row), false),
                    Change::Sub => self.permits_back(intake, span, *readers),
                    Change::Override => {}
                },
                _ => {}
            },
        }
    }

    /// A primitive says that there is a guard. Where no call was seen for it, somebody tried and had it at once.
    fn spoken_of(
        &self,
        intake: &Intake,
        span: u64,
        (kind, object, row): (Kind, u64, RowIndex),
        exclusive: bool,
    ) {
        let news = self.objects.update(span, |resource| {
            let has_room = resource.guards.has_room();
            resource.guards.is_news(exclusive).then_some(has_room)
        });
        let Some(has_room) = news.flatten() else { return };
        let tried = self.asks(intake, span, (kind, object, row), exclusive).had_at_once();
        if has_room {
            intake.acquired(tried.op, tried.operation(Phase::Holding, tried.since_ns));
        } else if let Some(row) = intake.rows.get(row) {
            intake.figures(row, tried.site).count_acquisition();
        }
        let listed =
            self.objects.update(span, |resource| has_room && resource.guards.hold_tried(tried.guard()));
        if listed != Some(true) {
            lost(intake, tried.op);
            intake.in_flight_dropped.add(1);
        }
    }

    fn exclusive_back(&self, intake: &Intake, span: u64) {
        let ended = self.objects.update(span, |resource| resource.guards.end_exclusive());
        ended.flatten().into_iter().for_each(|guard| end(intake, guard.op));
    }

    fn permits_back(&self, intake: &Intake, span: u64, permits: u64) {
        let task = self.current_task(intake);
        let ended = self.objects.update(span, |resource| resource.guards.end_shared(task, permits));
        ended.into_iter().flatten().for_each(|guard| end(intake, guard.op));
    }

    /// A call was dropped, or is over.
    pub(super) fn op_gone(&self, intake: &Intake, span: u64) {
        let Some(Call::Whole(asked)) = self.calls.remove(span) else { return };
        // What a closed semaphore had given it has gone back only now.
        if asked.progress == Progress::Ended && !asked.was_closed() {
            return;
        }
        let waited = asked.progress == Progress::Waits;
        self.objects.update(asked.resource, |resource| {
            resource.waiting = resource.waiting.saturating_sub(waited.into());
            resource.guards.taken(asked.op);
        });
        if waited {
            let now_ns = now_ns();
            let waited = asked.waited(None, now_ns);
            intake.wait_over(asked.op, Outcome::Cancelled, waited, now_ns, false);
        }
    }

    /// A primitive was dropped. What it is still thought to have out was lost: a forgotten permit, say.
    pub(super) fn resource_gone(&self, intake: &Intake, span: u64) {
        let Some(mut resource) = self.objects.remove(span) else { return };
        resource.guards.forget().iter().for_each(|guard| lost(intake, guard.op));
    }

    /// Forgets what is under way. Resources and tasks stay, since they are told of once.
    pub(in crate::collector) fn forget_in_flight(&self) {
        self.calls.clear();
        self.objects.change_each(|resource| resource.waiting = 0);
        self.forget_holders();
    }

    /// Forgets who holds.
    pub(in crate::collector) fn forget_holders(&self) {
        self.objects.change_each(|resource| drop(resource.guards.forget()));
    }

    pub(in crate::collector) fn memory_bytes(&self) -> usize {
        self.objects.memory_bytes() + self.calls.memory_bytes() + self.tasks.memory_bytes()
    }
}

/// Ends a hold of which nobody knows when it ends.
fn lost(intake: &Intake, op: u64) {
    let held = intake.operations.remove_if(op, |held| held.phase == Phase::Holding);
    held.iter().for_each(|held| {
        intake.hold_ended(op, held, now_ns);
    });
}

/// Counts the end of a hold.
fn end(intake: &Intake, op: u64) {
    let now_ns = now_ns();
    intake.hold_over(op, now_ns, |held| now_ns.saturating_sub(held.since_ns));
}
