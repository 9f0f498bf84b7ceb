//! A [`Node`] as a serde `Deserializer`.

use serde::de::{
    Deserializer, Visitor,
    value::{SeqDeserializer, StrDeserializer},
};

use super::{
    access::{Entries, Items, Variant},
    fault::Fault,
    node::Node,
    text,
};
use crate::{
    config::{Entry, Table, Value},
    near,
};

impl Node<'_> {
    /// Hands the value over as what it is.
    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_value(&self.entry.value, visitor)
            .map_err(|fault| self.locate(fault))
    }

    fn visit_value<'de, V: Visitor<'de>>(
        &self,
        value: &Value,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(number) => visit_integer(*number, visitor),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::String(text) => visitor.visit_str(text),
            Value::Text(text) => {
                self.reading
                    .resolved(&self.path, &Value::String(text.clone()));
                visitor.visit_str(text)
            }
            Value::Array(items) => self.visit_array(items, visitor),
            Value::Table(table) => self.visit_table(table, visitor),
        }
    }

    fn visit_array<'de, V: Visitor<'de>>(
        &self,
        items: &[Entry],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let nodes = items.iter().enumerate().map(|(n, entry)| Node {
            reading: self.reading,
            entry,
            path: self.path.index(n),
        });
        let mut items = Items::new(
            nodes
                .filter(|node| !self.reading.skips(&node.path))
                .collect(),
        );
        let length = items.left();
        let value = visitor.visit_seq(&mut items)?;
        match items.left() {
            0 => Ok(value),
            left => Err(Fault::expected(format!("{} items", length - left))),
        }
    }

    fn visit_table<'de, V: Visitor<'de>>(
        &self,
        table: &Table,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let nodes = table.iter().map(|(key, entry)| {
            (
                key.as_str(),
                Node {
                    reading: self.reading,
                    entry,
                    path: self.path.key(key),
                },
            )
        });
        visitor.visit_map(Entries::new(
            nodes
                .filter(|(_, node)| !self.reading.skips(&node.path))
                .collect(),
        ))
    }

    /// Hands over text of an array or a table as such, if it is one in TOML syntax.
    fn visit_bracketed<'de, V: Visitor<'de>>(
        &self,
        bracket: char,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Value::Text(text) = &self.entry.value
            && let Some(value) = text::bracketed(text, bracket)
        {
            let entry = self.resolve(value);
            return Node {
                reading: self.reading,
                entry: &entry,
                path: self.path.clone(),
            }
            .visit(visitor);
        }
        self.visit(visitor)
    }

    /// Notes the keys of a table that a struct does not know; the read goes on without them.
    fn refuse_unknown(&self, table: &Table, known: &'static [&'static str]) {
        for (key, entry) in table {
            let path = self.path.key(key);
            if !known.contains(&key.as_str()) && !self.reading.skips(&path) {
                let message = near::with_known("unknown key".to_owned(), key, known);
                self.reading.refuse(&path, &entry.origin, message);
            }
        }
    }
}

fn visit_integer<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, Fault> {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => visitor.visit_i64(number),
        (_, Ok(number)) => visitor.visit_u64(number),
        _ => visitor.visit_i128(number),
    }
}

macro_rules! typed {
    ($($method:ident: $read:path => $variant:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            if let Value::Text(text) = &self.entry.value
                && let Some(value) = $read(text)
            {
                let value = Value::$variant(value);
                self.reading.resolved(&self.path, &value);
                return self.visit_value(&value, visitor).map_err(|fault| self.locate(fault));
            }
            self.visit(visitor)
        }
    )*};
}

macro_rules! untyped {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.visit(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Fault;

    untyped! {
        deserialize_any deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_identifier
    }

    typed! {
        deserialize_bool: text::boolean => Bool;
        deserialize_i8: text::integer => Integer;
        deserialize_i16: text::integer => Integer;
        deserialize_i32: text::integer => Integer;
        deserialize_i64: text::integer => Integer;
        deserialize_i128: text::integer => Integer;
        deserialize_u8: text::integer => Integer;
        deserialize_u16: text::integer => Integer;
        deserialize_u32: text::integer => Integer;
        deserialize_u64: text::integer => Integer;
        deserialize_u128: text::integer => Integer;
        deserialize_f32: text::float => Float;
        deserialize_f64: text::float => Float;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_bracketed('[', visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.visit_bracketed('[', visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit_bracketed('[', visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_bracketed('{', visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        // serde spells `std::time::Duration` as a struct of these two fields.
        if name == "Duration"
            && fields == ["secs", "nanos"]
            && self.entry.value.as_table().is_none()
        {
            let Some(duration) = text::duration(&self.entry.value) else {
                return Err(self.locate(Fault::expected(text::DURATION)));
            };
            if let Value::Text(text) = &self.entry.value {
                self.reading
                    .resolved(&self.path, &Value::String(text.clone()));
            }
            let parts = [duration.as_secs(), duration.subsec_nanos().into()];
            return visitor.visit_seq(SeqDeserializer::new(parts.into_iter()));
        }
        if let Value::Text(text) = &self.entry.value
            && let Some(value) = text::bracketed(text, '{')
        {
            let entry = self.resolve(value);
            return Node {
                entry: &entry,
                ..self
            }
            .deserialize_struct(name, fields, visitor);
        }
        if let Value::Table(table) = &self.entry.value {
            self.refuse_unknown(table, fields);
        }
        self.visit(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.entry.value {
            Value::Text(text) if text::bracketed(text, '{').is_some() => {
                let entry = self.resolve(text::bracketed(text, '{').expect("it was one just now"));
                Node {
                    entry: &entry,
                    ..self
                }
                .deserialize_enum(name, variants, visitor)
            }
            Value::String(text) | Value::Text(text) => {
                self.reading
                    .resolved(&self.path, &Value::String(text.clone()));
                visitor
                    .visit_enum(StrDeserializer::<Fault>::new(text))
                    .map_err(|fault| self.locate(fault))
            }
            Value::Table(table) if table.len() == 1 => {
                let (name, entry) = table.first_key_value().expect("it has one entry");
                let content = Node {
                    reading: self.reading,
                    entry,
                    path: self.path.key(name),
                };
                visitor
                    .visit_enum(Variant { name, content })
                    .map_err(|fault| self.locate(fault))
            }
            _ => {
                let names: Vec<_> = variants.iter().map(|name| format!("`{name}`")).collect();
                Err(self.locate(Fault::expected(format!("one of {}", names.join(", ")))))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}
