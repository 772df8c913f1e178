//! Fast hashing of ids and short texts.
//!
//! The standard hasher withstands chosen keys and pays for it; here the keys come from our own process, and a
//! collision costs an entry in the wrong row, not safety.

use std::hash::{BuildHasherDefault, Hasher};

/// Hashes for maps whose keys are ids.
pub(super) type BuildIdHasher = BuildHasherDefault<IdHasher>;

/// An odd number without a pattern in its bits: the golden ratio's fraction.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Mixes two words into one: each bit of either reaches every bit of the result.
#[inline]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ MULTIPLIER) * u128::from(b ^ MULTIPLIER.rotate_left(32));
    (product as u64) ^ ((product >> 64) as u64)
}

/// The part of a span's id by which it is dealt out to shards.
///
/// Ids of a `Registry` say in their highest bits how often a place was used, and below them whose thread it is (sharded-slab 0.1, on
/// 64 bits): without the first a thread comes back to the same few shards, and finds them in its cache. Ids of another make
/// spread all the same.
#[inline]
pub(super) fn place(span: u64) -> u64 {
    span & ((1 << 51) - 1)
}

/// Hashes a text, eight bytes at a time.
#[inline]
pub(super) fn text(value: &str) -> u64 {
    let mut state = value.len() as u64;
    let mut chunks = value.as_bytes().chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    mix(state, u64::from_le_bytes(word))
}

/// Hashes one `u64`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = mix(self.0, u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, id: u64) {
        self.0 = mix(self.0, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_one_byte_or_in_length_differ() {
        let texts =
            ["", "a", "b", "a\0", "src/main.rs", "src/main.rt", "src/mainrs", "xsrc/main.rs", "12345678"];
        for (i, a) in texts.iter().enumerate() {
            for b in &texts[i + 1..] {
                assert_ne!(text(a), text(b), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn ids_in_a_row_spread_over_all_shards() {
        let mut seen = std::collections::HashSet::new();
        for id in 0..1_000_u64 {
            seen.insert(mix(0, id) >> 58);
        }
        assert_eq!(seen.len(), 64);
    }
}
