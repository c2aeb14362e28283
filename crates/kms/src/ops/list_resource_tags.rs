//! ListResourceTags: the tags of a key, in the order of their keys.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html>

use std::ops::Bound;

use base::Call;
use wire::kms::{ListResourceTags, ListResourceTagsRequest, ListResourceTagsResponse, Tag};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::paging::Listing;
use crate::table::Handle;

impl KeyAction for ListResourceTags {
    const NAME: &'static str = "ListResourceTags";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for ListResourceTags {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListResourceTagsRequest,
    ) -> Result<ListResourceTagsResponse, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        let listing = Listing::new(format!("ListResourceTags {}", key.arn()), request.limit, 50, 50);
        let start = listing.after(request.marker.as_deref())?.map_or(Bound::Unbounded, Bound::Excluded);
        let tags = key.record().tags.range((start, Bound::Unbounded));
        let tag = |(tag_key, tag_value): (&String, &String)| Tag {
            tag_key: tag_key.clone(),
            tag_value: tag_value.clone(),
        };
        let tags = tags.take(listing.limit() + 1).map(tag).collect();
        let page = listing.page(tags, |tag| &tag.tag_key);
        Ok(ListResourceTagsResponse {
            tags: Some(page.items),
            truncated: Some(page.next.is_some()),
            next_marker: page.next,
        })
    }
}
