//! The trail: makes the events of calls, logs each before its answer leaves, and brings those of changes along that a crash
//! or a failing disk kept from the log.
//!
//! A change commits its event beside itself, in the store's outbox. When the call is over, the event is logged with all that
//! is known by then, and [`Trail::drain`] takes the one in the outbox away. Only if the call never came to its end is the one
//! in the outbox logged, which tells the same but for the response.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{
    AccountId, Call, EventId, Randomness, RandomnessUnavailable, Region, RequestId, Timestamp, UnsignedCall,
};
use serde::Deserialize;
use store::{OutboxEntry, OutboxPosition, Store, StoreError};

use crate::log::{Entry, Log, LogError, LogLine, segments};
use crate::record::{EventError, EventName, ServiceEvent, event_of_unsigned_call, events_of_call};

/// Entries of the outbox that are looked at together.
const BATCH: usize = 256;
/// Segments, from the end, in which events of the outbox are looked for at start.
const SEGMENTS_LOOKED_THROUGH: usize = 2;

/// Bytes of the log, from the end, in which the reasons of a request are looked for.
const BYTES_LOOKED_THROUGH: u64 = 1_024 * 1_024 * 1_024;

/// Somebody who knows why a request was allowed or denied.
pub trait KnownReasons: Send + Sync {
    /// The decisions about a request as a JSON array; `None` if none is known.
    fn of_request(&self, request: RequestId) -> Option<Vec<u8>>;
}

/// Nobody knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReasons;

impl KnownReasons for NoReasons {
    fn of_request(&self, _: RequestId) -> Option<Vec<u8>> {
        None
    }
}

/// An event could not be made or logged.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is no randomness for the event's id.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The store did not give or release its outbox.
    #[error("audit trail: {0}")]
    Store(#[from] StoreError),
    /// A record in the outbox is not an event.
    #[error(
        "the audit trail cannot go on: record {0} of the outbox is not an event; restore the store from a backup"
    )]
    NotAnEvent(OutboxPosition),
    /// The log cannot be read.
    #[error("the audit log cannot be read: {0}")]
    Unreadable(std::io::Error),
}

/// Makes events and logs them.
pub struct Trail {
    log: Log,
    store: Arc<dyn Store>,
    randomness: Arc<dyn Randomness>,
    reasons: Arc<dyn KnownReasons>,
    changes: Mutex<Changes>,
    /// Held while draining. Whether the end of the log was looked through for what an earlier process logged, or
    /// an attempt of this one that failed.
    draining: tokio::sync::Mutex<bool>,
    /// Held while the log is looked through.
    searching: tokio::sync::Mutex<()>,
}

/// Events that were committed beside changes.
#[derive(Default)]
struct Changes {
    /// Of calls that are still under way.
    open: HashSet<EventId>,
    /// That are in the log, and in the outbox for a moment longer.
    logged: HashSet<EventId>,
    /// Of calls that may change something yet, with what those are called.
    expected: HashMap<EventId, EventName>,
}

impl Trail {
    /// A trail that writes to `log` and takes what it missed from the store's outbox.
    pub fn new(
        log: Log,
        store: Arc<dyn Store>,
        randomness: Arc<dyn Randomness>,
        reasons: Arc<dyn KnownReasons>,
    ) -> Self {
        let changes = Mutex::default();
        Self {
            log,
            store,
            randomness,
            reasons,
            changes,
            draining: tokio::sync::Mutex::new(false),
            searching: tokio::sync::Mutex::default(),
        }
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether a change may begin: its event could be logged now.
    ///
    /// # Errors
    /// It could not.
    pub async fn ready(&self) -> Result<(), TrailError> {
        if !self.log.works() {
            self.log.sync().await?;
        }
        Ok(())
    }

    /// Follows a call to its end. [`Recording::finish`] must be called with what came of it before its answer leaves.
    pub fn begin(&self, call: &Call) -> Recording<'_> {
        Recording { trail: self, id: call.event.id() }
    }

    /// The same for a call that may change something in a place where nobody knows the call's operation, nor whether its event
    /// is wanted: see [`Trail::beside_expected_change`].
    pub fn begin_change(&self, call: &Call, name: EventName) -> Recording<'_> {
        self.changes().expected.insert(call.event.id(), name);
        self.begin(call)
    }

    /// The event of a change that was expected, as [`Trail::beside_change`] gives it; `None` if none is, or if an earlier change
    /// of the call has taken it along ([`Trail::expected_change_is_made`]).
    ///
    /// # Errors
    /// There is no randomness.
    pub fn beside_expected_change(&self, call: &Call) -> Result<Option<Vec<u8>>, TrailError> {
        let name = self.changes().expected.get(&call.event.id()).copied();
        name.map(|name| self.beside_change(call, name)).transpose()
    }

    /// The change that was expected of a call is committed: further ones need not carry the event again.
    pub fn expected_change_is_made(&self, call: &Call) {
        self.changes().expected.remove(&call.event.id());
    }

    /// The event of a change that a call makes, for the outbox of its transaction, with what is known so far.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn beside_change(&self, call: &Call, name: EventName) -> Result<Vec<u8>, TrailError> {
        let events = self.events(call, call.event.id(), name, None)?;
        call.event.set_beside_change();
        self.changes().open.insert(call.event.id());
        Ok(events.join(&b'\n'))
    }

    /// The beginning of an event about something that the service does by itself.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn service_event(
        &self,
        time: Timestamp,
        account: AccountId,
        region: Region,
        (source, name): (&'static str, &'static str),
    ) -> Result<ServiceEvent, TrailError> {
        Ok(ServiceEvent::new(self.new_id()?, time, account, region, source, name))
    }

    /// Logs what came of a call that nobody signed. Of one without a good token there is no account that could be told.
    ///
    /// # Errors
    /// It is not logged; then the answer must not leave.
    pub async fn record_unsigned(
        &self,
        call: &UnsignedCall,
        name: EventName,
        error: Option<EventError<'_>>,
    ) -> Result<(), TrailError> {
        let event = call.event.so_far(|noted| {
            let holder = noted.token_holder.as_ref()?;
            Some(event_of_unsigned_call(call, holder, name, noted, error))
        });
        let Some(event) = event else { return Ok(()) };
        let decisions = self.reasons.of_request(call.request_id);
        Ok(self.log.append(vec![Entry { event, decisions }]).await?)
    }

    /// The reasons beside the events of a request, as they were known when it was logged: a JSON array. The newest part of the
    /// log is looked through, for one caller at a time. `None` if there are none, or if they are too long ago.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn decisions_of(&self, request: RequestId) -> Result<Option<Vec<u8>>, TrailError> {
        let _one_at_a_time = self.searching.lock().await;
        let (folder, request) = (self.log.folder().to_owned(), request.to_string());
        let found = tokio::task::spawn_blocking(move || decisions_beside(&folder, &request)).await;
        found.map_err(|_| LogError::Closed)?.map_err(TrailError::Unreadable)
    }

    /// Logs what the outbox holds of calls that never came to their end, and empties it. Tells how many events were logged.
    /// Finds out, too, whether a log can be written again that could not. Call it every now and then and at start; calling it twice at once is harmless, and it goes on if nobody waits for it.
    ///
    /// # Errors
    /// See [`TrailError`]; nothing is lost by any of them.
    pub async fn drain(self: &Arc<Self>) -> Result<usize, TrailError> {
        let trail = Arc::clone(self);
        let drained = tokio::spawn(async move { trail.empty_outbox().await }).await;
        drained.unwrap_or(Err(TrailError::Log(LogError::Closed)))
    }

    async fn empty_outbox(&self) -> Result<usize, TrailError> {
        let mut knows_the_past = self.draining.lock().await;
        self.ready().await?;
        let mut missed = 0;
        loop {
            // What is logged by now and not in the outbox below will never be there.
            let logged: Vec<EventId> = self.changes().logged.iter().copied().collect();
            let mut entries = self.store.outbox(BATCH).await?;
            if entries.is_empty() {
                let mut changes = self.changes();
                for id in logged {
                    changes.logged.remove(&id);
                }
            }
            if !*knows_the_past && !entries.is_empty() {
                // What is found there must be there to stay.
                self.log.sync().await?;
                let folder = self.log.folder().to_owned();
                let latest = tokio::task::spawn_blocking(move || latest_events(&folder)).await;
                let latest = latest.map_err(|_| LogError::Closed)?.map_err(TrailError::Unreadable)?;
                self.changes().logged.extend(latest);
            }
            *knows_the_past = true;
            let found = entries.len();
            let lines = self.take_finished(&mut entries)?;
            let Some(through) = entries.last().map(|entry| entry.position) else { return Ok(missed) };
            missed += lines.len();
            if let Err(error) = self.log_missed(lines).await {
                // Some of them may be in the log all the same.
                *knows_the_past = false;
                return Err(error.into());
            }
            self.changes().logged.extend(event_ids(&entries));
            self.store.remove_from_outbox(through).await?;
            let mut changes = self.changes();
            for id in event_ids(&entries) {
                changes.logged.remove(&id);
            }
            if entries.len() < found {
                return Ok(missed);
            }
        }
    }

    async fn log_missed(&self, lines: Vec<Entry>) -> Result<(), LogError> {
        if !lines.is_empty() {
            self.log.append(lines).await?;
        }
        self.log.sync().await
    }

    /// Leaves in `entries` those up to the first whose call is still under way, and gives the events among them that are not
    /// logged.
    fn take_finished(&self, entries: &mut Vec<OutboxEntry>) -> Result<Vec<Entry>, TrailError> {
        let changes = self.changes();
        let mut missed = Vec::new();
        let mut end = 0;
        for entry in entries.iter() {
            let id = event_id(&entry.record).ok_or(TrailError::NotAnEvent(entry.position))?;
            if changes.open.contains(&id) {
                break;
            }
            if !changes.logged.contains(&id) {
                let lines = entry.record.split(|byte| *byte == b'\n');
                missed.extend(lines.map(|line| Entry { event: line.to_vec(), decisions: None }));
            }
            end += 1;
        }
        entries.truncate(end);
        Ok(missed)
    }

    fn events(
        &self,
        call: &Call,
        id: EventId,
        name: EventName,
        error: Option<EventError<'_>>,
    ) -> Result<Vec<Vec<u8>>, TrailError> {
        call.event.so_far(|noted| {
            let mut ids = Vec::new();
            // One for all that share the event, and one for each copy.
            if noted.resources.iter().any(|resource| resource.account != call.caller.account) {
                for _ in 0..=noted.resources.len() {
                    ids.push(self.new_id()?);
                }
            }
            Ok(events_of_call(call, id, name, noted, error, || ids.pop().unwrap_or(id)))
        })
    }

    fn new_id(&self) -> Result<EventId, RandomnessUnavailable> {
        let mut random = [0; 16];
        self.randomness.fill(&mut random)?;
        Ok(EventId::new(random))
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way. If it is dropped before its end, what the call committed is logged from the outbox.
pub struct Recording<'t> {
    trail: &'t Trail,
    id: EventId,
}

impl Recording<'_> {
    /// Logs what came of the call.
    ///
    /// # Errors
    /// It is not logged, and no change was made that carries its event along: the answer must not leave.
    pub async fn finish(
        self,
        call: &Call,
        name: EventName,
        error: Option<EventError<'_>>,
    ) -> Result<(), TrailError> {
        let trail = self.trail;
        let is_beside_change = call.event.so_far(|noted| noted.is_beside_change);
        // What failed may have been committed all the same: then that is another event.
        let id = if is_beside_change && error.is_some() { trail.new_id()? } else { self.id };
        let decisions = trail.reasons.of_request(call.request_id);
        let events = trail.events(call, id, name, error)?;
        let entries = events.into_iter().map(|event| Entry { event, decisions: decisions.clone() });
        let logged = trail.log.append(entries.collect()).await;
        if !is_beside_change {
            return Ok(logged?);
        }
        if logged.is_ok() && error.is_none() {
            trail.changes().logged.insert(self.id);
        }
        match logged {
            // The change is made, and its event safe beside it.
            Err(_) if error.is_none() => Ok(()),
            logged => Ok(logged?),
        }
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let mut changes = self.trail.changes();
        changes.open.remove(&self.id);
        changes.expected.remove(&self.id);
    }
}

fn decisions_beside(folder: &Path, request: &str) -> std::io::Result<Option<Vec<u8>>> {
    let wanted = format!("\"requestID\":\"{request}\"");
    let (mut line, mut bytes) = (Vec::new(), 0);
    for segment in segments(folder)?.iter().rev() {
        let mut lines = segment.lines(0)?;
        while lines.read(&mut line)? {
            let is_it = std::str::from_utf8(&line).is_ok_and(|text| text.contains(&wanted));
            let read = is_it.then(|| serde_json::from_slice::<LogLine>(&line).ok()).flatten();
            if let Some(decisions) = read.and_then(|read| read.decisions) {
                return Ok(Some(decisions.get().as_bytes().to_vec()));
            }
        }
        bytes += lines.offset();
        if bytes >= BYTES_LOOKED_THROUGH {
            break;
        }
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "eventID", borrow)]
    event_id: Cow<'a, str>,
}

/// The id of the first event in a record of the outbox.
fn event_id(record: &[u8]) -> Option<EventId> {
    let line = std::str::from_utf8(record).ok()?.lines().next()?;
    serde_json::from_str::<Head<'_>>(line).ok()?.event_id.parse().ok()
}

fn event_ids(entries: &[OutboxEntry]) -> impl Iterator<Item = EventId> {
    entries.iter().filter_map(|entry| event_id(&entry.record))
}

/// The ids of the last events in the log.
fn latest_events(folder: &Path) -> std::io::Result<HashSet<EventId>> {
    let (mut ids, mut line) = (HashSet::new(), Vec::new());
    for segment in segments(folder)?.iter().rev().take(SEGMENTS_LOOKED_THROUGH) {
        let mut lines = segment.lines(0)?;
        while lines.read(&mut line)? {
            let read = serde_json::from_slice::<LogLine>(&line).ok();
            ids.extend(read.and_then(|read| event_id(read.event.get().as_bytes())));
        }
    }
    Ok(ids)
}
