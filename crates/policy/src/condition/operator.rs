//! Condition operators and their names.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

/// An operator with what stands around it: `ForAnyValue:StringNotLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(super) base: Base,
    pub(super) is_negated: bool,
    pub(super) set: Option<SetQualifier>,
    pub(super) if_exists: bool,
}

/// Which of a key's values count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetQualifier {
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// How values are compared. Negation is told apart from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    BinaryEquals,
    IpAddress,
    ArnLike,
    Null,
}

/// How two numbers or moments must stand to each other: that of the request to that of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Names in lower case, what they compare, and whether the result is turned round.
const OPERATORS: [(&str, Base, bool); 27] = [
    ("stringequals", Base::StringEquals, false),
    ("stringnotequals", Base::StringEquals, true),
    ("stringequalsignorecase", Base::StringEqualsIgnoreCase, false),
    ("stringnotequalsignorecase", Base::StringEqualsIgnoreCase, true),
    ("stringlike", Base::StringLike, false),
    ("stringnotlike", Base::StringLike, true),
    ("numericequals", Base::Numeric(Order::Equal), false),
    ("numericnotequals", Base::Numeric(Order::Equal), true),
    ("numericlessthan", Base::Numeric(Order::Less), false),
    ("numericlessthanequals", Base::Numeric(Order::LessOrEqual), false),
    ("numericgreaterthan", Base::Numeric(Order::Greater), false),
    ("numericgreaterthanequals", Base::Numeric(Order::GreaterOrEqual), false),
    ("dateequals", Base::Date(Order::Equal), false),
    ("datenotequals", Base::Date(Order::Equal), true),
    ("datelessthan", Base::Date(Order::Less), false),
    ("datelessthanequals", Base::Date(Order::LessOrEqual), false),
    ("dategreaterthan", Base::Date(Order::Greater), false),
    ("dategreaterthanequals", Base::Date(Order::GreaterOrEqual), false),
    ("bool", Base::Bool, false),
    ("binaryequals", Base::BinaryEquals, false),
    ("ipaddress", Base::IpAddress, false),
    ("notipaddress", Base::IpAddress, true),
    ("arnequals", Base::ArnLike, false),
    ("arnnotequals", Base::ArnLike, true),
    ("arnlike", Base::ArnLike, false),
    ("arnnotlike", Base::ArnLike, true),
    ("null", Base::Null, false),
];

impl Operator {
    /// Reads a name, in any case; `None` if there is no such operator. Null is about presence, so that neither
    /// `IfExists` nor a set qualifier goes with it.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (set, rest) = match lower.split_once(':') {
            None => (None, lower.as_str()),
            Some(("forallvalues", rest)) => (Some(SetQualifier::All), rest),
            Some(("foranyvalue", rest)) => (Some(SetQualifier::Any), rest),
            Some(_) => return None,
        };
        let (rest, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |rest| (rest, true));
        let (_, base, is_negated) = OPERATORS.into_iter().find(|(known, ..)| *known == rest)?;
        let is_alone = set.is_none() && !if_exists;
        (base != Base::Null || is_alone).then_some(Self { base, is_negated, set, if_exists })
    }

    /// Whether it holds also for requests that have no value for the key.
    pub(crate) fn holds_without_value(self) -> bool {
        self.if_exists || self.is_negated || self.is_for_all_values()
    }

    pub(crate) fn is_for_all_values(self) -> bool {
        self.set == Some(SetQualifier::All)
    }

    pub(crate) fn is_negated(self) -> bool {
        self.is_negated
    }

    /// Whether it is Null.
    pub(crate) fn is_presence(self) -> bool {
        self.base == Base::Null
    }

    /// Whether it wants a number or moment that is not above its own.
    pub(crate) fn is_upper_bound(self) -> bool {
        match self.base {
            Base::Numeric(order) | Base::Date(order) => match order {
                Order::Equal | Order::Less | Order::LessOrEqual => !self.is_negated,
                Order::Greater | Order::GreaterOrEqual => false,
            },
            Base::StringEquals
            | Base::StringEqualsIgnoreCase
            | Base::StringLike
            | Base::Bool
            | Base::BinaryEquals
            | Base::IpAddress
            | Base::ArnLike
            | Base::Null => false,
        }
    }

    /// Whether it compares texts in which `*` and `?` stand for themselves.
    pub(crate) fn is_literal_text(self) -> bool {
        matches!(self.base, Base::StringEquals | Base::StringEqualsIgnoreCase)
    }

    /// Whether it wants one of the values themselves: StringEquals or Bool.
    pub(crate) fn is_exact(self) -> bool {
        matches!(self.base, Base::StringEquals | Base::Bool) && !self.is_negated
    }
}

impl Order {
    pub(super) fn holds<T: Ord>(self, seen: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => seen == wanted,
            Self::Less => seen < wanted,
            Self::LessOrEqual => seen <= wanted,
            Self::Greater => seen > wanted,
            Self::GreaterOrEqual => seen >= wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_with_what_stands_around_them() {
        let plain = Operator { base: Base::StringLike, is_negated: true, set: None, if_exists: false };
        for (name, operator) in [
            ("StringNotLike", plain),
            ("STRINGNOTLIKE", plain),
            ("StringNotLikeIfExists", Operator { if_exists: true, ..plain }),
            ("ForAnyValue:StringNotLike", Operator { set: Some(SetQualifier::Any), ..plain }),
            (
                "ForAllValues:StringNotLikeIfExists",
                Operator { set: Some(SetQualifier::All), if_exists: true, ..plain },
            ),
            ("Null", Operator { base: Base::Null, is_negated: false, set: None, if_exists: false }),
            ("ArnEquals", Operator { base: Base::ArnLike, is_negated: false, ..plain }),
        ] {
            assert_eq!(Operator::read(name), Some(operator), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_operators() {
        for name in [
            "",
            "StringEqual",
            "IfExists",
            "NullIfExists",
            "ForAnyValue:Null",
            "ForSomeValues:StringEquals",
            "ForAnyValue:ForAllValues:StringEquals",
            "StringEqualsIfExistsIfExists",
            " StringEquals",
        ] {
            assert_eq!(Operator::read(name), None, "{name}");
        }
    }
}
