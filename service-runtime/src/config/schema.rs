//! `--config-schema`: a JSON Schema of all tables, by which editors complete and check a file.

use serde_json::{Map, Value as Json, json};

use super::{Collection, Field, MASK, Origin, Section, Value, parse, range};

/// Describes every table of a program as a JSON Schema of draft 2020-12.
///
/// What it says of a value is no more than what the program itself asks for; the program may ask for more.
pub(crate) fn json_schema(program: &str, sections: &[Section]) -> String {
    let tables: Map<String, Json> = sections
        .iter()
        .map(|section| (section.name().to_owned(), of_section(section)))
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Configuration of {program}"),
        "type": "object",
        "properties": tables,
    });
    format!("{schema:#}\n")
}

fn of_section(section: &Section) -> Json {
    let mut table = of_table(&section.fields, &mut Vec::new());
    describe(&mut table, section.doc);
    for address in section.addresses {
        let property = &mut table["properties"][*address];
        if property.is_object() {
            property["type"] = json!(["string", "array"]);
            property["items"] = json!({"type": "string"});
        }
    }
    for reserved in &section.reserved {
        let inner = of_table(&reserved.fields, &mut Vec::new());
        table["properties"][reserved.name] = json!({
            "type": "object",
            "additionalProperties": inner,
        });
    }
    // A section that is made at run time may hold what its service reads by itself.
    if section.fields.is_empty() {
        return table;
    }
    table["additionalProperties"] = false.into();
    table
}

/// Describes a table by its options; `above` are the tables that it stands in.
fn of_table(fields: &[Field], above: &mut Vec<*const Field>) -> Json {
    let mut properties = Map::new();
    for field in fields {
        let property = of_field(field, above);
        for alias in field.aliases {
            properties.insert((*alias).to_owned(), property.clone());
        }
        properties.insert(field.name.to_owned(), property);
    }
    json!({"type": "object", "properties": properties})
}

fn of_field(field: &Field, above: &mut Vec<*const Field>) -> Json {
    let mut schema = match field.nested {
        Some(tables) => {
            let inner = tables.fields();
            // A type that holds itself is described once.
            let table = if above.contains(&inner.as_ptr()) {
                json!({"type": "object"})
            } else {
                above.push(inner.as_ptr());
                let table = of_table(inner, above);
                above.pop();
                table
            };
            tables
                .within
                .iter()
                .rev()
                .fold(table, |inside, around| match around {
                    Collection::List => json!({"type": "array", "items": inside}),
                    Collection::Map => json!({"type": "object", "additionalProperties": inside}),
                })
        }
        None => of_value(field),
    };
    let mut words = vec![field.doc.trim().to_owned()];
    if field.low.is_some() || field.high.is_some() {
        words.push(format!("Range: {}.", range::words(field)));
    }
    if field.is_required() {
        words.push("Required.".to_owned());
    }
    if field.mutable {
        words.push("Can change while the program runs.".to_owned());
    }
    if field.secret {
        words.push("Secret.".to_owned());
    }
    words.retain(|line| !line.is_empty());
    describe(&mut schema, &words.join("\n"));
    let default = field
        .default
        .and_then(|text| parse::value(text, &Origin::Default).ok());
    if let Some(default) = default {
        schema["default"] = if field.secret {
            MASK.into()
        } else {
            as_json(&default)
        };
    }
    schema
}

/// Describes a value by its type as the author has written it; of a type that is unknown nothing is said.
fn of_value(field: &Field) -> Json {
    if !field.choices.is_empty() {
        return json!({"enum": field.choices});
    }
    let kind = field.plain_kind();
    let item = kind
        .strip_prefix("Vec<")
        .and_then(|rest| rest.strip_suffix('>'));
    match item {
        Some(item) => json!({"type": "array", "items": of_kind(item, field)}),
        None => of_kind(&kind, field),
    }
}

fn of_kind(kind: &str, field: &Field) -> Json {
    let number = kind
        .strip_prefix("NonZero")
        .unwrap_or(kind)
        .to_ascii_lowercase();
    let mut schema = match number.as_str() {
        "bool" => json!({"type": "boolean"}),
        "string" | "str" | "pathbuf" | "char" => json!({"type": "string"}),
        "f32" | "f64" => json!({"type": "number"}),
        "u8" | "u16" | "u32" | "u64" | "usize" | "u128" => json!({"type": "integer", "minimum": 0}),
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => json!({"type": "integer"}),
        "duration" => {
            json!({"type": ["string", "integer"], "examples": ["500ms", "30s", "1h 30m"]})
        }
        "size" => json!({"type": ["string", "integer"], "examples": ["64MiB", "1GiB"]}),
        _ => return json!({}),
    };
    if number != kind.to_ascii_lowercase() {
        schema["minimum"] = 1.into();
    }
    let is_number = schema["type"] == "integer" || schema["type"] == "number";
    for (bound, word) in [(field.low, "minimum"), (field.high, "maximum")] {
        let bound = bound.and_then(|text| parse::value(text, &Origin::Default).ok());
        if let Some(bound) = bound.filter(|_| is_number) {
            schema[word] = as_json(&bound);
        }
    }
    schema
}

fn describe(schema: &mut Json, words: &str) {
    let lines: Vec<&str> = words.lines().map(str::trim).collect();
    if !lines.is_empty() {
        schema["description"] = lines.join("\n").into();
    }
}

/// Writes a value of a file as JSON; a time, which JSON has not, as text.
fn as_json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Integer(number) => match i64::try_from(*number) {
            Ok(number) => number.into(),
            Err(_) => number.to_string().into(),
        },
        Value::Float(number) => (*number).into(),
        Value::Array(items) => items.iter().map(|item| as_json(&item.value)).collect(),
        other => match other.as_str() {
            Some(text) => text.into(),
            None => other.to_string().into(),
        },
    }
}
