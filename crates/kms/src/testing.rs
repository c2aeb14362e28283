//! What the tests of this room share.

use std::sync::Arc;

use base::{Call, Caller, EventId, EventNotes, Principal, RequestId, Timestamp};

/// A call by the administrator of `account` in `region`, at a fixed time.
pub(crate) fn call(account: &str, region: &str) -> Call {
    Call {
        request_id: RequestId::new([7; 16]),
        caller: Arc::new(Caller {
            account: account.parse().unwrap(),
            principal: Principal::User { path_and_name: "admin".into(), unique_id: "AIDAADMIN".into() },
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            session: None,
        }),
        region: region.parse().unwrap(),
        time: Timestamp::from_seconds(1_700_000_000),
        source_address: [127, 0, 0, 1].into(),
        tls: None,
        user_agent: "test".into(),
        event: Arc::new(EventNotes::new(EventId::new([9; 16]))),
        service: None,
    }
}
