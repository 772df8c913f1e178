//! Whose durations a line of a log has: `metric/primitive/name`.
//!
//! A tag may hold neither commas nor white space. Such characters are written as `%` and two digits for each of their bytes, so that
//! every name comes out as it went in.

use std::fmt::Write as _;

use crate::snapshot::{Distribution, PrimitiveSnapshot};

/// Which durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Metric {
    Wait,
    Hold,
    Queued,
    Wake,
    CancelledWait,
}

impl Metric {
    pub(super) const ALL: [Self; 5] = [Self::Wait, Self::Hold, Self::Queued, Self::Wake, Self::CancelledWait];

    fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Hold => "hold",
            Self::Queued => "queued",
            Self::Wake => "wake",
            Self::CancelledWait => "cancelled_wait",
        }
    }

    pub(super) fn of(self, row: &PrimitiveSnapshot) -> &Distribution {
        match self {
            Self::Wait => &row.wait_ns,
            Self::Hold => &row.hold_ns,
            Self::Queued => &row.queued_ns,
            Self::Wake => &row.wake_ns,
            Self::CancelledWait => &row.cancelled_wait_ns,
        }
    }

    pub(super) fn of_mut(self, row: &mut PrimitiveSnapshot) -> &mut Distribution {
        match self {
            Self::Wait => &mut row.wait_ns,
            Self::Hold => &mut row.hold_ns,
            Self::Queued => &mut row.queued_ns,
            Self::Wake => &mut row.wake_ns,
            Self::CancelledWait => &mut row.cancelled_wait_ns,
        }
    }
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Tag {
    pub(super) primitive: String,
    /// The name, or where it has none the line that made it.
    pub(super) name: String,
    pub(super) metric: Metric,
}

impl Tag {
    pub(super) fn of(row: &PrimitiveSnapshot, metric: Metric) -> Self {
        let name = if row.name.is_empty() { &row.location } else { &row.name };
        Self { primitive: row.primitive.clone(), name: name.clone(), metric }
    }

    pub(super) fn written(&self) -> String {
        format!("{}/{}/{}", self.metric.as_str(), escaped(&self.primitive), escaped(&self.name))
    }

    /// `None`: it is not one of ours.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let metric = parts.next()?;
        let metric = Metric::ALL.into_iter().find(|known| known.as_str() == metric)?;
        let (primitive, name) = (unescaped(parts.next()?)?, unescaped(parts.next()?)?);
        Some(Self { primitive, name, metric })
    }
}

fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        if matches!(character, ',' | '%') || character.is_whitespace() || character.is_control() {
            for byte in character.encode_utf8(&mut buffer).bytes() {
                let _ = write!(written, "%{byte:02x}");
            }
        } else {
            written.push(character);
        }
    }
    written
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
