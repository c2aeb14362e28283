//! What a read wants of an object: all of it, a range of bytes, or one of its parts.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use crate::Objects;
use crate::conditions::range_of;
use crate::contents::PARTS_MAX;
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::multipart::read_part_number;
use crate::paths;
use crate::record::{ObjectRecord, StoredChecksum, StoredContents};
use crate::request::{Answer, Headers, Query};
use crate::stored_object::StoredObject;

/// The bytes from `from` to `to`, not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) from: u64,
    pub(crate) to: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Whole,
    Range,
    /// All of an object that was put in one, which is its one part.
    OnlyPart,
    /// A part of an upload.
    Part {
        /// The number that it was uploaded with.
        uploaded_as: u32,
        /// How many parts there are.
        count: u32,
    },
}

impl Extent {
    /// What a request wants. Parts count from 1 on as they follow one another, whatever numbers they were uploaded with.
    ///
    /// # Errors
    /// There are no such bytes, or the request says two things.
    pub(crate) fn read(
        headers: &Headers,
        query: &Query,
        record: &ObjectRecord,
    ) -> Result<Self, ObjectsError> {
        let Some(number) = query.get("partNumber") else {
            let range = range_of(headers, record.size)?;
            let kind = if range.is_some() { Kind::Range } else { Kind::Whole };
            let (from, to) = range.unwrap_or((0, record.size));
            return Ok(Self { from, to, kind });
        };
        let number = read_part_number(number)?;
        if headers.get("range").is_some() {
            let text = "Cannot specify both Range header and partNumber query parameter";
            return Err(ObjectsError::bad("InvalidRequest", text));
        }
        Self::of_part(record, number)
    }

    fn of_part(record: &ObjectRecord, number: u32) -> Result<Self, ObjectsError> {
        let count = record.parts_count();
        if number > count.unwrap_or(1) {
            return Err(ObjectsError::refused(
                "InvalidPartNumber",
                416,
                "The requested partnumber is not satisfiable",
            )
            .with("ActualPartCount", count.unwrap_or(1).to_string())
            .with("PartNumberRequested", number.to_string()));
        }
        let Some(count) = count else { return Ok(Self { from: 0, to: record.size, kind: Kind::OnlyPart }) };
        let mut from = 0_u64;
        for (at, (uploaded_as, size)) in (1..).zip(record.parts()) {
            let to = from.saturating_add(size);
            if at == number {
                return Ok(Self { from, to, kind: Kind::Part { uploaded_as, count } });
            }
            from = to;
        }
        Err(ObjectsError::Damaged("the number of parts"))
    }

    pub(crate) fn length(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// An answer with the status, and the headers that say which bytes of how many these are.
    pub(crate) fn answer(&self, size: u64) -> Answer {
        // No range has nothing in it.
        let answer = if self.kind == Kind::Whole || self.length() == 0 {
            Answer::empty(200)
        } else {
            let range = format!("bytes {}-{}/{size}", self.from, self.to.saturating_sub(1));
            Answer::empty(206).header("content-range", range)
        };
        match self.kind {
            Kind::Part { count, .. } => answer.header("x-amz-mp-parts-count", count.to_string()),
            Kind::Whole | Kind::Range | Kind::OnlyPart => answer,
        }
    }
}

impl ObjectRecord {
    /// How many parts it came in; `None` if it was put in one.
    pub(crate) fn parts_count(&self) -> Option<u32> {
        match &self.contents {
            StoredContents::Whole { .. } => None,
            StoredContents::Parts { runs } => {
                Some(runs.iter().map(|run| run.count).fold(0, u32::saturating_add))
            }
        }
    }

    /// The numbers that its parts were uploaded with, and their sizes, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (u32, u64)> {
        let runs = match &self.contents {
            StoredContents::Whole { .. } => &[][..],
            StoredContents::Parts { runs } => runs,
        };
        let of_run = |run: &crate::record::Run| {
            let size = run.size;
            (run.first..run.first.saturating_add(run.count)).map(move |number| (number, size))
        };
        runs.iter().flat_map(of_run).take(usize::try_from(PARTS_MAX).unwrap_or(usize::MAX))
    }
}

impl Objects {
    /// The checksum of what a read wants, if one is known and the request asks for it.
    ///
    /// # Errors
    /// What is stored makes no sense, or cannot be read.
    pub(crate) async fn checksum_of(
        &self,
        headers: &Headers,
        place: Place<'_>,
        object: &StoredObject,
        extent: &Extent,
    ) -> Result<Option<StoredChecksum>, ObjectsError> {
        let mode = headers.get("x-amz-checksum-mode");
        if !mode.is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) {
            return Ok(None);
        }
        match extent.kind {
            Kind::Whole | Kind::OnlyPart => Ok(object.details.checksum.clone()),
            Kind::Range => Ok(None),
            Kind::Part { uploaded_as, .. } => {
                let Some(entry) = self.store.get(&paths::part(place.version, uploaded_as)?).await? else {
                    return Err(ObjectsError::Gone);
                };
                Ok(self.read_part(place, &entry).await?.details.checksum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::tests::record;

    fn read(runs: &[(u32, u32, u64)], size: u64, number: &str) -> Result<(u64, u64, Kind), &'static str> {
        let query = Query::read(&format!("partNumber={number}")).unwrap();
        let extent = Extent::read(&Headers::default(), &query, &record(runs, size));
        extent.map(|extent| (extent.from, extent.to, extent.kind)).map_err(|error| error.to_fault().code)
    }

    #[test]
    fn parts_count_as_they_follow_one_another() {
        let runs = [(2, 2, 10), (7, 1, 4)];
        let part = |uploaded_as| Kind::Part { uploaded_as, count: 3 };
        assert_eq!(read(&runs, 24, "1"), Ok((0, 10, part(2))));
        assert_eq!(read(&runs, 24, "2"), Ok((10, 20, part(3))));
        assert_eq!(read(&runs, 24, "3"), Ok((20, 24, part(7))));
        assert_eq!(read(&runs, 24, "4"), Err("InvalidPartNumber"));
        for bad in ["0", "10001", "x", ""] {
            assert_eq!(read(&runs, 24, bad), Err("InvalidArgument"), "{bad}");
        }
    }

    #[test]
    fn a_part_or_a_range_but_not_both() {
        let headers = Headers::new([("range", &b"bytes=0-1"[..])]);
        let extent =
            |query: &str| Extent::read(&headers, &Query::read(query).unwrap(), &record(&[(1, 1, 5)], 5));
        assert_eq!(extent("").unwrap(), Extent { from: 0, to: 2, kind: Kind::Range });
        assert_eq!(extent("partNumber=1").unwrap_err().to_fault().code, "InvalidRequest");
    }

    #[test]
    fn answers_tell_which_bytes_they_have() {
        let answer = |from, to, kind| {
            let Answer { status, headers, .. } = Extent { from, to, kind }.answer(10);
            (status, headers.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        assert_eq!(answer(0, 10, Kind::Whole), (200, vec![]));
        assert_eq!(answer(0, 10, Kind::OnlyPart), (206, vec!["bytes 0-9/10".to_owned()]));
        assert_eq!(answer(2, 3, Kind::Range), (206, vec!["bytes 2-2/10".to_owned()]));
        let part = Kind::Part { uploaded_as: 5, count: 2 };
        assert_eq!(answer(4, 10, part), (206, vec!["bytes 4-9/10".to_owned(), "2".to_owned()]));
        assert_eq!(answer(10, 10, part), (200, vec!["2".to_owned()]));
    }
}
