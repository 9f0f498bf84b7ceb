//! `--sample-config`: a commented template of everything that can be set.

use std::fmt::Write;

use super::{Collection, Field, MASK, Origin, Section, display, parse, range};
use crate::near;

/// Writes a template of all sections: what each option is for, its type, range and default.
///
/// The text is a valid file that sets nothing. Lines that begin with `#` and a letter are options at their
/// defaults, to be uncommented; lines that begin with `# ` are words.
pub(crate) fn sample_config(sections: &[Section]) -> String {
    let mut out = String::new();
    for section in sections {
        separate(&mut out);
        words(&mut out, section.doc);
        let path = display::key(section.name());
        let _ = writeln!(out, "[{path}]");
        table(&mut out, &section.fields, &path, false, &[]);
        for reserved in &section.reserved {
            // The name of the last table is the operator's to fill in.
            let path = format!("{path}.{}.NAME", display::key(reserved.name));
            let _ = writeln!(out, "\n# [{path}]");
            table(&mut out, &reserved.fields, &path, true, &[]);
        }
    }
    out
}

/// Writes the options of a table; in a `hidden` one even the defaults are words, since its header is.
fn table(out: &mut String, fields: &[Field], path: &str, hidden: bool, above: &[*const Field]) {
    for field in fields.iter().filter(|field| field.nested.is_none()) {
        separate(out);
        words(out, field.doc);
        let _ = writeln!(out, "# {}.", traits(field).join(", "));
        let name = display::key(field.name);
        let default = field
            .default
            .and_then(|text| parse::value(text, &Origin::Default).ok());
        let _ = match default {
            Some(_) if field.secret => writeln!(out, "# {name} = {:?}", MASK),
            Some(default) if hidden => writeln!(out, "# {name} = {default}"),
            Some(default) => writeln!(out, "#{name} = {default}"),
            None => writeln!(out, "# {name} = …"),
        };
    }
    for field in fields {
        let Some(tables) = field.nested else { continue };
        let inner = tables.fields();
        // A type that holds itself has been shown already.
        if above.contains(&inner.as_ptr()) {
            continue;
        }
        separate(out);
        words(out, field.doc);
        let path = format!("{path}.{}", display::key(field.name));
        let header = header(&path, tables.within);
        // A table that may be absent must not come to be by its mere header, nor one of many.
        let hidden = hidden || field.optional || !tables.is_one();
        let _ = writeln!(out, "{}{header}", if hidden { "# " } else { "" });
        let path = header.trim_matches(['[', ']']);
        table(
            out,
            inner,
            path,
            hidden,
            &[above, &[inner.as_ptr()]].concat(),
        );
    }
}

/// Returns the line that opens a table of an option; names of a map are the operator's to fill in.
fn header(path: &str, within: &[Collection]) -> String {
    let names = within
        .iter()
        .filter(|collection| **collection == Collection::Map);
    let path = format!("{path}{}", ".NAME".repeat(names.count()));
    match within.last() {
        Some(Collection::List) => format!("[[{path}]]"),
        _ => format!("[{path}]"),
    }
}

fn traits(field: &Field) -> Vec<String> {
    let kind: String = field.kind.split_whitespace().collect();
    let mut traits = vec![format!("Type {kind}")];
    if !field.choices.is_empty() {
        traits.push(format!("one of {}", near::list(field.choices)));
    }
    if field.low.is_some() || field.high.is_some() {
        traits.push(range::words(field));
    }
    if field.is_required() {
        traits.push("required".to_owned());
    } else if field.default.is_none() {
        traits.push("not set by default".to_owned());
    }
    if field.mutable {
        traits.push("can change while the program runs".to_owned());
    }
    if field.secret {
        traits.push("secret".to_owned());
    }
    traits
}

fn words(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "{}", format!("# {}", line.trim()).trim_end());
    }
}

/// Leaves a line empty, unless the text begins here or a header stands right above.
fn separate(out: &mut String) {
    if !out.is_empty() && !out.ends_with("]\n") {
        out.push('\n');
    }
}
