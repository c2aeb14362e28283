//! The map inside an attestation document: fields and limits as AWS publishes them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use minicbor::Decoder;
use minicbor::data::Type;

/// Bytes of a certificate.
const CERTIFICATE: RangeInclusive<usize> = 1..=1_024;
/// Bytes of the attested key.
const PUBLIC_KEY: RangeInclusive<usize> = 1..=1_024;
/// Bytes of what the enclave or the verifier adds.
const USER_DATA: RangeInclusive<usize> = 0..=1_024;
/// Certificates of authorities, the root included. AWS's chains have four; it publishes no limit.
const AUTHORITIES: RangeInclusive<usize> = 1..=8;
/// Platform configuration registers are numbered from 0 to 31.
const REGISTER_NUMBERS: u8 = 32;
/// Bytes of a register: a digest.
const REGISTER_LENGTHS: [usize; 3] = [32, 48, 64];

/// Fields without which a document is none; beside them there are the registers of the one or the other kind.
const REQUIRED: [&str; 5] = ["module_id", "digest", "timestamp", "certificate", "cabundle"];

/// What an attestation document says, as far as it is used. Where it came from is not known yet.
#[derive(Default)]
pub(super) struct Document<'a> {
    /// Of the enclave, or the machine.
    pub(super) module_id: &'a str,
    /// Of the key that signed the document.
    pub(super) certificate: &'a [u8],
    /// From the root to the issuer of the certificate.
    pub(super) authorities: Vec<&'a [u8]>,
    pub(super) public_key: Option<&'a [u8]>,
    /// The registers by number.
    pub(super) registers: BTreeMap<u8, &'a [u8]>,
    /// Whether they are those of a NitroTPM.
    pub(super) is_of_tpm: bool,
}

impl<'a> Document<'a> {
    /// Reads one map with nothing after it. Every field is checked, also those that nobody uses.
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Decoder::new(payload);
        let mut document = Self::default();
        let mut seen = BTreeSet::new();
        let mut fields = Entries(reader.map().ok()?);
        while fields.another(&mut reader)? {
            let name = reader.str().ok()?;
            if !seen.insert(name) {
                return None;
            }
            document.read(name, &mut reader)?;
        }
        let of_one_kind = seen.contains("pcrs") != seen.contains("nitrotpm_pcrs");
        let complete = of_one_kind && REQUIRED.iter().all(|name| seen.contains(name));
        (complete && reader.position() == payload.len()).then_some(document)
    }

    fn read(&mut self, name: &str, reader: &mut Decoder<'a>) -> Option<()> {
        let allowed = match name {
            "module_id" => {
                self.module_id = reader.str().ok()?;
                !self.module_id.is_empty()
            }
            "digest" => reader.str().ok()? == "SHA384",
            "timestamp" => reader.u64().ok()? > 0,
            "pcrs" | "nitrotpm_pcrs" => {
                self.is_of_tpm = name == "nitrotpm_pcrs";
                self.registers = registers(reader)?;
                !self.registers.is_empty()
            }
            "certificate" => {
                self.certificate = bytes(reader, CERTIFICATE)?;
                true
            }
            "cabundle" => {
                self.authorities = authorities(reader)?;
                true
            }
            "public_key" => {
                self.public_key = optional_bytes(reader, PUBLIC_KEY)?;
                true
            }
            "user_data" | "nonce" => {
                optional_bytes(reader, USER_DATA)?;
                true
            }
            _ => false,
        };
        allowed.then_some(())
    }
}

fn bytes<'a>(reader: &mut Decoder<'a>, lengths: RangeInclusive<usize>) -> Option<&'a [u8]> {
    reader.bytes().ok().filter(|bytes| lengths.contains(&bytes.len()))
}

/// A field that AWS's documents leave out or set to null when it is not used.
fn optional_bytes<'a>(reader: &mut Decoder<'a>, lengths: RangeInclusive<usize>) -> Option<Option<&'a [u8]>> {
    if reader.datatype().ok()? == Type::Null {
        reader.null().ok()?;
        return Some(None);
    }
    bytes(reader, lengths).map(Some)
}

fn authorities<'a>(reader: &mut Decoder<'a>) -> Option<Vec<&'a [u8]>> {
    let mut entries = Entries(reader.array().ok()?);
    let mut authorities = Vec::new();
    while entries.another(reader)? {
        authorities.push(bytes(reader, CERTIFICATE)?);
    }
    AUTHORITIES.contains(&authorities.len()).then_some(authorities)
}

/// A map from register numbers, each named once, to digests.
fn registers<'a>(reader: &mut Decoder<'a>) -> Option<BTreeMap<u8, &'a [u8]>> {
    let mut entries = Entries(reader.map().ok()?);
    let mut registers = BTreeMap::new();
    while entries.another(reader)? {
        let number = u8::try_from(reader.u64().ok()?).ok().filter(|number| *number < REGISTER_NUMBERS)?;
        let digest = reader.bytes().ok().filter(|digest| REGISTER_LENGTHS.contains(&digest.len()))?;
        if registers.insert(number, digest).is_some() {
            return None;
        }
    }
    Some(registers)
}

/// What is left of a map or array; nothing is known of one of indefinite length, in which newer enclaves write the
/// document.
struct Entries(Option<u64>);

impl Entries {
    /// Whether another entry follows; the end is read over.
    fn another(&mut self, reader: &mut Decoder<'_>) -> Option<bool> {
        match &mut self.0 {
            Some(0) => Some(false),
            Some(left) => {
                *left -= 1;
                Some(true)
            }
            None if reader.datatype().ok()? == Type::Break => {
                reader.set_position(reader.position() + 1);
                Some(false)
            }
            None => Some(true),
        }
    }
}
