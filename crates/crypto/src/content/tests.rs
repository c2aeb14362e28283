use proptest::prelude::*;
use testkit::SeededRandomness;

use super::*;

const SEALED_CHUNK: usize = CHUNK + TAG;

fn key(byte: u8) -> ContentKey {
    ContentKey::from_secret(SecretArray::copy_from(&[byte; 32]).unwrap())
}

fn part(owner: u8, number: u32, nonce: u8) -> Part {
    Part { owner: [owner; 16], number, nonce: PartNonce::from_bytes([nonce; 16]) }
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

fn seal_in(pieces: &[&[u8]], part: &Part) -> Vec<u8> {
    let (mut sealer, mut sealed) = (key(1).sealer(part).unwrap(), Vec::new());
    let mut length = 0;
    for piece in pieces {
        sealer.seal(piece, &mut sealed).unwrap();
        length += u64::try_from(piece.len()).unwrap();
    }
    assert_eq!(sealer.finish(&mut sealed), Ok(length));
    sealed
}

fn seal(plaintext: &[u8], part: &Part) -> Vec<u8> {
    seal_in(&[plaintext], part)
}

/// Opens a range from what is stored, as a reader does: the sealed range alone, to its end.
fn open_range(
    key: &ContentKey,
    part: &Part,
    stored: &[u8],
    length: usize,
    from: usize,
    to: usize,
) -> Option<Vec<u8>> {
    let wide = |place: usize| u64::try_from(place).unwrap();
    let mut opener = key.opener(part, wide(length), wide(from), wide(to)).ok()?;
    let range = opener.sealed_range();
    let end = usize::try_from(range.end).unwrap().min(stored.len());
    let mut input = stored.get(usize::try_from(range.start).unwrap()..end)?;
    let mut plaintext = Vec::new();
    while let Some(opened) = opener.open(&mut input).ok()? {
        plaintext.extend_from_slice(opened.expose());
    }
    opener.is_complete().then_some(plaintext)
}

/// Opens all that is stored, whatever it is.
fn open(key: &ContentKey, part: &Part, stored: &[u8], length: usize) -> Option<Vec<u8>> {
    let length = u64::try_from(length).unwrap();
    let mut opener = key.opener(part, length, 0, length).ok()?;
    let (mut input, mut plaintext) = (stored, Vec::new());
    while let Some(opened) = opener.open(&mut input).ok()? {
        plaintext.extend_from_slice(opened.expose());
    }
    opener.is_complete().then_some(plaintext)
}

/// Lengths around the limits of chunks.
const LADDER: [usize; 11] =
    [0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1];

#[test]
fn what_was_sealed_opens_whatever_its_length() {
    for length in LADDER {
        let (plaintext, part) = (text(length), part(1, 0, 2));
        let sealed = seal(&plaintext, &part);
        assert_eq!(u64::try_from(sealed.len()).unwrap(), sealed_length(u64::try_from(length).unwrap()));
        assert_eq!(open(&key(1), &part, &sealed, length), Some(plaintext), "{length}");
    }
}

#[test]
fn another_key_object_number_or_nonce_opens_nothing() {
    for length in [0, 1, CHUNK + 1] {
        let sealed = seal(&text(length), &part(1, 1, 1));
        assert!(open(&key(1), &part(1, 1, 1), &sealed, length).is_some());
        assert!(open(&key(2), &part(1, 1, 1), &sealed, length).is_none());
        for other in [part(2, 1, 1), part(1, 2, 1), part(1, 1, 2)] {
            assert!(open(&key(1), &other, &sealed, length).is_none(), "{other:?}");
        }
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let (length, part) = (CHUNK + 3, part(1, 0, 1));
    let mut sealed = seal(&text(length), &part);
    let last_chunk = SEALED_CHUNK..sealed.len();
    // All of the last chunk; of the full one its tag, its ends and every 31st byte, for each costs a chunk to look at.
    let places: Vec<usize> =
        (0..CHUNK).step_by(31).chain(CHUNK - 2..SEALED_CHUNK).chain(last_chunk).collect();
    for at in places {
        sealed[at] ^= 1;
        assert!(open(&key(1), &part, &sealed, length).is_none(), "byte {at}");
        sealed[at] ^= 1;
    }
    assert!(open(&key(1), &part, &sealed, length).is_some());
}

#[test]
fn nothing_opens_that_was_cut_or_prolonged_even_if_the_length_says_so_too() {
    let (length, part) = (3 * CHUNK, part(1, 0, 1));
    let sealed = seal(&text(length), &part);
    for whole in 0..3 {
        for cut in [whole * SEALED_CHUNK, whole * SEALED_CHUNK + 1, (whole + 1) * SEALED_CHUNK - 1] {
            assert!(open(&key(1), &part, &sealed[..cut], length).is_none(), "{cut}");
        }
        assert!(open(&key(1), &part, &sealed[..whole * SEALED_CHUNK], whole * CHUNK).is_none(), "{whole}");
    }
    assert!(open(&key(1), &part, &[&sealed[..], &[0]].concat(), length).is_none());
    assert!(open(&key(1), &part, &[&sealed[..], &sealed[..SEALED_CHUNK]].concat(), length + CHUNK).is_none());
    for lie in [0, 1, length - 1, length + 1] {
        assert!(open(&key(1), &part, &sealed, lie).is_none(), "{lie}");
    }
}

#[test]
fn chunks_that_were_swapped_or_taken_from_elsewhere_are_noticed() {
    let (length, one, other) = (3 * CHUNK, part(1, 1, 1), part(1, 2, 2));
    let (sealed, foreign) = (seal(&text(length), &one), seal(&text(length), &other));
    let chunk = |of: &[u8], at: usize| of[at * SEALED_CHUNK..(at + 1) * SEALED_CHUNK].to_vec();
    let orders: [[usize; 3]; 4] = [[1, 0, 2], [0, 2, 1], [2, 1, 0], [0, 0, 2]];
    for order in orders {
        let moved = order.map(|at| chunk(&sealed, at)).concat();
        assert!(open(&key(1), &one, &moved, length).is_none(), "{order:?}");
    }
    for place in 0..3 {
        let spliced: Vec<_> =
            (0..3).map(|at| chunk(if at == place { &foreign } else { &sealed }, at)).collect();
        assert!(open(&key(1), &one, &spliced.concat(), length).is_none(), "{place}");
    }
}

#[test]
fn a_range_reads_only_the_chunks_that_it_touches() {
    let opener = |length, from, to| key(1).opener(&part(1, 0, 1), length, from, to).unwrap().sealed_range();
    let (chunk, sealed) = (CHUNK_LENGTH, CHUNK_LENGTH + TAG_LENGTH);
    let five_gib = 5 << 30;
    assert_eq!(opener(five_gib, 3 * chunk, 3 * chunk + 1_024), 3 * sealed..4 * sealed);
    assert_eq!(opener(five_gib, 3 * chunk - 1, 3 * chunk + 1), 2 * sealed..4 * sealed);
    assert_eq!(
        opener(five_gib, five_gib - 1, u64::MAX),
        sealed_length(five_gib) - sealed..sealed_length(five_gib)
    );
    assert_eq!(opener(10, 10, 20), 26..26);
    assert_eq!(opener(0, 0, 0), 0..16);
    assert!(key(1).opener(&part(1, 0, 1), PART_MAX + 1, 0, 1).is_err());
}

#[test]
fn the_same_text_is_sealed_differently_each_time() {
    let randomness = SeededRandomness::new(1);
    let part = || Part { owner: [1; 16], number: 0, nonce: PartNonce::draw(&randomness).unwrap() };
    assert_ne!(seal(b"text", &part()), seal(b"text", &part()));
}

#[test]
fn a_nonce_is_read_back_and_has_sixteen_bytes() {
    let nonce = PartNonce::from_bytes([7; 16]);
    let stored = serde_json::to_string(&nonce).unwrap();
    assert_eq!(serde_json::from_str::<PartNonce>(&stored).unwrap(), nonce);
    assert!(serde_json::from_str::<PartNonce>("\"AAAA\"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_range_opens_to_what_was_there(length in 0..3 * CHUNK + 2, ends: (u32, u32)) {
        let (plaintext, part) = (text(length), part(1, 9, 2));
        let sealed = seal(&plaintext, &part);
        let place = |end: u32| usize::try_from(end).unwrap() % (length + 2);
        let (from, to) = (place(ends.0).min(place(ends.1)), place(ends.0).max(place(ends.1)));
        let expected = plaintext[from.min(length)..to.min(length)].to_vec();
        prop_assert_eq!(open_range(&key(1), &part, &sealed, length, from, to), Some(expected));
    }

    #[test]
    fn pieces_make_no_difference(length in 0..2 * CHUNK + 2, cuts in proptest::collection::vec(any::<u32>(), 0..6)) {
        let (plaintext, part) = (text(length), part(3, 1, 2));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| usize::try_from(*cut).unwrap() % (length + 1)).collect();
        cuts.sort_unstable();
        let ends = [&[0][..], &cuts, &[length]].concat();
        let pieces: Vec<_> = ends.windows(2).map(|ends| &plaintext[ends[0]..ends[1]]).collect();
        prop_assert_eq!(seal_in(&pieces, &part), seal(&plaintext, &part));
    }

    #[test]
    fn sealed_pieces_make_no_difference(piece in 1..2 * SEALED_CHUNK) {
        let (length, part) = (2 * CHUNK + 5, part(3, 1, 2));
        let sealed = seal(&text(length), &part);
        let mut opener = key(1).opener(&part, u64::try_from(length).unwrap(), 0, u64::MAX).unwrap();
        let mut plaintext = Vec::new();
        for mut input in sealed.chunks(piece) {
            while let Some(opened) = opener.open(&mut input).unwrap() {
                plaintext.extend_from_slice(opened.expose());
            }
        }
        prop_assert!(opener.is_complete());
        prop_assert_eq!(plaintext, text(length));
    }
}
