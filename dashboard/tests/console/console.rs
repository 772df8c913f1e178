//! A console: what a `tokio-console` that is connected by its real protocol comes to know.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use console_api::field::{Name, Value};
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};
use console_api::{Attribute, Id};
use console_api::{async_ops, resources};
use console_subscriber::ConsoleLayer;
use tokio::sync::oneshot;
use tonic::Streaming;
use tonic::transport::server::TcpIncoming;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::prelude::*;

/// Updates that a console waits for at most.
const UPDATES: usize = 2_000;

/// What a console has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) resources: Vec<resources::Resource>,
    pub(crate) async_ops: Vec<async_ops::AsyncOp>,
    pub(crate) poll_ops: Vec<resources::PollOp>,
    resource_stats: HashMap<u64, resources::Stats>,
    async_op_stats: HashMap<u64, async_ops::Stats>,
    pub(crate) dropped: u64,
}

impl Told {
    async fn learn(&mut self, updates: &mut Streaming<Update>, wanted: impl Fn(&Self) -> bool) {
        let mut left = UPDATES;
        while !wanted(self) {
            assert_ne!(left, 0, "not told: {self:#?}");
            left -= 1;
            let update = updates.message().await.unwrap();
            self.take(update.expect("the server goes on"));
        }
    }

    fn take(&mut self, update: Update) {
        if let Some(update) = update.resource_update {
            self.resources.extend(update.new_resources);
            self.resource_stats.extend(update.stats_update);
            self.poll_ops.extend(update.new_poll_ops);
            self.dropped += update.dropped_events;
        }
        if let Some(update) = update.async_op_update {
            self.async_ops.extend(update.new_async_ops);
            self.async_op_stats.extend(update.stats_update);
            self.dropped += update.dropped_events;
        }
    }

    /// The resource that says that it is called so.
    pub(crate) fn named(&self, name: &str) -> Option<&resources::Resource> {
        let name = Value::StrVal(name.to_owned());
        self.resources.iter().find(|resource| self.state(resource, "name") == Some(&name))
    }

    /// An attribute of a resource.
    pub(crate) fn state(&self, resource: &resources::Resource, attribute: &str) -> Option<&Value> {
        value(&self.resource_stats.get(&number(&resource.id)?)?.attributes, attribute)
    }

    /// The calls of a resource, in the order in which they were made.
    pub(crate) fn calls(&self, resource: &resources::Resource) -> Vec<&async_ops::AsyncOp> {
        let mut calls: Vec<_> =
            self.async_ops.iter().filter(|call| call.resource_id == resource.id).collect();
        calls.sort_by_key(|call| {
            let made = self.stats(call).and_then(|stats| stats.created_at);
            made.map(|made| (made.seconds, made.nanos))
        });
        calls
    }

    /// An attribute of a call.
    pub(crate) fn call_state(&self, call: &async_ops::AsyncOp, attribute: &str) -> Option<&Value> {
        value(&self.stats(call)?.attributes, attribute)
    }

    pub(crate) fn stats(&self, call: &async_ops::AsyncOp) -> Option<&async_ops::Stats> {
        self.async_op_stats.get(&number(&call.id)?)
    }

    pub(crate) fn is_dropped(&self, resource: &resources::Resource) -> bool {
        let stats = number(&resource.id).and_then(|id| self.resource_stats.get(&id));
        stats.is_some_and(|stats| stats.dropped_at.is_some())
    }
}

fn number(id: &Option<Id>) -> Option<u64> {
    id.as_ref().map(|id| id.id)
}

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Value> {
    let fields = attributes.iter().filter_map(|attribute| attribute.field.as_ref());
    let mut named = fields.filter(|field| field.name == Some(Name::StrName(name.to_owned())));
    named.next()?.value.as_ref()
}

/// A program with the console's layer, and a console that is connected to it.
///
/// The program says by the first channel that it is as it wants to be seen, and goes on when the second one speaks: when the console
/// has been told what is `wanted`.
pub(crate) fn watched<F>(
    program: impl FnOnce(oneshot::Sender<()>, oneshot::Receiver<()>) -> F + Send + 'static,
    wanted: impl Fn(&Told) -> bool,
    wanted_at_the_end: impl Fn(&Told) -> bool,
) -> Told
where
    F: Future<Output = ()>,
{
    // Subscribers that come and go at one time have the layer enter a callsite twice.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (layer, server) = ConsoleLayer::builder().publish_interval(Duration::from_millis(10)).build();
    let subscriber = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let (ready, is_ready) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel();

    // Nothing of the console's own is to be seen in it.
    let _quiet = tracing::subscriber::set_default(NoSubscriber::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = incoming.local_addr().unwrap();
        let parts = server.into_parts();
        let aggregator = tokio::spawn(parts.aggregator.run());
        let router = tonic::transport::Server::builder().add_service(parts.instrument_server);
        let serving = tokio::spawn(router.serve_with_incoming(incoming));
        let mut client = InstrumentClient::connect(format!("http://{address}")).await.unwrap();
        let mut updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
        // The layer lives until the console has been told the last.
        let _layer = subscriber.clone();
        let program = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&subscriber, || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(program(ready, may_go_on));
            });
        });
        is_ready.await.expect("the program says that it is ready");
        let mut told = Told::default();
        told.learn(&mut updates, wanted).await;
        go_on.send(()).unwrap();
        told.learn(&mut updates, wanted_at_the_end).await;
        program.join().unwrap();
        aggregator.abort();
        serving.abort();
        told
    })
}
