//! Inputs that differ from known ones here and there.

use base::Randomness as _;
use testkit::SeededRandomness;

/// Makes the same inputs on every run.
pub(crate) struct Mutator<'i> {
    known: &'i [Vec<u8>],
    words: &'i [&'i str],
    randomness: SeededRandomness,
}

impl<'i> Mutator<'i> {
    pub(crate) fn new(known: &'i [Vec<u8>], words: &'i [&'i str]) -> Self {
        assert!(!known.is_empty() && !words.is_empty());
        Self { known, words, randomness: SeededRandomness::new(1) }
    }

    /// A known input with one to four changes, of at most `length_max` bytes.
    pub(crate) fn next(&mut self, length_max: usize) -> Vec<u8> {
        let mut input = self.known[self.below(self.known.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input.truncate(length_max);
        input
    }

    fn change(&self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(16)).min(input.len());
        match self.below(7) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..end, self.words[self.below(self.words.len())].bytes())),
            4 => drop(input.splice(at..at, self.words[self.below(self.words.len())].bytes())),
            5 => {
                let repeated = input[at..end].repeat(1 + self.below(8));
                drop(input.splice(at..end, repeated));
            }
            _ => {
                // A piece of another input.
                let other = &self.known[self.below(self.known.len())];
                let from = self.below(other.len() + 1);
                let until = (from + self.below(64)).min(other.len());
                drop(input.splice(at..end, other[from..until].iter().copied()));
            }
        }
    }

    fn byte(&self) -> u8 {
        let mut byte = [0];
        self.randomness.fill(&mut byte).unwrap();
        byte[0]
    }

    /// A number below `bound`.
    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.randomness.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % u64::try_from(bound).unwrap()).unwrap()
    }
}
