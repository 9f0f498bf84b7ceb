//! What texts turned out to be, from a process that reads them into types to one that must not.
//!
//! Both have laid the same layers over each other, so their texts stand in the same order: one letter
//! for each is enough.

use super::{
    Entry, Table, Value,
    de::text::{boolean, bracketed, float, integer},
};

/// Returns a letter for each text of a tree: what is in its place in a tree that was read into types.
pub(crate) fn kinds(table: &Table, typed: &Table) -> Vec<u8> {
    let mut kinds = Vec::new();
    gather(table, Some(typed), &mut kinds);
    kinds
}

fn gather(table: &Table, typed: Option<&Table>, kinds: &mut Vec<u8>) {
    for (key, entry) in table {
        let typed = typed.and_then(|typed| typed.get(key)).map(|it| &it.value);
        match &entry.value {
            Value::Table(inner) => gather(inner, typed.and_then(Value::as_table), kinds),
            Value::Text(_) => kinds.push(match typed {
                Some(Value::Bool(_)) => b'b',
                Some(Value::Integer(_)) => b'i',
                Some(Value::Float(_)) => b'f',
                Some(Value::String(_)) => b's',
                Some(Value::Array(_)) => b'[',
                Some(Value::Table(_)) => b'{',
                Some(Value::Text(_)) | None => b'-',
            }),
            _ => {}
        }
    }
}

/// Gives each text of a tree the type that its letter says; what does not fit stays a text.
pub(crate) fn give(table: &mut Table, kinds: &mut impl Iterator<Item = u8>) {
    for entry in table.values_mut() {
        if let Value::Table(inner) = &mut entry.value {
            give(inner, kinds);
        } else if let Value::Text(text) = &entry.value
            && let Some(value) = kinds.next().and_then(|kind| typed(text, kind))
        {
            let mut new = Entry::new(value, entry.origin.clone());
            new.adopt(entry);
            *entry = new;
        }
    }
}

fn typed(text: &str, kind: u8) -> Option<Value> {
    match kind {
        b'b' => boolean(text).map(Value::Bool),
        b'i' => integer(text).map(Value::Integer),
        b'f' => float(text).map(Value::Float),
        b's' => Some(Value::String(text.to_owned())),
        b'[' | b'{' => bracketed(text, kind.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    #[test]
    fn texts_get_the_types_that_another_process_has_read_them_into() {
        let entry = |value| Entry::new(value, Origin::set("a.b"));
        let texts = ["yes", "7", "1.5", "word", "[1, 2]", "{ a = 1 }", "nobody"];
        let typed = |n: usize| match n {
            0 => Value::Bool(true),
            1 => Value::Integer(7),
            2 => Value::Float(1.5),
            3 => Value::String("word".to_owned()),
            4 => bracketed("[1, 2]", '[').unwrap(),
            5 => bracketed("{ a = 1 }", '{').unwrap(),
            _ => Value::text("nobody"),
        };
        let table = |of: &dyn Fn(usize) -> Value| -> Table {
            let inner = texts.iter().enumerate().map(|(n, _)| {
                let mut new = entry(of(n));
                new.adopt(&entry(Value::Bool(true)));
                (format!("k{n}"), new)
            });
            let plain = ("a".to_owned(), entry(Value::Integer(1)));
            let inner = entry(Value::Table(inner.collect()));
            Table::from([plain, ("t".to_owned(), inner)])
        };
        let (mut plain, other) = (table(&|n| Value::text(texts[n])), table(&typed));
        let letters = kinds(&plain, &other);
        assert_eq!(letters, b"bifs[{-");
        give(&mut plain, &mut letters.into_iter());
        assert_eq!(plain, other);
    }
}
