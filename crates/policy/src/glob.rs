//! Patterns with `*` and `?`, and places in them for the values of condition keys.
//!
//! Time is linear in the text. Only a part between two `*` that has a `?` or a variable in it costs more: a 64th of its
//! length for each character of the text.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::value::Rendered;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part<V> {
    /// These characters.
    Text(Box<str>),
    /// Any characters, or none.
    AnyRun,
    /// One character.
    AnyOne,
    /// The value of a variable, character by character.
    Variable(V),
}

/// A pattern, cut into its parts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob<V>(Box<[Part<V>]>);

/// What a part stands for in one match.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Text(&'a str),
    AnyRun,
    AnyOne,
}

/// The values of a pattern's variables.
type Values<'a> = SmallVec<[Rendered<'a>; 2]>;

impl<V> Glob<V> {
    pub(crate) fn new(parts: Vec<Part<V>>) -> Self {
        Self(parts.into())
    }

    /// Whether `text` matches. `value` knows the variables; if one has no value, nothing matches.
    pub(crate) fn matches<'v>(&'v self, text: &str, value: impl Fn(&'v V) -> Option<Rendered<'v>>) -> bool {
        match &*self.0 {
            [] => text.is_empty(),
            [Part::Text(own)] => &**own == text,
            [Part::AnyRun] => true,
            parts => {
                let mut values = Values::new();
                for part in parts {
                    if let Part::Variable(variable) = part {
                        match value(variable) {
                            Some(value) => values.push(value),
                            None => return false,
                        }
                    }
                }
                let mut values = values.iter();
                let pieces: SmallVec<[Piece<'_>; 12]> =
                    parts.iter().map(|part| Piece::of(part, &mut values)).collect();
                matches_pieces(&pieces, text)
            }
        }
    }

    /// The text of a pattern without wildcards and variables.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(crate) fn parts(&self) -> &[Part<V>] {
        &self.0
    }
}

impl<'a> Piece<'a> {
    fn of<V>(part: &'a Part<V>, values: &mut std::slice::Iter<'a, Rendered<'_>>) -> Self {
        match part {
            Part::Text(text) => Self::Text(text),
            Part::AnyRun => Self::AnyRun,
            Part::AnyOne => Self::AnyOne,
            Part::Variable(_) => Self::Text(values.next().map_or("", |value| value.as_str())),
        }
    }

    /// What is left of `text` behind this piece, which is no `*`.
    fn strip(self, text: &str) -> Option<&str> {
        match self {
            Self::Text(own) => text.strip_prefix(own),
            Self::AnyOne => {
                let mut characters = text.chars();
                characters.next().map(|_| characters.as_str())
            }
            Self::AnyRun => None,
        }
    }
}

impl<'a> Piece<'a> {
    /// The characters that the piece wants, one by one; `None` for any.
    fn characters(&self) -> impl Iterator<Item = Option<char>> + use<'a> {
        let (text, any) = match self {
            Self::Text(text) => (*text, None),
            Self::AnyOne => ("", Some(None)),
            Self::AnyRun => ("", None),
        };
        text.chars().map(Some).chain(any)
    }
}

/// Matches the part before the first `*` at the front, the part behind the last one at the end, and each part between
/// them where it comes first.
fn matches_pieces(pieces: &[Piece<'_>], text: &str) -> bool {
    let mut parts = pieces.split(|piece| matches!(piece, Piece::AnyRun));
    let Some(mut rest) = parts.next().and_then(|front| strip_all(front, text)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return ends_with(rest, part);
        }
        match find(part, rest) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

fn strip_all<'t>(part: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    part.iter().try_fold(text, |rest, piece| piece.strip(rest))
}

/// What lies behind the first place at which `part` matches.
fn find<'t>(part: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    match part {
        [] => Some(text),
        [Piece::Text(own)] => text.split_once(own).map(|(_, behind)| behind),
        part if length(part).saturating_mul(text.len()) <= STEPS_MAX => find_step_by_step(part, text),
        part => find_by_bits(part, text),
    }
}

/// More steps than these are worth the memory that the quicker way takes.
const STEPS_MAX: usize = 1 << 16;

fn find_step_by_step<'t>(part: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    let mut rest = text;
    loop {
        if let Some(behind) = strip_all(part, rest) {
            return Some(behind);
        }
        let mut characters = rest.chars();
        characters.next()?;
        rest = characters.as_str();
    }
}

/// Shift-and: bit `n` of the state says whether the first `n + 1` characters of the part match up to here.
///
/// R. Baeza-Yates and G. H. Gonnet, A new approach to text searching, 1992.
fn find_by_bits<'t>(part: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    let wanted: Vec<Option<char>> = part.iter().flat_map(|piece| piece.characters()).collect();
    let last = wanted.len().checked_sub(1)?;
    let none = vec![0_u64; wanted.len().div_ceil(64)];
    let set = |bits: &mut Vec<u64>, place: usize| {
        if let Some(word) = bits.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    };
    let mut any = none.clone();
    let mut of_character: BTreeMap<char, Vec<u64>> = BTreeMap::new();
    for (place, character) in wanted.iter().enumerate() {
        match character {
            Some(character) => set(of_character.entry(*character).or_insert_with(|| none.clone()), place),
            None => set(&mut any, place),
        }
    }
    for bits in of_character.values_mut() {
        bits.iter_mut().zip(&any).for_each(|(word, any)| *word |= any);
    }
    let mut state = none;
    for (at, character) in text.char_indices() {
        let mut carry = 1;
        for (word, bits) in state.iter_mut().zip(of_character.get(&character).unwrap_or(&any)) {
            let next = *word >> 63;
            *word = ((*word << 1) | carry) & bits;
            carry = next;
        }
        if state.last().is_some_and(|word| word & (1 << (last % 64)) != 0) {
            return text.get(at + character.len_utf8()..);
        }
    }
    None
}

fn length(part: &[Piece<'_>]) -> usize {
    part.iter().map(|piece| piece.characters().count()).sum()
}

fn ends_with(text: &str, part: &[Piece<'_>]) -> bool {
    let Some(last) = length(part).checked_sub(1) else { return true };
    let start = text.char_indices().rev().nth(last).map(|(start, _)| start);
    start.and_then(|start| text.get(start..)).and_then(|end| strip_all(part, end)).is_some_and(str::is_empty)
}

/// Whether `text` matches a pattern of `*`, `?` and ASCII without regard to case.
pub(crate) fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    let (mut rest, mut at) = (pattern.as_bytes(), text.as_bytes());
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (rest.split_first(), at.split_first()) {
            (Some((b'*', after)), _) => {
                star = Some((after, at));
                rest = after;
            }
            (Some((wanted, after)), Some((found, behind)))
                if *wanted == b'?' || wanted.eq_ignore_ascii_case(found) =>
            {
                (rest, at) = (after, behind);
            }
            (None, None) => return true,
            // A dead end: the last star takes one character more.
            _ => match star.and_then(|(after, from)| Some((after, from.split_first()?.1))) {
                Some((after, from)) => {
                    star = Some((after, from));
                    (rest, at) = (after, from);
                }
                None => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The parts of a pattern without variables.
    fn glob(pattern: &str) -> Glob<()> {
        let mut parts = Vec::new();
        let mut text = String::new();
        for character in pattern.chars() {
            let wildcard = match character {
                '*' => Part::AnyRun,
                '?' => Part::AnyOne,
                other => {
                    text.push(other);
                    continue;
                }
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text).into()));
            }
            parts.push(wildcard);
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        Glob::new(parts)
    }

    fn matches(pattern: &str, text: &str) -> bool {
        glob(pattern).matches(text, |()| None)
    }

    /// What a match is, said in the plainest way.
    fn matches_by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', after)), rest) => {
                matches_by_definition(after, text)
                    || rest.is_some_and(|(_, behind)| matches_by_definition(pattern, behind))
            }
            (Some((wanted, after)), Some((found, behind))) => {
                (*wanted == '?' || wanted == found) && matches_by_definition(after, behind)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    #[test]
    fn wildcards_stand_for_runs_and_for_one_character() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b", "aXbY", false),
            ("*a", "aaa", true),
            ("a*a", "a", false),
            ("?", "é", true),
            ("?", "", false),
            ("*??", "a", false),
            ("*?é", "xé", true),
            ("alias/*/x", "alias/a/b/x", true),
            ("A", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_value_is_taken_literally_and_without_one_nothing_matches() {
        let pattern = Glob::new(vec![Part::Text("user/".into()), Part::Variable(()), Part::AnyRun]);
        let matches = |text: &str, value: Option<&'static str>| {
            pattern.matches(text, |()| value.map(Rendered::Borrowed))
        };
        assert!(matches("user/a*/x", Some("a*")) && !matches("user/abc", Some("a*")));
        assert!(matches("user/x", Some("")) && !matches("user/x", None));
    }

    #[test]
    fn long_patterns_take_no_exponential_time() {
        let pattern = "*a".repeat(5_000);
        let text = "a".repeat(4_999);
        assert!(!matches(&pattern, &text) && !matches_ignoring_case(&pattern, &text));
        assert!(matches(&pattern, &"a".repeat(5_000)));
        let pattern = format!("*{}b*", "?a".repeat(8_000));
        assert!(!matches(&pattern, &"a".repeat(60_000)));
        assert!(matches(&pattern, &format!("{}b", "a".repeat(60_000))));
    }

    proptest! {
        #[test]
        fn matching_is_what_its_definition_says(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = matches_by_definition(&characters(&pattern), &characters(&text));
            prop_assert_eq!(matches(&pattern, &text), expected);
        }

        #[test]
        fn both_ways_find_the_same(
            part in prop::collection::vec("[ab?]{1,40}", 1..4), text in "[ab]{0,300}", end in "[ab]{0,5}",
        ) {
            let text = format!("{text}{end}");
            let pieces: Vec<Piece<'_>> = part
                .iter()
                .map(|piece| if piece.contains('?') { Piece::AnyOne } else { Piece::Text(piece) })
                .collect();
            prop_assert_eq!(find_by_bits(&pieces, &text), find_step_by_step(&pieces, &text));
        }

        #[test]
        fn actions_match_as_patterns_do_but_for_case(pattern in "[ab*?]{0,8}", text in "[abAB]{0,10}") {
            let expected = matches(&pattern, &text.to_lowercase());
            prop_assert_eq!(matches_ignoring_case(&pattern, &text), expected);
        }
    }
}
