//! Length-prefixed bytes: what is framed one after another reads back in one way only.

/// Appends the length of `bytes` (u32, big endian) and then `bytes`.
///
/// What is framed here comes out of requests and records, a thousandth of 4 GiB long at most; the saturating length
/// only keeps the function total.
pub(crate) fn push_framed(out: &mut Vec<u8>, bytes: &[u8]) {
    push_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a count or length (u32, big endian).
pub(crate) fn push_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}
