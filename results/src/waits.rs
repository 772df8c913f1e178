//! Between histograms and the summaries of waits in a report.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use crate::{LatencyRound, ReadError, WaitSummary};

/// Samples that must lie beyond a percentile for it to be given.
///
/// A percentile rests on the samples beyond it alone: of k of them a repetition shows k ± √k, so that ten are
/// uncertain by a third, and below that a single hiccup of the scheduler moves the figure. So a median takes
/// 20 samples, p90 100, p99 1,000 and p99.9 10,000.
pub(crate) const SAMPLES_BEYOND: u64 = 10;

impl WaitSummary {
    /// Sums up waits in nanoseconds.
    ///
    /// A percentile with fewer than ten samples beyond it (`count * (1 - q) < 10`) is `None`: so few do not
    /// settle it.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut waits = hdrhistogram::Histogram::<u64>::new(3)?;
    /// for ns in 1..=100 {
    ///     waits.record(ns)?;
    /// }
    /// let summary = results::WaitSummary::from_histogram(&waits);
    /// assert_eq!((summary.p90, summary.p99), (Some(90), None));
    /// assert_eq!(summary.histogram()?, waits);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_histogram(histogram: &Histogram<u64>) -> WaitSummary {
        WaitSummary {
            count: histogram.len(),
            mean: histogram.mean(),
            p50: percentile(histogram, 500),
            p90: percentile(histogram, 900),
            p99: percentile(histogram, 990),
            p999: percentile(histogram, 999),
            max: histogram.max(),
            hdr: encode(histogram),
        }
    }

    /// The histogram that the summary was made from.
    ///
    /// # Errors
    /// [`ReadError::Histogram`] where `hdr` is not base64 of HdrHistogram V2, uncompressed.
    pub fn histogram(&self) -> Result<Histogram<u64>, ReadError> {
        decode(&self.hdr).map_err(|reason| ReadError::Histogram { reason })
    }
}

impl LatencyRound {
    /// Sums up the waits of one slot, under the same rule as [`WaitSummary::from_histogram`].
    #[must_use]
    pub fn from_histogram(
        order: usize,
        histogram: &Histogram<u64>,
        queue_depth: Option<f64>,
    ) -> LatencyRound {
        LatencyRound {
            order,
            count: histogram.len(),
            mean_ns: histogram.mean(),
            p50_ns: percentile(histogram, 500),
            p99_ns: percentile(histogram, 990),
            queue_depth,
            ops: 0,
            wall_ns: 0,
            allocations: None,
            fork: None,
        }
    }
}

/// The value at a quantile given in thousandths (exact, where `1.0 - 0.99` is not), if enough lie beyond it.
fn percentile(histogram: &Histogram<u64>, per_mille: u64) -> Option<u64> {
    let beyond_times_1000 = u128::from(histogram.len()) * u128::from(1000 - per_mille);
    #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
    let quantile = per_mille as f64 / 1000.0;
    (beyond_times_1000 >= u128::from(SAMPLES_BEYOND) * 1000).then(|| histogram.value_at_quantile(quantile))
}

fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Fails only where a count exceeds i64::MAX, which takes centuries of waits; a reader says that it is empty.
    if V2Serializer::new().serialize(histogram, &mut bytes).is_err() {
        bytes.clear();
    }
    BASE64.encode(bytes)
}

fn decode(hdr: &str) -> Result<Histogram<u64>, String> {
    if hdr.is_empty() {
        return Err("it is empty".to_owned());
    }
    let bytes = BASE64.decode(hdr).map_err(|error| format!("not base64: {error}"))?;
    check_encoding(&bytes)?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| error.to_string())
}

/// Refuses what would make the decoder allocate at will (it trusts the length in the header) or overflow (it
/// negates run lengths and adds up counts without looking).
fn check_encoding(bytes: &[u8]) -> Result<(), String> {
    const COOKIE: u32 = 0x1c84_9313;
    const HEADER_BYTES: usize = 40;

    let Some((header, payload)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err(format!("{} bytes are too few for a HdrHistogram", bytes.len()));
    };
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if word(0) != COOKIE {
        return Err("not an uncompressed HdrHistogram V2".to_owned());
    }
    let announced = word(4);
    if usize::try_from(announced).is_ok_and(|announced| announced == payload.len()) {
        check_payload(payload)
    } else {
        Err(format!("{announced} bytes are announced, {} are there", payload.len()))
    }
}

/// Walks the zigzag LEB128 numbers, of at most nine bytes each: counts, or negative ones for runs of zeros.
fn check_payload(payload: &[u8]) -> Result<(), String> {
    const LONGEST: usize = 9;
    /// More waits than a lifetime holds; beyond, the sums of the library would overflow.
    const MOST_WAITS: u64 = 1 << 53;

    let (mut number, mut length, mut waits) = (0_u64, 0, 0_u64);
    for &byte in payload {
        let last_possible = length == LONGEST - 1;
        let bits = if last_possible { byte } else { byte & 0x7f };
        number |= u64::from(bits) << (7 * length);
        length += 1;
        if last_possible || byte & 0x80 == 0 {
            let is_run = number & 1 == 1;
            if is_run && number == u64::MAX {
                return Err("a run of zeros is impossibly long".to_owned());
            }
            waits = waits.saturating_add(if is_run { 0 } else { number >> 1 });
            (number, length) = (0, 0);
        }
    }
    if length > 0 {
        return Err("it ends within a number".to_owned());
    }
    if waits > MOST_WAITS { Err(format!("{waits} waits are impossibly many")) } else { Ok(()) }
}
