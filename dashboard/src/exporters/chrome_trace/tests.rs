//! Timelines made by hand, read back.

use serde_json::Value;

use super::*;
use crate::snapshot::WaitOutcome;

fn hold(op: u64, task: u64, began_ns: u64, ended_ns: u64) -> TimelineEntry {
    TimelineEntry {
        op,
        task,
        object: 5,
        place: 0,
        permits: 1,
        began_ns,
        ended_ns,
        took_ns: ended_ns.saturating_sub(began_ns),
        wait: None,
    }
}

fn wait(op: u64, task: u64, began_ns: u64, queued_ns: u64, wake_ns: u64, given_by: u64) -> TimelineEntry {
    let wait = TimelineWait {
        outcome: WaitOutcome::Granted,
        queued_ns: Some(queued_ns),
        wake_ns: Some(wake_ns),
        given_by,
    };
    let ended_ns = began_ns + queued_ns + wake_ns;
    TimelineEntry { wait: Some(wait), took_ns: queued_ns + wake_ns, ..hold(op, task, began_ns, ended_ns) }
}

fn read(entries: Vec<TimelineEntry>) -> Value {
    let place = TimelinePlace {
        primitive_id: 1,
        primitive: "mutex".to_owned(),
        name: "a \"quoted\"\nname".to_owned(),
        location: "src/main.rs:7".to_owned(),
        site: "src/main.rs:20:14".to_owned(),
    };
    let timeline =
        Timeline { since_ns: 1_000, until_ns: 9_000, places: vec![place], entries, ..Timeline::default() };
    serde_json::from_str(&encode(timeline)).unwrap()
}

fn events<'t>(trace: &'t Value, phase: &str) -> Vec<&'t Value> {
    trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == phase).collect()
}

#[test]
fn a_wait_has_its_parts_in_it_and_an_arrow_from_who_ended_it() {
    let trace = read(vec![hold(1, 10, 1_000, 3_000), wait(2, 11, 1_500, 1_600, 400, 1)]);
    let shown: Vec<_> = events(&trace, "X")
        .iter()
        .map(|slice| {
            (
                slice["cat"].as_str().unwrap(),
                slice["tid"].as_u64().unwrap(),
                slice["ts"].as_f64(),
                slice["dur"].as_f64(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("hold", 2, Some(0.0), Some(2.0)),
            ("wait", 3, Some(0.5), Some(2.0)),
            ("queued", 3, Some(0.5), Some(1.6)),
            ("wake", 3, Some(2.1), Some(0.4)),
        ]
    );
    let slice = events(&trace, "X")[1];
    assert_eq!(slice["name"], "wait mutex a \"quoted\"\nname");
    assert_eq!(slice["args"]["line"], "src/main.rs:20:14");
    assert_eq!(slice["args"]["outcome"], "granted");
    let (from, to) = (events(&trace, "s"), events(&trace, "f"));
    assert_eq!((from[0]["tid"].as_u64(), from[0]["ts"].as_f64()), (Some(2), Some(1.999)));
    assert_eq!((to[0]["tid"].as_u64(), to[0]["ts"].as_f64()), (Some(3), Some(2.1)));
    assert_eq!(from[0]["id"], to[0]["id"]);
}

#[test]
fn holds_that_cross_have_tracks_of_their_own() {
    let trace =
        read(vec![hold(1, 10, 0, 300), hold(2, 10, 100, 500), hold(3, 10, 400, 450), hold(4, 0, 0, 9)]);
    let tracks: Vec<_> = events(&trace, "X").iter().map(|slice| slice["tid"].as_u64().unwrap()).collect();
    assert_eq!(tracks, [2, 3, 4, 2]);
    let names: Vec<_> = events(&trace, "M")
        .iter()
        .filter(|named| named["name"] == "thread_name")
        .map(|named| named["args"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["task #a", "unknown tasks at mutex 5", "task #a (2)"]);
}

#[test]
fn what_finds_no_track_is_left_out_and_counted() {
    let crossing = (0..LANES as u64 + 6).map(|op| hold(op + 1, 10, op, op + 1_000)).collect();
    let trace = read(crossing);
    assert_eq!(events(&trace, "X").len(), LANES);
    assert_eq!(trace["otherData"]["left_out"], 6);
}

#[test]
fn a_hold_that_ends_after_the_wait_has_no_arrow_to_it() {
    let trace = read(vec![hold(1, 10, 0, 9_000), wait(2, 11, 100, 50, 10, 1)]);
    assert!(events(&trace, "s").is_empty() && events(&trace, "f").is_empty());
}

#[test]
fn pieces_are_bounded_and_make_up_the_whole() {
    let entries: Vec<_> = (1..5_000).map(|op| wait(op, op % 7 + 1, op * 100, 50, 10, 0)).collect();
    let timeline = Timeline { places: vec![TimelinePlace::default()], entries, ..Timeline::default() };
    let pieces: Vec<_> = pieces(timeline.clone()).collect();
    assert!(pieces.len() > 10);
    assert!(pieces.iter().all(|piece| piece.len() < PIECE_BYTES + 2_000), "{}", pieces[0].len());
    let trace: Value = serde_json::from_str(&pieces.concat()).unwrap();
    assert_eq!(events(&trace, "X").len(), 3 * 4_999);
}

#[test]
fn absurd_figures_break_nothing() {
    let mut odd = wait(u64::MAX, u64::MAX, 5, 1, 1, u64::MAX);
    odd.ended_ns = 2;
    odd.place = 99;
    let trace = read(vec![hold(0, 0, u64::MAX, 0), odd, hold(1, 1, 0, u64::MAX)]);
    assert_eq!(events(&trace, "X").len(), 2, "one has a line that is not there");
    let empty: Value = serde_json::from_str(&encode(Timeline::default())).unwrap();
    assert_eq!(events(&empty, "X").len(), 0);
}
