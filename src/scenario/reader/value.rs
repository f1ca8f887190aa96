//! Types that know how to be read from a node.

use serde_json::{Number, Value};

use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Span};
use crate::scenario::document::{Data, Node};
use crate::scenario::source::visible;

use super::Reader;

/// A type that knows how to be read from a node.
pub trait FromNode: Sized {
    /// The value; `None` if the node does not fit, which was then reported.
    fn from_node(node: &Node, reader: &Reader) -> Option<Self>;
}

impl FromNode for String {
    fn from_node(node: &Node, reader: &Reader) -> Option<String> {
        match &node.data {
            Data::Text(text) => Some(text.clone()),
            _ => reader.wrong_type(node, "a text"),
        }
    }
}

impl FromNode for bool {
    fn from_node(node: &Node, reader: &Reader) -> Option<bool> {
        match &node.data {
            Data::Bool(bool) => Some(*bool),
            _ => reader.wrong_type(node, "true or false"),
        }
    }
}

impl FromNode for f64 {
    fn from_node(node: &Node, reader: &Reader) -> Option<f64> {
        reader.number_in(node, "a number", ..)
    }
}

/// Below 2^53 every whole number is a float of its own; beyond it, digits were cut off.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A whole number; `1.0` and `1e3` are whole.
fn whole(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    let float = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= EXACT_MAX);
    #[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53, as just checked")]
    exact.or_else(|| float().map(|float| float as i128))
}

macro_rules! whole_numbers {
    ($($type:ty),*) => { $(
        impl FromNode for $type {
            fn from_node(node: &Node, reader: &Reader) -> Option<$type> {
                let wanted = if <$type>::MIN == 0 && <$type>::BITS >= 64 {
                    "a whole number, 0 or above".to_owned()
                } else {
                    format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX)
                };
                let Data::Number(number) = &node.data else {
                    return reader.wrong_type(node, "a whole number");
                };
                let fits = whole(number).and_then(|number| <$type>::try_from(number).ok());
                fits.or_else(|| reader.bad_number(node, &wanted))
            }
        }
    )* };
}
whole_numbers!(u8, u16, u32, u64, usize, i32, i64);

impl FromNode for Duration {
    fn from_node(node: &Node, reader: &Reader) -> Option<Duration> {
        let Data::Text(text) = &node.data else {
            return reader.wrong_type(node, "a duration such as `\"15s\"`");
        };
        Duration::parse(text)
            .map_err(|error| {
                let message = format!("`{}` is no duration: {error}", visible(text));
                let span = within(node, text, error.offset(), reader);
                reader.report(Diagnostic::error(Code::BAD_DURATION, message).at(span, ""));
            })
            .ok()
    }
}

/// The place of the rest of a text from `offset` on, where the file has the text as it is; else
/// that of the whole value.
fn within(node: &Node, text: &str, offset: usize, reader: &Reader) -> Span {
    let written = reader.written(node);
    let quote = usize::from(written.len() == text.len() + 2);
    let as_it_is = written.get(quote..written.len() - quote) == Some(text);
    if !as_it_is || offset >= text.len() || !text.is_char_boundary(offset) {
        return node.span;
    }
    Span::new(node.span.start + quote + offset, node.span.end - quote)
}

impl FromNode for Law {
    fn from_node(node: &Node, reader: &Reader) -> Option<Law> {
        match &node.data {
            Data::Text(_) => reader.read(node).map(Law::Fixed),
            Data::Map(entries) if !entries.is_empty() => reader.deserialize(node, Code::BAD_LAW),
            _ => reader.wrong_type(
                node,
                "a duration such as `\"15s\"` or a law such as `{\"uniform\": [\"30s\", \"40s\"]}`",
            ),
        }
    }
}

/// Whatever it is, without places.
impl FromNode for Value {
    fn from_node(node: &Node, _: &Reader) -> Option<Value> {
        Some(node.to_value())
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node, reader: &Reader) -> Option<Vec<T>> {
        reader.list_with(node, T::from_node)
    }
}
