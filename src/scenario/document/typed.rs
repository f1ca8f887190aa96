//! Any `serde` type from a node, with the place of the innermost value that did not fit.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::scenario::diagnostic::Span;

use super::{Data, Entry, Node};

/// Why a node does not fit a type, and which part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeserializeError {
    message: String,
    span: Option<Span>,
}

impl DeserializeError {
    /// The place of the innermost value or key that did not fit.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// With a place, unless a more exact one is known already.
    fn within(self, span: Span) -> DeserializeError {
        DeserializeError { span: self.span.or(Some(span)), ..self }
    }
}

impl de::Error for DeserializeError {
    fn custom<T: fmt::Display>(message: T) -> DeserializeError {
        DeserializeError { message: message.to_string(), span: None }
    }
}

impl Node {
    /// Reads the node as any type that can be deserialised.
    ///
    /// # Errors
    ///
    /// The type's own message with the place of the innermost value that it is about.
    pub fn deserialize<'de, T: de::Deserialize<'de>>(&'de self) -> Result<T, DeserializeError> {
        T::deserialize(self)
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = DeserializeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        let result = match &self.data {
            Data::Null => visitor.visit_unit(),
            Data::Bool(bool) => visitor.visit_bool(*bool),
            Data::Number(number) => number
                .deserialize_any(visitor)
                .map_err(|error| de::Error::custom(error.to_string())),
            Data::Text(text) => visitor.visit_borrowed_str(text),
            Data::List(items) => {
                let mut rest = Items(items.iter());
                let value = visitor.visit_seq(&mut rest);
                match rest.0.next() {
                    Some(extra) if value.is_ok() => {
                        let message = format!("one item too many: {} of them", items.len());
                        return Err(de::Error::custom(message)).map_err(at(extra.span));
                    }
                    _ => value,
                }
            }
            Data::Map(entries) => visitor.visit_map(Fields { rest: entries.iter(), current: None }),
        };
        result.map_err(at(self.span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_newtype_struct(self).map_err(at(self.span))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        let result = match &self.data {
            Data::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Data::Map(entries) if entries.len() == 1 => visitor.visit_enum(Choice(&entries[0])),
            _ => Err(de::Error::custom(format!(
                "expected one word or an object with one field, found {}",
                self.describe()
            ))),
        };
        result.map_err(at(self.span))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn at(span: Span) -> impl Fn(DeserializeError) -> DeserializeError {
    move |error| error.within(span)
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = DeserializeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeserializeError> {
        self.0.next().map(|node| seed.deserialize(node).map_err(at(node.span))).transpose()
    }
}

struct Fields<'de> {
    rest: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = DeserializeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DeserializeError> {
        self.current = self.rest.next();
        let Some(entry) = self.current else { return Ok(None) };
        let key: StrDeserializer<DeserializeError> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(at(entry.key_span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DeserializeError> {
        let Some(entry) = self.current else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        // What names no place of its own, such as an unknown law, is about the field.
        seed.deserialize(&entry.node).map_err(at(entry.node.span))
    }
}

/// An object with one field as a variant with its content.
struct Choice<'de>(&'de Entry);

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = DeserializeError;
    type Variant = &'de Node;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, &'de Node), DeserializeError> {
        let key: StrDeserializer<DeserializeError> = self.0.key.as_str().into_deserializer();
        let variant = seed.deserialize(key).map_err(at(self.0.key_span))?;
        Ok((variant, &self.0.node))
    }
}

impl<'de> VariantAccess<'de> for &'de Node {
    type Error = DeserializeError;

    fn unit_variant(self) -> Result<(), DeserializeError> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DeserializeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        self.deserialize_any(visitor)
    }
}
