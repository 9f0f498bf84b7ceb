//! Tables, arrays and enum variants, handed to serde item by item.

use serde::{
    de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{fault::Fault, node::Node, text};
use crate::config::Value;

/// The entries of a table that are not to be skipped.
pub(crate) struct Entries<'a> {
    rest: std::vec::IntoIter<(&'a str, Node<'a>)>,
    value: Option<Node<'a>>,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(entries: Vec<(&'a str, Node<'a>)>) -> Self {
        Self {
            rest: entries.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.rest.next() else {
            return Ok(None);
        };
        let key = seed
            .deserialize(Key(key))
            .map_err(|fault| node.locate(fault))?;
        self.value = Some(node);
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        self.value
            .take()
            .expect("serde asks for a value after its key")
            .feed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The items of an array that are not to be skipped.
pub(crate) struct Items<'a>(std::vec::IntoIter<Node<'a>>);

impl<'a> Items<'a> {
    pub(crate) fn new(items: Vec<Node<'a>>) -> Self {
        Self(items.into_iter())
    }

    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.0.next().map(|node| node.feed(seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left())
    }
}

/// A variant that holds something: a table of one key.
pub(crate) struct Variant<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: Node<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Fault;
    type Variant = Node<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Node<'a>), Fault> {
        let name = seed
            .deserialize(Key(self.name))
            .map_err(|fault| self.content.locate(fault))?;
        Ok((name, self.content))
    }
}

impl<'de> VariantAccess<'de> for Node<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match &self.entry.value {
            Value::Table(table) if table.is_empty() => Ok(()),
            _ => Err(self.locate(Fault::expected("nothing in this variant"))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        self.feed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_tuple(self, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}

/// A key of a table, read as whatever type the keys are.
pub(crate) struct Key<'a>(pub(crate) &'a str);

macro_rules! integer_keys {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match text::integer(self.0).map(|number| (i64::try_from(number), u64::try_from(number))) {
                Some((Ok(number), _)) => visitor.visit_i64(number),
                Some((_, Ok(number))) => visitor.visit_u64(number),
                _ => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Key<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.0)
    }

    integer_keys! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(de::value::StrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
