//! Regular expressions of the model (Java's dialect) in the dialect of the `regex` crate.
//!
//! The models use a small part of the dialect; whatever lies outside it is refused, not guessed.

/// Patterns with look-ahead, which the `regex` crate does not have, and what says the same without it.
const BY_HAND: [(&str, &str); 1] = [
    // Account aliases: no two dashes in a row. Their length is a constraint of its own.
    ("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "[a-z0-9](-?[a-z0-9])*"),
];

/// The same language for the `regex` crate, or what is not supported.
pub(crate) fn port(pattern: &str) -> Result<String, String> {
    if let Some((_, ported)) = BY_HAND.iter().find(|(modelled, _)| *modelled == pattern) {
        return Ok((*ported).to_owned());
    }
    let mut ported = String::new();
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => ported.push_str(&escape(&mut characters, in_class)?),
            '[' if in_class => return Err("a character class inside a character class".to_owned()),
            '[' => {
                in_class = true;
                ported.push('[');
            }
            ']' => {
                in_class = false;
                ported.push(']');
            }
            '&' | '~' | '-' if in_class && characters.peek() == Some(&character) => {
                return Err(format!("{character}{character} inside a character class"));
            }
            '(' if characters.peek() == Some(&'?') => return Err("a group with (?".to_owned()),
            // Java's dot leaves out every line terminator.
            '.' if !in_class => ported.push_str(r"[^\n\r\u{85}\u{2028}\u{2029}]"),
            _ => ported.push(character),
        }
    }
    Ok(ported)
}

/// `\p{L}` and its like: the general categories of Unicode have the same names in both dialects.
fn property(characters: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let name: String = characters.take(3).collect();
    match name.as_str() {
        "{L}" | "{N}" | "{Z}" => Ok(format!(r"\p{name}")),
        _ => Err(format!("the property {name}")),
    }
}

/// Java's `\w`, `\d` and `\s` are ASCII only.
fn escape(characters: &mut impl Iterator<Item = char>, in_class: bool) -> Result<String, String> {
    let class = match characters.next() {
        Some('w') => "0-9A-Za-z_",
        Some('d') => "0-9",
        Some('s') => r" \t\n\x0B\f\r",
        Some('u') => {
            let digits: String = characters.take(4).collect();
            return Ok(format!(r"\u{{{digits}}}"));
        }
        Some('/') => return Ok("/".to_owned()),
        Some(itself @ ('.' | '-' | '+')) => return Ok(format!(r"\{itself}")),
        Some(itself @ ('@' | ':')) => return Ok(itself.to_string()),
        Some('p') => return property(characters),
        other => return Err(format!("the escape {other:?}")),
    };
    Ok(if in_class { class.to_owned() } else { format!("[{class}]") })
}
