//! `keywright serve`: everything is opened, plugged together, served, and closed in good order.

use std::sync::Arc;

use base::SettableClock;
use identity::FirstCredentials;
use tokio::sync::oneshot;

use crate::config::{Config, Limits};
use crate::data_folder::{DataFolder, Purpose};
use crate::foundation::Foundation;
use crate::http::{Cors, DevelopmentClock, Gate, Listener};
use crate::service::{self, Service, Sources};
use crate::signals::Signals;
use crate::start_error::StartError;
use crate::welcome::{self, Endpoint};
use crate::{process, terminal, tls};

/// Serves until a signal ends it.
///
/// # Errors
/// Something could not be opened; nothing was served, and what exists was left as it is.
pub(crate) async fn serve(config: Config) -> Result<(), StartError> {
    let mut signals = Signals::new().map_err(StartError::System)?;
    let seeds = service::read_seeds(&config)?;
    let sources = Sources::read(&config)?;
    let purpose = if config.dev { Purpose::Tests } else { Purpose::Production };
    let folder = DataFolder::open_or_create(&config.data_dir, purpose)?;
    // The address is taken before anything is made: a port in use must not cost the first credentials.
    let listener = Listener::bind(config.listen).await?;
    let tls = config.tls.as_ref().map(|choice| tls::prepare(choice, &folder)).transpose()?;
    let foundation = Foundation::open(folder, config.passphrase.as_ref()).await?;
    let service = Service::new(&foundation, config.kms.clone(), config.trail.log, sources)?;

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

    let development = config.dev.then(|| development_clock(&service));
    let limits = Limits {
        connections_max: process::connections_that_fit(config.limits.connections_max),
        ..config.limits
    };
    let pipeline = service.pipeline(&config, &foundation);
    let healthy = Arc::clone(&service);
    let gate = Gate::new(pipeline, limits, Cors::new(&config.cors_origins), development, move || {
        healthy.is_healthy()
    });
    let (end_chores, chores_end) = oneshot::channel();
    let mut chores = tokio::spawn(Arc::clone(&service).keep_house(chores_end));

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
    drop(foundation);
    tracing::info!("stopped");
    Ok(())
}

/// What is allowed but should be known.
fn warn(config: &Config, foundation: &Foundation, endpoint: &Endpoint) {
    let everywhere = !endpoint.address.ip().is_loopback();
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

fn development_clock(service: &Arc<Service>) -> DevelopmentClock {
    let moved = Arc::clone(service);
    DevelopmentClock::new(Arc::<SettableClock>::clone(&service.clock), move |seconds: u64| {
        let service = Arc::clone(&moved);
        async move {
            service.clock.advance_millis(seconds.saturating_mul(1_000));
            service.do_what_is_due().await;
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
