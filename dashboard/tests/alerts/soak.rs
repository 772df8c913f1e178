//! A sound service under load: no alert, with thresholds that are far shorter than the default ones.

use std::sync::Arc;
use std::time::Duration;

use sync::{Condition, Event, Mutex, Semaphore};
use tokio::time::{Instant, sleep};

use crate::support::{every, watched};

/// What the tasks share.
struct Service {
    connections: Semaphore,
    limit: Arc<Semaphore>,
    cache: Mutex<Vec<u64>>,
    orders: Condition<u64>,
    over: Event,
}

async fn serve(service: Arc<Service>, customer: u64) {
    for request in 0.. {
        if service.over.is_set() {
            return;
        }
        let place = Arc::clone(&service.limit).acquire_owned().await.unwrap();
        let known = service.cache.lock().await.contains(&(customer ^ request));
        if !known {
            // Always in this order.
            let _connection = service.connections.acquire().await.unwrap();
            tokio::task::yield_now().await;
            let mut cache = service.cache.lock().await;
            cache.push(customer ^ request);
            cache.truncate(64);
        }
        let orders = service.orders.lock().await;
        orders.notify_one();
        drop(orders);
        // Whoever wants may give the place back.
        tokio::spawn(async move { drop(place) });
    }
}

async fn ship(service: Arc<Service>) {
    loop {
        let mut orders = service.orders.lock().await.wait().await;
        *orders += 1;
    }
}

/// For as long as `SOAK_SECONDS` says, two otherwise.
#[test]
fn a_sound_service_raises_no_alert() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(2);
    // Long against a thread that loses its processor, short against the defaults; what no thread can bring about, at once.
    let mut thresholds = every(Duration::from_millis(1_500));
    thresholds.deadlock = Duration::ZERO;
    thresholds.futurelock = Duration::from_millis(200);
    (thresholds.starvation, thresholds.starvation_factor) = (Duration::ZERO, 0.0);
    watched(thresholds, |collector| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&dispatch)))
            .build()
            .unwrap();
        let service = Arc::new(Service {
            connections: Semaphore::new(3).with_name("connections"),
            limit: Arc::new(Semaphore::new(16).with_name("limit")),
            cache: Mutex::new(Vec::new()).with_name("cache"),
            orders: Condition::new(0).with_name("orders"),
            over: Event::new(),
        });
        let customers: Vec<_> =
            (0..24).map(|customer| runtime.spawn(serve(Arc::clone(&service), customer))).collect();
        let shipping = runtime.spawn(ship(Arc::clone(&service)));
        runtime.block_on(async {
            let end = Instant::now() + Duration::from_secs(seconds);
            while Instant::now() < end {
                let snapshot = collector.snapshot();
                assert_eq!(snapshot.alerts, [], "{:#?}", snapshot.waits_for);
                sleep(Duration::from_millis(20)).await;
            }
            service.over.set();
            for customer in customers {
                customer.await.unwrap();
            }
            shipping.abort();
        });
        let snapshot = collector.snapshot();
        assert_eq!(snapshot.alerts_total.values().sum::<u64>(), 0, "{:#?}", snapshot.alerts_ended);
        assert!(snapshot.primitives.iter().any(|row| row.contended > 1_000), "there was no contention");
    });
}
