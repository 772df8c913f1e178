//! Call sites of a row: the lines that acquire it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::figures::Line;
use super::hash;
use super::limits::SITES_PER_ROW;

/// A site's place in [`Sites`].
pub(super) type SiteIndex = u8;

/// The place of a site that found no room.
pub(super) const NO_SITE: SiteIndex = SiteIndex::MAX;

/// One line that acquires.
#[derive(Debug)]
pub(super) struct Site {
    key: u64,
    /// `src/main.rs:20:14`; empty when unknown.
    pub(super) name: String,
    pub(super) line: Line,
    lends: AtomicBool,
}

/// The sites of a row. Slots are written once, so that finding one takes no lock.
#[derive(Debug)]
pub(super) struct Sites {
    slots: [OnceLock<Box<Site>>; SITES_PER_ROW],
}

impl Default for Sites {
    fn default() -> Self {
        Self { slots: [const { OnceLock::new() }; SITES_PER_ROW] }
    }
}

impl Sites {
    #[inline]
    pub(super) fn get(&self, index: SiteIndex) -> Option<&Site> {
        self.slots.get(usize::from(index))?.get().map(|site| &**site)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Site> {
        self.slots.iter().filter_map(|slot| slot.get().map(|site| &**site))
    }

    /// The site of a key; made when it is new, with a file that only then is asked for.
    #[inline]
    pub(super) fn find(
        &self,
        (file_hash, line, column): (u64, u64, u64),
        file: impl FnOnce() -> String,
    ) -> SiteIndex {
        let key = hash::mix(file_hash, hash::mix(line, column));
        let mut file = Some(file);
        for step in 0..SITES_PER_ROW {
            let index = (key as usize).wrapping_add(step) % SITES_PER_ROW;
            let site = match self.slots[index].get() {
                Some(site) => site,
                None => {
                    // Read before the slot is claimed: it runs the visitor of whoever made the span.
                    let Some(file) = file.take() else { return NO_SITE };
                    let name = name(&file(), line, column);
                    // Somebody else may have been quicker, with this site or another.
                    let site = self.slots[index].get_or_init(|| Box::new(Site::new(key, name)));
                    if site.key != key {
                        return NO_SITE;
                    }
                    site
                }
            };
            if site.key == key {
                return index as SiteIndex;
            }
        }
        NO_SITE
    }

    pub(super) fn reset(&self) {
        self.iter().for_each(|site| site.line.reset());
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.iter().map(|site| size_of::<Site>() + site.name.capacity() + site.line.heap_bytes()).sum()
    }
}

impl Site {
    fn new(key: u64, name: String) -> Self {
        Self { key, name, line: Line::default(), lends: AtomicBool::new(false) }
    }

    /// Whether what is acquired here may be held by another task than the one that acquired it.
    pub(super) fn lends(&self) -> bool {
        // Ordering: Relaxed, here and below: a mark that guards nothing, and only comes.
        self.lends.load(Ordering::Relaxed)
    }

    pub(super) fn mark_as_lending(&self) {
        self.lends.store(true, Ordering::Relaxed);
    }
}

/// A line and column of a file, as a person writes it; without the column where that is zero, empty when the file is not known.
fn name(file: &str, line: u64, column: u64) -> String {
    match (file, column) {
        ("", _) => String::new(),
        (_, 0) => format!("{file}:{line}"),
        _ => format!("{file}:{line}:{column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_site_and_beyond_the_bound_there_is_none() {
        let sites = Sites::default();
        let file = || "a.rs".to_owned();
        let first = sites.find((1, 20, 5), file);
        assert_eq!(sites.find((1, 20, 5), file), first);
        assert_ne!(sites.find((1, 20, 6), file), first);
        assert_eq!(sites.get(first).unwrap().name, "a.rs:20:5");
        assert_eq!(
            sites.get(sites.find((1, 9, 0), file)).unwrap().name,
            "a.rs:9",
            "a column is not always known"
        );
        let kept = (0..1_000).filter(|&line| sites.find((2, line, 1), file) != NO_SITE).count();
        assert_eq!(kept, SITES_PER_ROW - 3);
        assert_eq!(sites.find((1, 20, 5), file), first);
        assert!(sites.get(NO_SITE).is_none());
    }
}
