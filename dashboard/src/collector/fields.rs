//! Reads the fields of our spans.
//!
//! A span of ours has some fifteen fields, and finding out by name which is which would cost more than all the
//! rest. So the layout of a callsite is worked out once and remembered by the address of its metadata.
//! Texts are hashed as they go by; they are copied only when a row or a call site is new.

use std::fmt::Debug;
use std::sync::OnceLock;

use sync::schema::{field, outcome, primitive, span};
use tracing::Metadata;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};

use super::hash;
use super::limits::{CALLSITES, DURATION_ABSURD_NS, TEXT_BYTES};

/// Fields that a span of the `tracing` crate has at most.
const FIELDS_MAX: usize = 32;

/// Which primitive a span is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mutex,
    Condition,
    Semaphore,
    Event,
    Barrier,
    /// Tokio's reader-writer lock: `sync` has none, so no span of ours is about one.
    RwLock,
}

/// What [`Kind::RwLock`] is called in a snapshot.
const RWLOCK: &str = "rwlock";

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Mutex, Self::Condition, Self::Semaphore, Self::Event, Self::Barrier, Self::RwLock];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mutex => primitive::MUTEX,
            Self::Condition => primitive::CONDITION,
            Self::Semaphore => primitive::SEMAPHORE,
            Self::Event => primitive::EVENT,
            Self::Barrier => primitive::BARRIER,
            Self::RwLock => RWLOCK,
        }
    }

    /// As the spans of `sync` say it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text && *kind != Self::RwLock)
    }

    /// Whether acquiring it gives something that is held until a release.
    pub(super) fn is_held(self) -> bool {
        matches!(self, Self::Mutex | Self::Semaphore | Self::RwLock)
    }
}

/// How an acquisition or a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Granted,
    Cancelled,
    Closed,
    Refused,
}

impl Outcome {
    fn parse(text: &str) -> Option<Self> {
        match text {
            outcome::GRANTED => Some(Self::Granted),
            outcome::CANCELLED => Some(Self::Cancelled),
            outcome::CLOSED => Some(Self::Closed),
            outcome::REFUSED => Some(Self::Refused),
            _ => None,
        }
    }
}

/// Which of our spans it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Acquire,
    Wait,
    Release,
    /// `set`, `clear` or `notify`: nothing is kept of these yet.
    Call,
}

impl Stage {
    fn parse(name: &str) -> Option<Self> {
        match name {
            span::ACQUIRE => Some(Self::Acquire),
            span::WAIT => Some(Self::Wait),
            span::RELEASE => Some(Self::Release),
            span::SET | span::CLEAR | span::NOTIFY => Some(Self::Call),
            _ => None,
        }
    }
}

/// Which of our fields it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Foreign,
    Primitive,
    Name,
    Id,
    Op,
    Task,
    Permits,
    File,
    Line,
    Column,
    Queue,
    Outcome,
    QueuedNs,
    WakeNs,
    HeldNs,
    Woken,
    MadeFile,
    MadeLine,
}

impl Code {
    fn parse(name: &str) -> Self {
        match name {
            field::PRIMITIVE => Self::Primitive,
            field::NAME => Self::Name,
            field::ID => Self::Id,
            field::OP => Self::Op,
            field::TASK => Self::Task,
            field::PERMITS => Self::Permits,
            field::FILE => Self::File,
            field::LINE => Self::Line,
            field::COLUMN => Self::Column,
            field::QUEUE => Self::Queue,
            field::OUTCOME => Self::Outcome,
            field::QUEUED_NS => Self::QueuedNs,
            field::WAKE_NS => Self::WakeNs,
            field::HELD_NS => Self::HeldNs,
            field::WOKEN => Self::Woken,
            field::MADE_FILE => Self::MadeFile,
            field::MADE_LINE => Self::MadeLine,
            _ => Self::Foreign,
        }
    }
}

/// What a callsite's fields are, by their index.
#[derive(Debug)]
pub(super) struct Layout {
    /// Address of the metadata, which is static and therefore an identity.
    callsite: usize,
    /// None: a span of our target with a name that is not ours.
    pub(super) stage: Option<Stage>,
    codes: [Code; FIELDS_MAX],
}

impl Layout {
    /// The layout of a callsite, remembered from the second time on.
    #[inline]
    pub(super) fn with<R>(metadata: &'static Metadata<'static>, read: impl FnOnce(&Self) -> R) -> R {
        static LAYOUTS: [OnceLock<Layout>; CALLSITES] = [const { OnceLock::new() }; CALLSITES];
        let callsite = std::ptr::from_ref(metadata).addr();
        let first = hash::mix(0, callsite as u64) as usize;
        // A few steps; whoever finds its neighbourhood full works its layout out each time.
        for step in 0..8 {
            let layout = LAYOUTS[first.wrapping_add(step) % CALLSITES].get_or_init(|| Self::new(metadata));
            if layout.callsite == callsite {
                return read(layout);
            }
        }
        read(&Self::new(metadata))
    }

    #[cold]
    fn new(metadata: &'static Metadata<'static>) -> Self {
        let mut codes = [Code::Foreign; FIELDS_MAX];
        for field in metadata.fields().iter() {
            if let Some(code) = codes.get_mut(field.index()) {
                *code = Code::parse(field.name());
            }
        }
        Self { callsite: std::ptr::from_ref(metadata).addr(), stage: Stage::parse(metadata.name()), codes }
    }

    #[inline]
    fn code(&self, field: &Field) -> Code {
        self.codes.get(field.index()).copied().unwrap_or(Code::Foreign)
    }
}

/// The values of a span's fields; texts as their hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    pub(super) kind: Option<Kind>,
    pub(super) object: Option<u64>,
    pub(super) op: Option<u64>,
    pub(super) task: u64,
    pub(super) permits: Option<u64>,
    pub(super) queue: u64,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) made_line: u64,
    pub(super) name_hash: u64,
    pub(super) file_hash: u64,
    pub(super) made_file_hash: u64,
    pub(super) held_ns: Option<u64>,
    pub(super) end: End,
    /// A field of ours had another type or an absurd value; it counts as missing.
    pub(super) odd: bool,
}

/// What a wait or an acquisition says about its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) outcome: Option<Outcome>,
    pub(super) queued_ns: Option<u64>,
    pub(super) wake_ns: Option<u64>,
}

impl End {
    /// Takes over what `other` knows.
    pub(super) fn update(&mut self, other: &Self) {
        self.outcome = other.outcome.or(self.outcome);
        self.queued_ns = other.queued_ns.or(self.queued_ns);
        self.wake_ns = other.wake_ns.or(self.wake_ns);
    }
}

impl Fields {
    /// Reads a new span.
    #[inline]
    pub(super) fn of_span(layout: &Layout, attributes: &Attributes<'_>) -> Self {
        let mut reader = Reader { fields: Self::default(), code: |field: &Field| layout.code(field) };
        attributes.record(&mut reader);
        reader.fields
    }

    /// Reads what was recorded later.
    #[inline]
    pub(super) fn of_record(record: &Record<'_>) -> Self {
        let mut reader = Reader { fields: Self::default(), code: |field: &Field| Code::parse(field.name()) };
        record.record(&mut reader);
        reader.fields
    }
}

struct Reader<F> {
    fields: Fields,
    code: F,
}

impl<F: Fn(&Field) -> Code> Reader<F> {
    fn duration(&mut self, value_ns: u64) -> Option<u64> {
        if value_ns > DURATION_ABSURD_NS {
            self.fields.odd = true;
            return None;
        }
        Some(value_ns)
    }

    /// A value of a type that no field of ours has.
    fn wrong_type(&mut self, field: &Field) {
        if (self.code)(field) != Code::Foreign {
            self.fields.odd = true;
        }
    }
}

impl<F: Fn(&Field) -> Code> Visit for Reader<F> {
    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match (self.code)(field) {
            Code::Id => self.fields.object = Some(value),
            Code::Op => self.fields.op = Some(value),
            Code::Task => self.fields.task = value,
            Code::Permits => self.fields.permits = Some(value),
            Code::Line => self.fields.line = value,
            Code::Column => self.fields.column = value,
            Code::MadeLine => self.fields.made_line = value,
            Code::Queue => self.fields.queue = value,
            Code::QueuedNs => self.fields.end.queued_ns = self.duration(value),
            Code::WakeNs => self.fields.end.wake_ns = self.duration(value),
            Code::HeldNs => self.fields.held_ns = self.duration(value),
            Code::Woken | Code::Foreign => {}
            Code::Primitive | Code::Name | Code::File | Code::MadeFile | Code::Outcome => {
                self.fields.odd = true
            }
        }
    }

    /// A literal in somebody's own span is an `i64`, so one that is not negative is as good as a `u64`.
    fn record_i64(&mut self, field: &Field, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.wrong_type(field),
        }
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        match (self.code)(field) {
            Code::Primitive => {
                self.fields.kind = Kind::parse(value);
                self.fields.odd |= self.fields.kind.is_none();
            }
            Code::Outcome => {
                self.fields.end.outcome = Outcome::parse(value);
                self.fields.odd |= self.fields.end.outcome.is_none();
            }
            Code::Name => self.fields.name_hash = hash::text(value),
            Code::File => self.fields.file_hash = hash::text(value),
            Code::MadeFile => self.fields.made_file_hash = hash::text(value),
            Code::Foreign => {}
            _ => self.fields.odd = true,
        }
    }

    fn record_debug(&mut self, field: &Field, _value: &dyn Debug) {
        self.wrong_type(field);
    }
}

/// The texts of a span, copied.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) made_file: String,
}

impl Texts {
    #[cold]
    pub(super) fn of_span(attributes: &Attributes<'_>) -> Self {
        let mut texts = Self::default();
        attributes.record(&mut texts);
        texts
    }
}

/// As much of a text as is kept.
pub(super) fn cut(value: &str) -> &str {
    let mut end = value.len().min(TEXT_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

impl Visit for Texts {
    fn record_str(&mut self, field: &Field, value: &str) {
        let kept = cut(value);
        match Code::parse(field.name()) {
            Code::Name => kept.clone_into(&mut self.name),
            Code::File => kept.clone_into(&mut self.file),
            Code::MadeFile => kept.clone_into(&mut self.made_file),
            _ => {}
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = format!("{}é", "x".repeat(TEXT_BYTES - 1));
        assert_eq!(cut(&long).len(), TEXT_BYTES - 1);
    }

    #[test]
    fn every_name_of_the_schema_is_known() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind).filter(|kind| *kind != Kind::RwLock));
        }
        for name in [span::ACQUIRE, span::WAIT, span::RELEASE, span::SET, span::CLEAR, span::NOTIFY] {
            assert!(Stage::parse(name).is_some(), "{name}");
        }
        assert_eq!(Kind::parse("rwlock"), None);
        assert_eq!(Stage::parse("http request"), None);
        assert_eq!(Code::parse("made_line"), Code::MadeLine);
        assert_eq!(Code::parse("colour"), Code::Foreign);
    }
}
