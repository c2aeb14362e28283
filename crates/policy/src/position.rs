//! Where the statements of a policy stand in its text. Only who shows a policy to people asks; to decide, nobody does.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A place in a text: line and column, both from 1. Columns count characters; LF, CR LF and CR end a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementPosition {
    /// Its first character.
    pub start: Position,
    /// Where AWS says that it starts, in StartPosition of MatchedStatements: behind the `[` of the list or the end of
    /// the statement before it, so that a comma is in; of a statement without a list, behind its own `{`.
    ///
    /// AWS documents no more than "the row and column"; its example
    /// (<https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html>) and what its clients have
    /// recorded agree on this.
    pub reported_start: Position,
    /// Behind its last character, which is also what AWS says in EndPosition.
    pub end: Position,
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow, rename = "Statement")]
    statement: &'t RawValue,
}

/// Where each statement stands, in the order of the document. `None` if `text` is no JSON object with a Statement; what
/// [`Policy::parse`](crate::Policy::parse) takes is one.
pub fn statement_positions(text: &str) -> Option<Vec<StatementPosition>> {
    let document: Document<'_> = serde_json::from_str(text).ok()?;
    let whole = document.statement.get();
    let mut cursor = Cursor::new(text);
    let listed: Vec<&RawValue> = match whole.chars().next()? {
        '[' => serde_json::from_str(whole).ok()?,
        _ => vec![document.statement],
    };
    let mut reported = offset_of(whole, text)? + 1;
    let mut positions = Vec::with_capacity(listed.len());
    for statement in listed {
        let start = offset_of(statement.get(), text)?;
        let end = start + statement.get().len();
        // The cursor only moves on: of a statement without a list, AWS's start is the later one.
        let (reported_start, start) = if reported > start {
            let start = cursor.advance(start);
            (cursor.advance(reported), start)
        } else {
            (cursor.advance(reported), cursor.advance(start))
        };
        positions.push(StatementPosition { start, reported_start, end: cursor.advance(end) });
        reported = end;
    }
    Some(positions)
}

/// Where `part`, which is a piece of `text`, begins in it.
pub(crate) fn offset_of(part: &str, text: &str) -> Option<usize> {
    part.as_ptr().addr().checked_sub(text.as_ptr().addr())
}

/// Goes through a text once and says where it is.
pub(crate) struct Cursor<'t> {
    text: &'t str,
    offset: usize,
    at: Position,
    is_behind_return: bool,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, offset: 0, at: Position { line: 1, column: 1 }, is_behind_return: false }
    }

    /// Goes on to this offset in bytes.
    pub(crate) fn advance(&mut self, offset: usize) -> Position {
        for character in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            match character {
                '\n' if self.is_behind_return => {}
                '\n' | '\r' => self.at = Position { line: self.at.line + 1, column: 1 },
                _ => self.at.column += 1,
            }
            self.is_behind_return = character == '\r';
        }
        self.offset = offset;
        self.at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn at(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    /// Start as AWS reports it, start, end.
    fn told(text: &str) -> Vec<[Position; 3]> {
        let positions = statement_positions(text).unwrap();
        positions.into_iter().map(|one| [one.reported_start, one.start, one.end]).collect()
    }

    #[test]
    fn positions_are_those_that_aws_reports() {
        // The example of the AWS CLI: a statement without a list.
        let text = concat!(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","#,
            r#""Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#
        );
        assert_eq!(told(text), [[at(1, 38), at(1, 37), at(1, 167)]]);
        // AdministratorAccess, for which the simulator answers 3:17 to 8:6.
        let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \
                    \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        assert_eq!(told(text), [[at(3, 17), at(4, 5), at(8, 6)]]);
        // A later statement begins, for AWS, where the one before it ends.
        let text = r#"{"Statement":[{"Sid":"a"}, {"Sid":"b"}]}"#;
        assert_eq!(told(text), [[at(1, 15), at(1, 15), at(1, 26)], [at(1, 26), at(1, 28), at(1, 39)]]);
    }

    #[test]
    fn lines_end_with_line_feed_carriage_return_or_both() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                ["{", " \"Statement\" : [", "", "  {", "  } ,", " {} ] }"].map(|line| format!("{line}{end}"));
            let expected = [[at(2, 17), at(4, 3), at(5, 4)], [at(5, 4), at(6, 2), at(6, 4)]];
            assert_eq!(told(&text.concat()), expected, "{end:?}");
        }
        assert_eq!(told("{\n\r\n\"Statement\":{}}"), [[at(3, 14), at(3, 13), at(3, 15)]]);
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = r#"{"Id":"é日😀","Statement":{"Sid":"ü"}}"#;
        assert_eq!(told(text), [[at(1, 26), at(1, 25), at(1, 36)]]);
    }

    #[test]
    fn names_may_be_escaped_and_what_is_no_policy_has_no_positions() {
        assert_eq!(told(r#"{"\u0053tatement":{}}"#), [[at(1, 20), at(1, 19), at(1, 21)]]);
        assert_eq!(told(r#"{"Statement":[]}"#), Vec::<[Position; 3]>::new());
        for text in
            ["", "{}", "[]", "1", r#"{"statement":{}}"#, r#"{"Statement":{}"#, r#"{"Statement":{}} x"#]
        {
            assert_eq!(statement_positions(text), None, "{text}");
        }
    }

    #[test]
    fn a_document_of_the_largest_size_is_gone_through_once() {
        let statements = vec!["{}"; 43_000].join(",");
        let text = format!(r#"{{"Statement":[{statements}]}}"#);
        assert_eq!(told(&text).last(), Some(&[at(1, 129_011), at(1, 129_012), at(1, 129_014)]));
    }

    /// The piece of a text between two positions, found in the plainest way.
    fn piece(text: &str, from: Position, to: Position) -> String {
        let mut at = Position { line: 1, column: 1 };
        let mut piece = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if from <= at && at < to {
                piece.push(character);
            }
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\r' | '\n' => at = Position { line: at.line + 1, column: 1 },
                _ => at.column += 1,
            }
        }
        piece
    }

    fn statement() -> impl Strategy<Value = Value> {
        ("[\\PC{}\\[\\]\"\\\\,:\n]{0,20}", any::<bool>(), prop::collection::vec("\\PC{0,6}", 0..4)).prop_map(
            |(sid, allows, actions)| {
                json!({
                    "Sid": sid, "Effect": if allows { "Allow" } else { "Deny" }, "Action": actions, "Resource": "*",
                    "Condition": {"StringEquals": {"a:b": {"deep": actions}}},
                })
            },
        )
    }

    proptest! {
        #[test]
        fn what_stands_there_is_the_statement(
            statements in prop::collection::vec(statement(), 1..5), is_pretty: bool,
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let document = json!({"Version": "2012-10-17", "Id": "日", "Statement": statements});
            let text = if is_pretty {
                // No line end of the text is within a string: there it is escaped.
                serde_json::to_string_pretty(&document).unwrap().replace('\n', end)
            } else {
                document.to_string()
            };
            let positions = statement_positions(&text).unwrap();
            prop_assert_eq!(positions.len(), statements.len());
            for (position, statement) in positions.iter().zip(&statements) {
                let found = piece(&text, position.start, position.end);
                prop_assert_eq!(&serde_json::from_str::<Value>(&found).unwrap(), statement);
                // As a client of AWS reads it.
                let reported = piece(&text, position.reported_start, position.end);
                prop_assert_eq!(reported.trim_start_matches([',', ' ', '\r', '\n']), &found);
            }
        }

        #[test]
        fn a_statement_without_a_list_stands_there_too(statement in statement(), space in "[ \r\n\t]{0,6}") {
            let text = format!("{{{space}\"Statement\"{space}:{space}{statement}{space}}}");
            let positions = statement_positions(&text).unwrap();
            let [position] = positions.as_slice() else { panic!("{positions:?}") };
            let found = piece(&text, position.start, position.end);
            prop_assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), statement);
            prop_assert_eq!(found, format!("{{{}", piece(&text, position.reported_start, position.end)));
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}:,\"Statement\r\n\\\\ é]{0,60}") {
            let _ = statement_positions(&text);
        }
    }
}
