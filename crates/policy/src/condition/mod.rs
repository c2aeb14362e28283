//! Conditions: compiled once, then compared with what a request says.

mod number;
mod operator;

use std::net::IpAddr;

use base::Timestamp;
use ipnet::IpNet;

pub(crate) use number::{Decimal, read_moment};
pub(crate) use operator::Operator;
use operator::{Base, Order, SetQualifier};

use crate::facts::{Facts, View};
use crate::key::ContextKey;
use crate::policy::Version;
use crate::statement::Effect;
use crate::template::{ArnTemplate, Template, Wildcards};
use crate::value::{Value, is_same_but_for_case};

/// One operator over one key with the values of the policy.
#[derive(Debug)]
pub(crate) struct Condition {
    operator: Operator,
    key: ContextKey,
    operands: Operands,
    written: Written,
}

/// The condition as it stands in the policy, for explanations.
#[derive(Debug)]
struct Written {
    operator: Box<str>,
    key: Box<str>,
    values: Box<[Box<str>]>,
}

/// The values of the policy in the form that the operator compares. What cannot be read in it is `None` and matches
/// nothing.
#[derive(Debug)]
enum Operands {
    Texts(Box<[Template]>),
    Numbers(Box<[Option<Decimal>]>),
    Moments(Box<[Option<Timestamp>]>),
    Bytes(Box<[Option<Vec<u8>>]>),
    Networks(Box<[Option<IpNet>]>),
    Arns(Box<[Option<ArnTemplate>]>),
    Presence(Box<[Option<bool>]>),
}

impl Condition {
    /// A condition of a policy in this version of the language.
    pub(crate) fn new(
        (operator, name): (Operator, &str),
        (key, key_name): (ContextKey, &str),
        values: &[String],
        version: Version,
    ) -> Self {
        let written = Written {
            operator: name.into(),
            key: key_name.into(),
            values: values.iter().map(|value| value.as_str().into()).collect(),
        };
        Self { operator, key, operands: Operands::read(operator.base, values, version), written }
    }

    /// Whether the condition holds for a request. A value that is there but cannot be told makes it hold in a statement
    /// that denies and fail in one that allows.
    pub(crate) fn holds(&self, facts: &Facts<'_>, effect: Effect) -> bool {
        let value = facts.value(&self.key);
        if let View::Any(doubt, _) = facts.view
            && (matches!(value, Value::Unknown) || self.templates().any(|text| text.asks_for_unknown(facts)))
        {
            return doubt.holds(effect);
        }
        self.holds_for(value, facts, effect)
    }

    /// Whether it holds for this value of its key.
    pub(crate) fn holds_for(&self, value: Value<'_>, facts: &Facts<'_>, effect: Effect) -> bool {
        let value = within_bounds(value);
        if let Operands::Presence(wanted) = &self.operands {
            return wanted.iter().flatten().any(|absent| *absent != value.is_present());
        }
        let compare = |value: Value<'_>| self.compare(value, facts);
        match (self.operator.set, value) {
            (_, Value::Unclear | Value::Unknown) => effect == Effect::Deny,
            (Some(SetQualifier::All), Value::Absent) => true,
            (Some(SetQualifier::All), Value::Many(texts)) => {
                !texts.any(&mut |text| !compare(Value::Text(text)))
            }
            (Some(SetQualifier::Any), Value::Absent) => false,
            (None, Value::Absent) => self.holds_without_value(),
            (None, Value::Many(texts)) if texts.is_empty() => self.holds_without_value(),
            // A key with several values asks for a set qualifier; without one, any of them will do.
            (Some(SetQualifier::Any) | None, Value::Many(texts)) => {
                texts.any(&mut |text| compare(Value::Text(text)))
            }
            (_, value) => compare(value),
        }
    }

    fn holds_without_value(&self) -> bool {
        self.operator.if_exists || self.operator.is_negated
    }

    /// Compares one value of the request with those of the policy: a positive operator wants any of them to match, a
    /// negated one none.
    fn compare(&self, seen: Value<'_>, facts: &Facts<'_>) -> bool {
        let is_negated = self.operator.is_negated;
        match (&self.operands, self.operator.base) {
            (Operands::Numbers(wanted), Base::Numeric(order)) => {
                compare_ordered(number_of(seen), wanted, order, is_negated)
            }
            (Operands::Moments(wanted), Base::Date(order)) => {
                compare_ordered(moment_of(seen), wanted, order, is_negated)
            }
            (operands, base) => operands.any_matches(base, seen, facts) != is_negated,
        }
    }

    pub(crate) fn operator(&self) -> Operator {
        self.operator
    }

    pub(crate) fn key(&self) -> &ContextKey {
        &self.key
    }

    /// The values, if they are texts, which may have variables.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let (texts, arns) = match &self.operands {
            Operands::Texts(texts) => (Some(texts), None),
            Operands::Arns(arns) => (None, Some(arns)),
            Operands::Numbers(_)
            | Operands::Moments(_)
            | Operands::Bytes(_)
            | Operands::Networks(_)
            | Operands::Presence(_) => (None, None),
        };
        let arns = arns.into_iter().flatten().flatten().flat_map(ArnTemplate::parts);
        texts.into_iter().flatten().chain(arns)
    }

    /// The values that the operator cannot read, as the policy writes them.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = &str> {
        let is_readable: Vec<bool> = match &self.operands {
            Operands::Texts(texts) if self.operator.base == Base::Bool => {
                texts.iter().map(|text| text.literal().is_none_or(|text| truth(text).is_some())).collect()
            }
            Operands::Texts(texts) => vec![true; texts.len()],
            Operands::Numbers(numbers) => numbers.iter().map(Option::is_some).collect(),
            Operands::Moments(moments) => moments.iter().map(Option::is_some).collect(),
            Operands::Bytes(bytes) => bytes.iter().map(Option::is_some).collect(),
            Operands::Networks(networks) => networks.iter().map(Option::is_some).collect(),
            Operands::Arns(arns) => arns.iter().map(Option::is_some).collect(),
            Operands::Presence(wanted) => wanted.iter().map(Option::is_some).collect(),
        };
        self.wanted().zip(is_readable).filter(|(_, is_readable)| !is_readable).map(|(value, _)| value)
    }

    /// The operator as the policy writes it.
    pub(crate) fn operator_name(&self) -> &str {
        &self.written.operator
    }

    /// The key as the policy writes it.
    pub(crate) fn key_name(&self) -> &str {
        &self.written.key
    }

    /// Its key and those of the variables among its values, as the policy writes them.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.key_name()).chain(self.templates().flat_map(Template::key_names))
    }

    /// The values as the policy writes them.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.written.values.iter().map(|value| &**value)
    }

    /// What the request says, for explanations.
    pub(crate) fn seen(&self, facts: &Facts<'_>) -> String {
        facts.value(&self.key).to_string()
    }
}

/// Longest text of a request, in bytes, that is compared. Every pattern of a policy may have to look at all of it.
const TEXT_MAX: usize = 16_384;

/// The value, unless it is too long to be compared: then nobody can tell what it is.
fn within_bounds(value: Value<'_>) -> Value<'_> {
    let is_long = |text: &str| text.len() > TEXT_MAX;
    let is_too_long = matches!(value, Value::Text(text) if is_long(text))
        || matches!(value, Value::Many(texts) if texts.any(&mut |text| is_long(text)));
    if is_too_long { Value::Unclear } else { value }
}

/// Numbers and dates that cannot be read match nothing, not even by being different.
fn compare_ordered<T: Ord>(seen: Option<T>, wanted: &[Option<T>], order: Order, is_negated: bool) -> bool {
    let Some(seen) = seen else { return false };
    if is_negated {
        return wanted.iter().all(|wanted| wanted.as_ref().is_some_and(|wanted| !order.holds(&seen, wanted)));
    }
    wanted.iter().flatten().any(|wanted| order.holds(&seen, wanted))
}

impl Operands {
    fn read(base: Base, values: &[String], version: Version) -> Self {
        fn each<T>(values: &[String], read: impl Fn(&str) -> T) -> Box<[T]> {
            values.iter().map(|value| read(value)).collect()
        }
        let templates =
            |wildcards| Self::Texts(each(values, |value| Template::read(value, version, wildcards)));
        match base {
            Base::StringEquals | Base::StringEqualsIgnoreCase | Base::Bool => templates(Wildcards::No),
            Base::StringLike => templates(Wildcards::Yes),
            Base::Numeric(_) => Self::Numbers(each(values, Decimal::read)),
            Base::Date(_) => Self::Moments(each(values, read_moment)),
            Base::BinaryEquals => Self::Bytes(each(values, decode)),
            Base::IpAddress => Self::Networks(each(values, network)),
            Base::ArnLike => Self::Arns(each(values, |value| ArnTemplate::read(value, version))),
            Base::Null => Self::Presence(each(values, truth)),
        }
    }

    fn any_matches(&self, base: Base, seen: Value<'_>, facts: &Facts<'_>) -> bool {
        if let (Self::Networks(networks), Value::Address(address)) = (self, seen) {
            return contains(networks, address);
        }
        let Some(text) = seen.rendered() else { return false };
        let text = text.as_str();
        match self {
            Self::Texts(templates) => {
                templates.iter().any(|template| matches_text(template, base, text, facts))
            }
            Self::Bytes(wanted) => {
                decode(text).is_some_and(|seen| wanted.iter().flatten().any(|wanted| *wanted == seen))
            }
            Self::Networks(networks) => text.parse().is_ok_and(|address| contains(networks, address)),
            Self::Arns(templates) => templates.iter().flatten().any(|template| template.matches(text, facts)),
            Self::Numbers(_) | Self::Moments(_) | Self::Presence(_) => false,
        }
    }
}

fn matches_text(template: &Template, base: Base, text: &str, facts: &Facts<'_>) -> bool {
    match base {
        Base::StringEqualsIgnoreCase => {
            template.expanded(facts).is_some_and(|wanted| is_same_but_for_case(&wanted, text))
        }
        Base::Bool => {
            let wanted = template.expanded(facts).and_then(|wanted| truth(&wanted));
            wanted.is_some() && wanted == truth(text)
        }
        Base::StringEquals
        | Base::StringLike
        | Base::Numeric(_)
        | Base::Date(_)
        | Base::BinaryEquals
        | Base::IpAddress
        | Base::ArnLike
        | Base::Null => template.matches(text, facts),
    }
}

fn number_of(value: Value<'_>) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(Decimal::of(number)),
        Value::Time(time) => Some(Decimal::of(time.seconds())),
        Value::Text(text) => Decimal::read(text),
        Value::Absent
        | Value::Bool(_)
        | Value::Address(_)
        | Value::Account(_)
        | Value::Many(_)
        | Value::Unclear
        | Value::Unknown => None,
    }
}

fn moment_of(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Time(time) => Some(time),
        Value::Number(seconds) => Some(Timestamp::from_seconds(seconds)),
        Value::Text(text) => read_moment(text),
        Value::Absent
        | Value::Bool(_)
        | Value::Address(_)
        | Value::Account(_)
        | Value::Many(_)
        | Value::Unclear
        | Value::Unknown => None,
    }
}

pub(crate) fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}

/// A network in CIDR form, or one address.
/// A network, or an address as one.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// An IPv4 address counts as one also when it is written as an IPv6 address.
fn contains(networks: &[Option<IpNet>], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().flatten().any(|network| network.contains(&address))
}
