//! A subscriber that keeps every span it sees, for tests to look at.
//!
//! It checks each span against the contract when the watch ends, so a test only says what is particular to it. It
//! knows `tracing` and `sync::schema`, and nothing of the primitives.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sync::schema::{self, field, outcome, span};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Runs `scene` with every span of `level` and below captured on this thread, and returns what was seen.
///
/// When `scene` ends everything it made must be gone: each span is checked for its shape, and that it was closed.
pub(crate) fn watch(level: LevelFilter, scene: impl FnOnce(&Log)) -> Vec<Captured> {
    let _alone = alone();
    let log = Log::default();
    let subscriber =
        tracing_subscriber::registry().with(level).with(not_for_the_console()).with(Capture(log.clone()));
    tracing::subscriber::with_default(subscriber, || scene(&log));
    let spans = log.spans();
    for span in &spans {
        span.check();
    }
    spans
}

/// Leaves out what the feature `console` tells: see `tests/console.rs`.
pub(crate) fn not_for_the_console() -> FilterFn {
    filter_fn(is_not_for_the_console)
}

pub(crate) fn is_not_for_the_console(metadata: &Metadata<'_>) -> bool {
    !["sync::console", "runtime::resource"].iter().any(|target| metadata.target().starts_with(target))
}

/// One watch at a time in the process.
///
/// The highest level that anybody wants, and whether a place in the code is wanted at all, are kept by `tracing` for
/// the whole process. While one subscriber stands alone they are what it asked for, and no other test's coming or
/// going changes them in the middle of a scene.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was captured so far. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    spans: Vec<Captured>,
    /// Where in `spans` an open span is; the registry uses its numbers again.
    open: HashMap<u64, usize>,
    /// Counts what happens, to tell the order.
    moment: usize,
}

impl Log {
    pub(crate) fn spans(&self) -> Vec<Captured> {
        self.inner().spans.clone()
    }

    /// The only span of that name so far.
    pub(crate) fn only(&self, name: &str) -> Captured {
        only(&self.spans(), name).clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The spans of that name, in the order in which they were opened.
pub(crate) fn named<'a>(spans: &'a [Captured], name: &str) -> Vec<&'a Captured> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// The only span of that name.
#[track_caller]
pub(crate) fn only<'a>(spans: &'a [Captured], name: &str) -> &'a Captured {
    let found = named(spans, name);
    assert_eq!(found.len(), 1, "`{name}` in {spans:#?}");
    found[0]
}

/// The names of the spans in the order in which they were opened.
pub(crate) fn names(spans: &[Captured]) -> Vec<&'static str> {
    spans.iter().map(|span| span.name).collect()
}

/// One span as the subscriber saw it.
#[derive(Clone)]
pub(crate) struct Captured {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    /// Index of the parent among all captured spans.
    pub(crate) parent: Option<usize>,
    /// The names that the macro wrote.
    pub(crate) declared: Vec<&'static str>,
    /// What was known when it was opened.
    pub(crate) at_open: BTreeMap<&'static str, Value>,
    /// What was recorded later.
    pub(crate) later: BTreeMap<&'static str, Value>,
    pub(crate) opened: usize,
    pub(crate) closed: Option<usize>,
}

/// A value with the type in which it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    U64(u64),
    /// Any other type: the contract has none.
    Other(String),
}

impl Captured {
    /// A number, whenever it was recorded.
    #[track_caller]
    pub(crate) fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::U64(number)) => *number,
            other => panic!("`{name}` is {other:?} in {self:?}"),
        }
    }

    /// A text, whenever it was recorded.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Some(Value::Text(text)) => text,
            other => panic!("`{name}` is {other:?} in {self:?}"),
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.later.get(name).or_else(|| self.at_open.get(name))
    }

    /// How it ended, if it said so.
    pub(crate) fn outcome(&self) -> Option<&str> {
        self.value(field::OUTCOME).map(|_| self.text(field::OUTCOME))
    }

    #[track_caller]
    pub(crate) fn closed(&self) -> usize {
        self.closed.unwrap_or_else(|| panic!("still open: {self:?}"))
    }

    /// Checks what the contract says of every span of that name.
    pub(crate) fn check(&self) {
        if self.target != schema::TARGET {
            return;
        }
        let shape = Shape::of(self.name);
        assert_eq!(self.level, shape.level, "{self:?}");
        let declared = sorted(&self.declared);
        let expected = sorted(&[shape.at_open, shape.at_end, shape.now_and_then].concat());
        assert_eq!(declared, expected, "{self:?}");
        let at_open: Vec<_> = self.at_open.keys().copied().collect();
        assert_eq!(at_open, sorted(shape.at_open), "{self:?}");
        self.closed();
        for name in shape.at_end {
            assert!(self.later.contains_key(name), "no `{name}` in {self:?}");
        }
        for (name, value) in self.at_open.iter().chain(&self.later) {
            let right = match value {
                Value::Text(_) => TEXTS.contains(name),
                Value::U64(_) => !TEXTS.contains(name),
                Value::Other(_) => false,
            };
            assert!(right, "the type of `{name}` in {self:?}");
        }
        if self.name == span::WAIT {
            assert!(
                [outcome::GRANTED, outcome::CANCELLED, outcome::CLOSED].contains(&self.text(field::OUTCOME))
            );
        }
        assert_ne!(self.number(field::ID), 0, "{self:?}");
    }
}

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// What the contract says of the spans of one name.
struct Shape {
    level: Level,
    at_open: &'static [&'static str],
    at_end: &'static [&'static str],
    /// Recorded at the end in some cases.
    now_and_then: &'static [&'static str],
}

/// Fields that are strings; the others are `u64`.
const TEXTS: &[&str] = &[field::PRIMITIVE, field::NAME, field::FILE, field::MADE_FILE, field::OUTCOME];

const REQUEST: &[&str] = &[
    field::PRIMITIVE,
    field::NAME,
    field::ID,
    field::OP,
    field::TASK,
    field::PERMITS,
    field::FILE,
    field::LINE,
    field::COLUMN,
    field::MADE_FILE,
    field::MADE_LINE,
];

const QUEUED_REQUEST: &[&str] = &[
    field::PRIMITIVE,
    field::NAME,
    field::ID,
    field::OP,
    field::TASK,
    field::PERMITS,
    field::FILE,
    field::LINE,
    field::COLUMN,
    field::MADE_FILE,
    field::MADE_LINE,
    field::QUEUE,
];

impl Shape {
    fn of(name: &str) -> Self {
        match name {
            span::ACQUIRE => {
                Self { level: Level::TRACE, at_open: REQUEST, at_end: &[], now_and_then: &[field::OUTCOME] }
            }
            span::WAIT => Self {
                level: Level::DEBUG,
                at_open: QUEUED_REQUEST,
                at_end: &[field::OUTCOME, field::QUEUED_NS, field::WAKE_NS],
                now_and_then: &[],
            },
            span::RELEASE => Self {
                level: Level::TRACE,
                at_open: &[field::PRIMITIVE, field::NAME, field::ID, field::OP, field::TASK, field::HELD_NS],
                at_end: &[field::WOKEN],
                now_and_then: &[],
            },
            span::SET | span::CLEAR | span::NOTIFY => Self {
                level: Level::TRACE,
                at_open: &[field::PRIMITIVE, field::NAME, field::ID, field::TASK],
                at_end: &[field::WOKEN],
                now_and_then: &[],
            },
            other => panic!("the contract has no span `{other}`"),
        }
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ", self.target, self.name)?;
        f.debug_map().entries(&self.at_open).entries(&self.later).finish()
    }
}

/// The layer that fills a [`Log`].
pub(crate) struct Capture(pub(crate) Log);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| span.parent()).map(|parent| parent.id().into_u64());
        let metadata: &'static Metadata<'static> = attributes.metadata();
        let mut at_open = Values::default();
        attributes.record(&mut at_open);
        let mut inner = self.0.inner();
        let parent = parent.map(|parent| inner.open[&parent]);
        inner.moment += 1;
        let opened = inner.moment;
        let index = inner.spans.len();
        inner.open.insert(id.into_u64(), index);
        inner.spans.push(Captured {
            name: metadata.name(),
            target: metadata.target(),
            level: *metadata.level(),
            parent,
            declared: metadata.fields().iter().map(|field| field.name()).collect(),
            at_open: at_open.0,
            later: BTreeMap::new(),
            opened,
            closed: None,
        });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, _context: Context<'_, S>) {
        let mut values = Values::default();
        record.record(&mut values);
        let mut inner = self.0.inner();
        let index = inner.open[&id.into_u64()];
        for (name, value) in values.0 {
            let before = inner.spans[index].later.insert(name, value);
            assert_eq!(before, None, "`{name}` was recorded twice");
        }
    }

    fn on_close(&self, id: Id, _context: Context<'_, S>) {
        let mut inner = self.0.inner();
        inner.moment += 1;
        let moment = inner.moment;
        if let Some(index) = inner.open.remove(&id.into_u64()) {
            inner.spans[index].closed = Some(moment);
        }
    }
}

#[derive(Default)]
struct Values(BTreeMap<&'static str, Value>);

impl Visit for Values {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), Value::Text(value.to_owned()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), Value::U64(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), Value::Other(format!("{value:?}")));
    }
}
