//! What a thread is in the middle of: the spans that it has entered, one in another.
//!
//! Tokio's resources are roots, whatever they are used in, so parents do not tell who uses them: the order of entering does.
//! And its events say nothing of what they are about but by where they happen.

use std::cell::RefCell;

use tracing::Metadata;

use crate::collector::limits::ENTERED;

/// A span that was entered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entered {
    Resource(u64),
    AsyncOp(u64),
    Task(u64),
    Place(&'static Metadata<'static>),
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Several collectors may be in one stack.
    collector: u64,
    span: u64,
    entered: Entered,
}

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// Works on the frames of this thread; `None` when they are gone already, as in another thread-local's destructor.
fn with<R>(work: impl FnOnce(&mut Vec<Frame>) -> R) -> Option<R> {
    FRAMES.try_with(|frames| frames.try_borrow_mut().ok().map(|mut frames| work(&mut frames))).ok()?
}

/// Notes that a span was entered; false where there are too many.
pub(super) fn enter(collector: u64, span: u64, entered: Entered) -> bool {
    let push = |frames: &mut Vec<Frame>| {
        let has_room = frames.len() < ENTERED;
        if has_room {
            frames.push(Frame { collector, span, entered });
        }
        has_room
    };
    with(push).unwrap_or(true)
}

/// Notes that a span was left, which need not be the one that was entered last.
pub(super) fn exit(collector: u64, span: u64) {
    with(|frames| {
        let index = frames.iter().rposition(|frame| frame.collector == collector && frame.span == span);
        index.map(|index| frames.remove(index));
    });
}

/// The first answer of a frame, from the innermost outwards.
fn innermost<R>(collector: u64, mut answer: impl FnMut(Entered) -> Option<R>) -> Option<R> {
    with(|frames| {
        let mine = frames.iter().rev().filter(|frame| frame.collector == collector);
        mine.map(|frame| frame.entered).find_map(&mut answer)
    })?
}

/// The innermost resource.
pub(super) fn resource(collector: u64) -> Option<u64> {
    innermost(collector, |entered| match entered {
        Entered::Resource(span) => Some(span),
        _ => None,
    })
}

/// The innermost call.
pub(super) fn async_op(collector: u64) -> Option<u64> {
    innermost(collector, |entered| match entered {
        Entered::AsyncOp(span) => Some(span),
        _ => None,
    })
}

/// The innermost task.
pub(super) fn task(collector: u64) -> Option<u64> {
    innermost(collector, |entered| match entered {
        Entered::Task(span) => Some(span),
        _ => None,
    })
}

/// The innermost span of the program, within the innermost task.
pub(super) fn place(collector: u64) -> Option<&'static Metadata<'static>> {
    innermost(collector, |entered| match entered {
        Entered::Place(metadata) => Some(Some(metadata)),
        Entered::Task(_) => Some(None),
        _ => None,
    })?
}

/// Whether a call is spoken of by somebody else than itself. In its own poll it is entered already, and then again in order to
/// speak of it, or its resource is.
pub(super) fn is_spoken_of_from_outside(collector: u64, async_op: u64) -> bool {
    let outside = with(|frames| {
        let mut mine = frames.iter().rev().filter(|frame| frame.collector == collector);
        let names_it = |frame: &Frame| matches!(frame.entered, Entered::AsyncOp(span) if span == async_op);
        mine.next().is_some_and(names_it) && !mine.any(names_it)
    });
    outside.unwrap_or(false)
}
