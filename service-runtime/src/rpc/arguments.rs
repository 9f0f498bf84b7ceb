//! The arguments of a call, taken out by name.

use std::fmt;

use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use super::message::RawArguments;

/// The arguments of a call, by name.
///
/// What nobody takes is left alone, so that a caller may send more than an old server knows.
#[derive(Debug)]
pub struct Arguments(RawArguments);

/// Why an argument was not what a method takes.
#[derive(Debug, thiserror::Error)]
#[error("argument `{name}`: {why}")]
pub struct ArgumentError {
    name: String,
    why: String,
}

impl Arguments {
    pub(super) fn new(raw: RawArguments) -> Self {
        Self(raw)
    }

    /// Takes out an argument; a missing `Option` is `None`.
    ///
    /// # Errors
    ///
    /// Returns an error if it is missing, or not of this type.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ArgumentError> {
        let read = match self.0.remove(name) {
            Some(raw) => serde_json::from_str(raw.get()).map_err(|error| error.to_string()),
            None => T::deserialize(Missing).map_err(|error| error.to_string()),
        };
        read.map_err(|why| ArgumentError {
            name: name.to_owned(),
            why,
        })
    }

    /// Takes out an argument; a missing one is its type's default.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not of this type.
    pub fn take_or_default<T: DeserializeOwned + Default>(
        &mut self,
        name: &str,
    ) -> Result<T, ArgumentError> {
        if self.0.contains_key(name) {
            return self.take(name);
        }
        Ok(T::default())
    }
}

/// What is not there: an `Option` is `None`, all else an error, as serde does it with fields.
struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = MissingError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, MissingError> {
        Err(MissingError("it is missing".to_owned()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, MissingError> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[derive(Debug)]
struct MissingError(String);

impl fmt::Display for MissingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MissingError {}

impl de::Error for MissingError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments::new(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn arguments_are_taken_by_name_in_any_order() {
        let mut args = arguments(r#"{"b":[1,2],"a":"x","unknown":null}"#);
        assert_eq!(args.take::<String>("a").unwrap(), "x");
        assert_eq!(args.take::<Vec<u8>>("b").unwrap(), [1, 2]);
    }

    #[test]
    fn a_missing_option_is_none_and_anything_else_an_error_that_names_it() {
        let mut args = arguments("{}");
        assert_eq!(args.take::<Option<u8>>("a").unwrap(), None);
        assert_eq!(args.take_or_default::<u8>("a").unwrap(), 0);
        let error = args.take::<u8>("flavor").unwrap_err().to_string();
        assert_eq!(error, "argument `flavor`: it is missing");
    }

    #[test]
    fn an_argument_of_another_type_is_named() {
        let error = arguments(r#"{"n":-1}"#)
            .take::<u8>("n")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("argument `n`: invalid value"), "{error}");
    }
}
