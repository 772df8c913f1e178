//! Operations as criterion's benchmarks: a group's arms, limits and rivals alike, side by side.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};

use super::{Stopwatch, operations};

/// Measures the groups that criterion's command line asks for.
pub fn run() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for arms in operations().chunk_by(|one, other| one.group == other.group) {
        let mut group = criterion.benchmark_group(arms[0].group);
        for operation in arms {
            group.bench_function(BenchmarkId::from_parameter(operation.arm), |bencher| {
                let mut block = operation.start();
                bencher.iter_custom(|n| time_of(&mut *block, n));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// A block does whole cycles and thus more than it was asked for; what so many take is its share.
fn time_of(block: &mut dyn FnMut(u64, &mut Stopwatch), n: u64) -> Duration {
    let mut watch = Stopwatch::default();
    block(n, &mut watch);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    watch.elapsed().mul_f64(n as f64 / watch.operations() as f64)
}
