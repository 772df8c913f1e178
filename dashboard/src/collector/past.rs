//! Makes a [`Timeline`] of what the collector recorded.

use std::collections::HashMap;

use super::intake::Intake;
use super::rows::RowIndex;
use super::sites::SiteIndex;
use super::timeline::{Entry, Recorded};
use crate::snapshot::{Timeline, TimelineEntry, TimelinePlace, TimelineWait};

/// What was recorded until now, in the order in which it began.
pub(super) fn timeline(intake: &Intake) -> Timeline {
    let Recorded { is_on, since_ns, until_ns, mut entries, dropped, forgotten, whole_since_ns } =
        intake.timeline.recorded();
    entries.sort_by_key(|entry| (entry.began_ns, entry.op));
    let mut places = Places { intake, known: HashMap::new(), places: Vec::new() };
    let entries = entries.iter().map(|entry| shown(entry, places.of(entry))).collect();
    Timeline {
        recording: is_on,
        since_ns,
        until_ns,
        whole_since_ns,
        forgotten,
        dropped,
        places: places.places,
        entries,
    }
}

fn shown(entry: &Entry, place: usize) -> TimelineEntry {
    let wait = entry.wait.map(|wait| TimelineWait {
        outcome: wait.outcome,
        queued_ns: wait.queued_ns,
        wake_ns: wait.wake_ns,
        given_by: wait.given_by,
    });
    TimelineEntry {
        op: entry.op,
        task: entry.task,
        object: entry.object,
        place,
        permits: entry.permits,
        began_ns: entry.began_ns,
        ended_ns: entry.ended_ns,
        took_ns: entry.took_ns,
        wait,
    }
}

/// Each line once.
struct Places<'a> {
    intake: &'a Intake,
    known: HashMap<(RowIndex, SiteIndex), usize>,
    places: Vec<TimelinePlace>,
}

impl Places<'_> {
    fn of(&mut self, entry: &Entry) -> usize {
        *self.known.entry((entry.row, entry.site)).or_insert_with(|| {
            let row = self.intake.rows.get(entry.row);
            let site = row.and_then(|row| row.sites.get(entry.site));
            self.places.push(TimelinePlace {
                primitive_id: row.map_or(0, |row| row.id),
                primitive: row.map_or("", |row| row.kind.as_str()).to_owned(),
                name: row.map_or_else(String::new, |row| row.name.clone()),
                location: row.map_or_else(String::new, |row| row.location.clone()),
                site: site.map_or_else(String::new, |site| site.name.clone()),
            });
            self.places.len() - 1
        })
    }
}
