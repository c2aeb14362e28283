//! Where a listing of events goes on, and which listing that was.

use audit::index::Position;
use base::{AccountId, Region};
use crypto::digest::Sha256;
use wire::cloudtrail::LookupEventsRequest;

/// Bytes of the digest over the parameters that a token carries.
const DIGEST_BYTES: usize = 16;

/// What a listing was asked for: the same for all its pages, which may be of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing([u8; DIGEST_BYTES]);

impl Listing {
    pub(crate) fn of(account: AccountId, region: Region, request: &LookupEventsRequest) -> Self {
        let mut digest = Sha256::new();
        let mut add = |part: &str| {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(part.as_bytes());
        };
        add(&account.to_string());
        add(region.as_str());
        for moment in [request.start_time, request.end_time] {
            add(&moment.map(|moment| moment.millis().to_string()).unwrap_or_default());
        }
        for attribute in request.lookup_attributes.iter().flatten() {
            add(attribute.attribute_key.as_str());
            add(&attribute.attribute_value);
        }
        let mut kept = [0; DIGEST_BYTES];
        kept.iter_mut().zip(digest.finish()).for_each(|(place, byte)| *place = byte);
        Self(kept)
    }

    /// The token of the page behind this position.
    pub(crate) fn token(self, behind: Position) -> String {
        format!("{}.{}.{self}", behind.seconds, behind.sequence)
    }

    /// Where the page of a token begins; `None` if the token is of no listing, or of another one.
    pub(crate) fn position(self, token: &str) -> Option<Position> {
        let (seconds, rest) = token.split_once('.')?;
        let (sequence, listing) = rest.split_once('.')?;
        let position = Position { seconds: seconds.parse().ok()?, sequence: sequence.parse().ok()? };
        (self.token(position) == token && listing == self.to_string()).then_some(position)
    }
}

impl std::fmt::Display for Listing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;
    use proptest::prelude::*;
    use wire::cloudtrail::{LookupAttribute, LookupAttributeKey};

    use super::*;

    fn listing(account: u64, region: &str, request: &LookupEventsRequest) -> Listing {
        Listing::of(AccountId::from_number(account).unwrap(), region.parse().unwrap(), request)
    }

    #[test]
    fn a_token_is_good_for_its_own_listing_alone() {
        let attribute = |key, value: &str| {
            Some(vec![LookupAttribute { attribute_key: key, attribute_value: value.to_owned() }])
        };
        let request = LookupEventsRequest::default();
        let time = Some(Timestamp::from_millis(7));
        let others = [
            listing(2, "eu-central-1", &request),
            listing(1, "us-east-1", &request),
            listing(1, "eu-central-1", &LookupEventsRequest { start_time: time, ..request.clone() }),
            listing(1, "eu-central-1", &LookupEventsRequest { end_time: time, ..request.clone() }),
        ]
        .into_iter()
        .chain(
            [
                (LookupAttributeKey::EventName, "a"),
                (LookupAttributeKey::EventId, "a"),
                (LookupAttributeKey::EventName, "b"),
            ]
            .map(|(key, value)| {
                let lookup_attributes = attribute(key, value);
                listing(1, "eu-central-1", &LookupEventsRequest { lookup_attributes, ..request.clone() })
            }),
        );
        let all: Vec<_> = std::iter::once(listing(1, "eu-central-1", &request)).chain(others).collect();
        let position = Position { seconds: 5, sequence: 9 };
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                let expected = (at == other_at).then_some(position);
                assert_eq!(other.position(&one.token(position)), expected, "{at} {other_at}");
            }
        }
        let longer = LookupEventsRequest { max_results: Some(3), ..request };
        assert_eq!(listing(1, "eu-central-1", &longer), all[0]);
    }

    proptest! {
        #[test]
        fn tokens_read_back(seconds in any::<i64>(), sequence in any::<u64>()) {
            let listing = listing(1, "eu-central-1", &LookupEventsRequest::default());
            let position = Position { seconds, sequence };
            prop_assert_eq!(listing.position(&listing.token(position)), Some(position));
        }

        #[test]
        fn other_texts_are_no_tokens(text in "\\PC{0,80}") {
            let listing = listing(1, "eu-central-1", &LookupEventsRequest::default());
            prop_assert_eq!(listing.position(&text), None);
        }
    }
}
