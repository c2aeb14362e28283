//! One function per command; each returns why it failed, and none writes errors itself.

mod access;
mod backup;
mod calling;
mod clock;
mod domain_key;
mod explain;
mod key_policy;
mod objects;
mod policy;
mod root;
mod seed;
mod trail;
mod usage;

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::command_line::{self, Command, Serve};
use crate::config::{Config, Environment};
use crate::start_error::StartError;
use crate::{logging, process, serve, terminal};

pub(crate) use backup::BackupCommandError;
pub(crate) use clock::ClockError;
pub(crate) use key_policy::NoSuchKey;
pub(crate) use objects::RewrapError;
pub(crate) use policy::PolicyLintError;
pub(crate) use seed::SeedConversionError;
pub(crate) use trail::{TrailReadError, VerifyTrailError};

/// Threads for work that blocks.
const BLOCKING_THREADS_MAX: usize = 16;

/// How long the end waits for what still runs on behalf of nobody.
const CLOSING_MAX: Duration = Duration::from_secs(5);

/// Does what the command line says.
pub(crate) fn run(command: Command) -> Result<(), StartError> {
    process::protect();
    match command {
        Command::Serve(arguments) => serve(&arguments),
        Command::Root(command_line::Root::ChangePassphrase(arguments)) => root::change_passphrase(&arguments),
        Command::DomainKey(command_line::DomainKey::Rotate(arguments)) => domain_key::rotate(&arguments),
        Command::KeyPolicy(command_line::KeyPolicy::Reset(arguments)) => key_policy::reset(&arguments),
        Command::Clock(command_line::Clock::Advance(arguments)) => Ok(clock::advance(&arguments)?),
        Command::Seed(command_line::Seed::Convert(arguments)) => Ok(seed::convert(&arguments)?),
        Command::Explain(arguments) => Ok(runtime()?.block_on(explain::explain(&arguments))?),
        Command::Access(arguments) => Ok(runtime()?.block_on(access::access(&arguments))?),
        Command::Usage(arguments) => Ok(runtime()?.block_on(usage::usage(&arguments))?),
        Command::Objects(command_line::Objects::Rewrap(arguments)) => {
            Ok(runtime()?.block_on(objects::rewrap(&arguments))?)
        }
        Command::Trail(command_line::Trail::Tail(arguments)) => trail::tail(&arguments),
        Command::Trail(command_line::Trail::Search(arguments)) => trail::search(&arguments),
        Command::Policy(command_line::Policy::Lint(arguments)) => Ok(policy::look_over(&arguments)?),
        Command::Trail(command_line::Trail::Verify(arguments)) => {
            runtime()?.block_on(trail::verify(&arguments))
        }
        Command::Backup(arguments) => match &arguments.other {
            Some(command_line::BesideBackup::NewIdentity(arguments)) => Ok(backup::new_identity(arguments)?),
            None => runtime()?.block_on(backup::create(&arguments.create)),
        },
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Version => {
            terminal::say(concat!("keywright ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(())
        }
    }
}

fn serve(arguments: &Serve) -> Result<(), StartError> {
    let config = Config::load(arguments.config.as_deref(), Environment::of_process()?, &arguments.flags())?;
    logging::start(config.log);
    let (runtime, generation) = (runtime()?, runtime_of_low_priority()?);
    let outcome = runtime.block_on(serve::serve(config, generation.handle().clone()));
    // A key pair in the making has nobody left who waits for it.
    generation.shutdown_background();
    match &outcome {
        // The store is closed in order once the last that holds it is gone; otherwise the next start verifies all of it.
        Ok(()) => runtime.shutdown_timeout(CLOSING_MAX),
        Err(_) => runtime.shutdown_background(),
    }
    outcome
}

/// A runtime for blocking work that may wait for all other work of the machine: its threads are made when they are needed.
fn runtime_of_low_priority() -> Result<Runtime, StartError> {
    let runtime = Builder::new_current_thread()
        .thread_name("low-priority")
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .on_thread_start(process::give_way)
        .build();
    runtime.map_err(StartError::System)
}

fn runtime() -> Result<Runtime, StartError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Builder::new_multi_thread()
        .worker_threads(cores)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build()
        .map_err(StartError::System)
}
