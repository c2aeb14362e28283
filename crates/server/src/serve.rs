//! `keywright serve`: everything is opened, plugged together, served, and closed in good order.

use std::net::SocketAddr;
use std::sync::Arc;

use base::SettableClock;
use cloudtrail::StoredTrails;
use identity::FirstCredentials;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::config::{Config, Limits};
use crate::data_folder::{DataFolder, Purpose};
use crate::delivery::{Delivery, built_in_trail};
use crate::foundation::Foundation;
use crate::http::{Cors, DevelopmentClock, Gate, Listener};
use crate::metrics::{Metrics, MetricsListener, TimedStore};
use crate::service::{self, Deliveries, Service, Sources};
use crate::signals::Signals;
use crate::start_error::StartError;
use crate::welcome::{self, Endpoint};
use crate::{process, terminal, tls};

/// Serves until a signal ends it.
///
/// # Errors
/// Something could not be opened; nothing was served, and what exists was left as it is.
pub(crate) async fn serve(config: Config, generation: Handle) -> Result<(), StartError> {
    guard(&config)?;
    let mut signals = Signals::new().map_err(StartError::System)?;
    let seeds = service::read_seeds(&config)?;
    let sources = Sources::read(&config)?;
    let purpose = if config.dev { Purpose::Tests } else { Purpose::Production };
    let folder = DataFolder::open_or_create(&config.data_dir, purpose)?;
    // The address is taken before anything is made: a port in use must not cost the first credentials.
    let listener = Listener::bind(config.listen).await?;
    let figures = match config.metrics {
        Some(address) => Some((bind_metrics(address).await?, Arc::new(Metrics::new()))),
        None => None,
    };
    let tls = config.tls.as_ref().map(|choice| tls::prepare(choice, &folder)).transpose()?;
    let mut foundation = Foundation::open(folder, config.passphrase.as_ref()).await?;
    let metrics = figures.as_ref().map(|(_, metrics)| Arc::clone(metrics));
    if let Some(metrics) = &metrics {
        foundation.store = Arc::new(TimedStore::new(foundation.store, Arc::clone(metrics)));
    }
    let service = Service::new(&foundation, config.kms.clone(), &config.trail, sources)?;
    service.generate_key_pairs_on(generation);
    let deliveries = deliveries(&config, &foundation, &service)?;
    let delivery = Arc::clone(&deliveries.delivery);

    let (tls, authority) = tls.map(|tls| (tls.acceptor, tls.authority)).unzip();
    let endpoint = Endpoint {
        address: listener.address(),
        region: config.default_region,
        secure: tls.is_some(),
        authority: authority.flatten(),
        dev: config.dev,
    };
    let keep = |first: &FirstCredentials| Ok(welcome::write_profile(&foundation.folder, first, &endpoint)?);
    let first = service.populate(&config, &seeds, keep).await?;
    terminal::say(welcome::welcome(first.as_ref(), &foundation.folder, &endpoint).expose());
    warn(&config, &foundation, &endpoint);

    let development = config.dev.then(|| development_clock(&service, &delivery));
    let limits = Limits {
        connections_max: process::connections_that_fit(config.limits.connections_max),
        ..config.limits
    };
    let pipeline = service.pipeline(&config, &foundation, deliveries, metrics).await?;
    let healthy = Arc::clone(&service);
    let gate = Gate::new(pipeline, limits, Cors::new(&config.cors_origins), development, move || {
        healthy.is_healthy()
    });
    let (end_chores, chores_end) = oneshot::channel();
    let mut chores = tokio::spawn(Arc::clone(&service).keep_house(chores_end));
    let (end_delivery, delivery_end) = oneshot::channel();
    let delivering = tokio::spawn(delivery.run(delivery_end));

    service.send_events_on(&config.trail.export)?;
    if let Some((listener, metrics)) = figures {
        show_figures(listener, metrics, &service);
    }
    tracing::info!(address = %endpoint.address, tls = endpoint.secure, "listening");
    let (stop, stopped) = oneshot::channel();
    let serving = listener.serve(Arc::new(gate), tls, async {
        let _ = stopped.await;
    });
    tokio::select! {
        () = serving => {}
        () = two_signals(&mut signals, stop) => return Err(StartError::SecondSignal),
        // It ends only when it is told to, so this is a panic, which has been logged.
        _ = &mut chores => return Err(StartError::Chores),
    }
    // What the last requests left in the outbox reaches the trail before the end.
    let _ = end_chores.send(());
    let _ = chores.await;
    let _ = end_delivery.send(());
    let _ = delivering.await;
    drop(foundation);
    tracing::info!("stopped");
    Ok(())
}

/// A build that does not encrypt is for tests alone, and so is a process that others may look into.
fn guard(config: &Config) -> Result<(), StartError> {
    if config.locks_memory {
        process::lock_memory().map_err(StartError::MemoryLock)?;
    }
    if config.dev {
        return Ok(());
    }
    if crypto::content::COPIES_ONLY {
        return Err(StartError::MeasuringBuild);
    }
    process::forbid_dumps();
    Ok(())
}

async fn bind_metrics(address: SocketAddr) -> Result<MetricsListener, StartError> {
    let bound = MetricsListener::bind(address).await;
    bound.map_err(|source| StartError::Metrics { address, source })
}

/// Lets figures be read, as long as the service runs.
fn show_figures(listener: MetricsListener, metrics: Arc<Metrics>, service: &Arc<Service>) {
    tokio::spawn(Arc::clone(service).count_keys(Arc::clone(&metrics)));
    let (service, refreshed) = (Arc::clone(service), Arc::clone(&metrics));
    tokio::spawn(listener.serve(metrics, move || service.refresh(&refreshed)));
}

/// What is allowed but should be known.
fn warn(config: &Config, foundation: &Foundation, endpoint: &Endpoint) {
    let everywhere = !endpoint.address.ip().is_loopback();
    if crypto::content::COPIES_ONLY {
        tracing::error!("THIS BUILD IS FOR MEASURING ALONE: IT DOES NOT ENCRYPT THE CONTENTS OF OBJECTS");
    }
    if config.dev {
        tracing::warn!(
            "--dev is for tests only: the access key is known to everybody and the clock can be set"
        );
    }
    if everywhere && !endpoint.secure {
        tracing::warn!(
            "other machines can connect and the connection is not encrypted; see [tls] in the configuration"
        );
    }
    if foundation.plain_root && !config.dev {
        tracing::warn!(
            "the root is a key file without a passphrase, for development; for production run \
             `keywright root change-passphrase`"
        );
    }
}

fn deliveries(config: &Config, foundation: &Foundation, service: &Service) -> Result<Deliveries, StartError> {
    let built_in = built_in_trail(&config.trail, config.default_region);
    let trails = Arc::new(StoredTrails::new(Arc::clone(&foundation.store), built_in));
    let log = service.log();
    let delivery = Delivery::new(
        foundation,
        &config.trail,
        config.default_region,
        Arc::<StoredTrails>::clone(&trails),
        Arc::<SettableClock>::clone(&service.clock),
        log.folder().to_owned(),
        log.durable(),
    )?;
    Ok(Deliveries { trails, delivery: Arc::new(delivery) })
}

fn development_clock(service: &Arc<Service>, delivery: &Arc<Delivery>) -> DevelopmentClock {
    let moved = (Arc::clone(service), Arc::clone(delivery));
    DevelopmentClock::new(Arc::<SettableClock>::clone(&service.clock), move |seconds: u64| {
        let (service, delivery) = moved.clone();
        async move {
            service.clock.advance_millis(seconds.saturating_mul(1_000));
            service.do_what_is_due().await;
            service.expire_objects().await;
            delivery.deliver().await;
        }
    })
}

/// The first signal begins the end; this returns at the second.
async fn two_signals(signals: &mut Signals, stop: oneshot::Sender<()>) {
    let signal = signals.next().await;
    tracing::info!(signal, "stopping; running requests are finished first");
    let _ = stop.send(());
    signals.next().await;
}
