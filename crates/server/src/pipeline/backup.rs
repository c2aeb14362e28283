//! The way of a request for a backup: the one operation outside S3 whose answer is made while it is sent.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use base::RequestId;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use management::{BackupPieces, Management, Refused};
use wire::Fault;

use super::reply::{self, Reply};
use super::route::{self, Protocol, Service};
use super::{Ids, Pipeline, log_failure};
use crate::causes::with_causes;
use crate::http::{CutOff, IncomingRequest, OutgoingBody, Pieces, StreamedAnswer};

/// The deadline up to the first byte: until then the store is copied.
pub(super) const DEADLINE: Duration = Duration::from_secs(3_600);

const OPERATION: &str = "CreateBackup";
const BINARY: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Whether a request asks for a backup.
pub(super) fn is_asked(parts: &Parts) -> bool {
    route::keywright_operation(&parts.headers).is_some_and(Management::is_backup)
}

impl Pipeline {
    /// Answers such a request, on the way that all others take.
    pub(super) async fn answer_backup(&self, request: &IncomingRequest, ids: Ids) -> StreamedAnswer {
        match self.begin_backup(request, ids).await {
            Ok(pieces) => answer(pieces, ids.request),
            Err(reply) => reply.into_response(ids.request).into(),
        }
    }

    async fn begin_backup(
        &self,
        request: &IncomingRequest,
        ids: Ids,
    ) -> Result<Box<dyn BackupPieces>, Reply> {
        let protocol = Protocol::of(&request.parts).ok_or(Reply::NotFound)?;
        let unsigned = self.unsigned(&request.parts, &request.peer, ids);
        let (service, call) = self.signed_call(request, protocol, unsigned, ids).await?;
        let refused = |fault| Reply::Fault(protocol, service.namespace(), fault);
        if service != Service::Keywright {
            return Err(refused(Fault::without_text("UnknownOperationException")));
        }
        let started = Instant::now();
        let begun = self.management.create_backup(&call, &request.body).await.map_err(|refused| {
            let fault = refused.to_fault();
            if let Refused::Operation(error) | Refused::Unrecorded(error) = &refused {
                log_failure(OPERATION, call.request_id, error, &fault);
            }
            fault
        });
        match self.counted("keywright", OPERATION, started, begun) {
            Ok(pieces) => Ok(pieces),
            Err(fault) => Err(refused(self.explained(fault, &call).await)),
        }
    }
}

/// The answer whose body is the backup.
pub(super) fn answer(pieces: Box<dyn BackupPieces>, request_id: RequestId) -> StreamedAnswer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, BINARY);
    let body = OutgoingBody::of_unknown_length(Box::new(Outgoing { pieces, request_id }));
    StreamedAnswer { status: StatusCode::OK, headers: reply::with_id(headers, request_id), body }
}

struct Outgoing {
    pieces: Box<dyn BackupPieces>,
    request_id: RequestId,
}

#[async_trait]
impl Pieces for Outgoing {
    async fn next(&mut self) -> Result<Option<Bytes>, CutOff> {
        self.pieces.next().await.map(|piece| piece.map(Bytes::from)).map_err(|error| {
            let request_id = self.request_id;
            tracing::error!(%request_id, error = with_causes(&*error), "a backup was cut off");
            CutOff
        })
    }
}
