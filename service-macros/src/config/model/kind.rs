//! What a field can hold, as far as its type's name tells.
//!
//! A macro sees names, not types: what is not plainly one of these is [`Kind::Other`], of which
//! nothing is demanded, and the configuration checks it when it is read.

use syn::{GenericArgument, Path, PathArguments, Type};

/// What a field can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A whole number within the limits of its type, and of TOML's 64 bits and a sign.
    Integer {
        low: i64,
        high: i64,
        zero: bool,
    },
    Float,
    Bool,
    Text,
    Duration,
    Size,
    /// An array of values of one kind.
    List(Box<Kind>),
    /// Anything else.
    Other,
}

impl Kind {
    /// Reads the kind off a type's name.
    pub(super) fn of(ty: &Type) -> Self {
        let Type::Path(path) = bare(ty) else {
            return match bare(ty) {
                Type::Array(array) => Self::List(Box::new(Self::of(&array.elem))),
                _ => Self::Other,
            };
        };
        let Some((name, arg)) = last(&path.path) else {
            return Self::Other;
        };
        match (name.as_str(), arg) {
            ("Box" | "Rc" | "Arc" | "Cow", Some(inner)) => Self::of(inner),
            ("Vec" | "VecDeque" | "HashSet" | "BTreeSet", Some(inner)) => {
                Self::List(Box::new(Self::of(inner)))
            }
            (name, None) => Self::named(name),
            _ => Self::Other,
        }
    }

    fn named(name: &str) -> Self {
        let (number, zero) = match name.strip_prefix("NonZero") {
            Some(rest) => (rest.to_ascii_lowercase(), false),
            None => (name.to_owned(), true),
        };
        let (low, high) = match number.as_str() {
            "u8" => (0, u8::MAX.into()),
            "u16" => (0, u16::MAX.into()),
            "u32" => (0, u32::MAX.into()),
            "u64" | "u128" | "usize" => (0, i64::MAX),
            "i8" => (i8::MIN.into(), i8::MAX.into()),
            "i16" => (i16::MIN.into(), i16::MAX.into()),
            "i32" => (i32::MIN.into(), i32::MAX.into()),
            "i64" | "i128" | "isize" => (i64::MIN, i64::MAX),
            _ => {
                return match name {
                    "f32" | "f64" => Self::Float,
                    "bool" => Self::Bool,
                    "String" | "str" | "char" | "PathBuf" | "Path" | "IpAddr" | "Ipv4Addr"
                    | "Ipv6Addr" | "SocketAddr" => Self::Text,
                    "Duration" => Self::Duration,
                    "Size" | "ByteSize" => Self::Size,
                    _ => Self::Other,
                };
            }
        };
        Self::Integer { low, high, zero }
    }

    /// What to write for a value of this kind.
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Integer { low, high, zero } => {
                let low = if *low == 0 && !zero { 1 } else { *low };
                let except = if low < 0 && !zero { ", but not 0" } else { "" };
                format!("write a whole number from {low} to {high}{except}")
            }
            Self::Float => "write a number, as in `0.5`".to_owned(),
            Self::Bool => "write `true` or `false`".to_owned(),
            Self::Text => "write a string, as in `\"text\"`".to_owned(),
            Self::Duration => "write a duration as a string, as in `\"5s\"`".to_owned(),
            Self::Size => "write a size as a string, as in `\"64MiB\"`".to_owned(),
            Self::List(of) => format!("write an array; for each of its values {}", of.wanted()),
            Self::Other => "write a literal".to_owned(),
        }
    }

    /// Whether values of this kind can be less or more than others.
    pub(super) fn has_order(&self) -> bool {
        !matches!(self, Self::Bool | Self::Text | Self::List(_))
    }
}

/// What the tables of an option may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Collection {
    List,
    Map,
}

/// The type inside of lists, maps, options and boxes, and the lists and maps from the outside in.
pub(super) fn innermost(ty: &Type) -> (&Type, Vec<Collection>) {
    let (mut ty, mut within) = (ty, Vec::new());
    loop {
        ty = match bare(ty) {
            Type::Array(array) => {
                within.push(Collection::List);
                &array.elem
            }
            Type::Path(path) => {
                let Some((collection, inner)) = holder(&path.path) else {
                    return (ty, within);
                };
                within.extend(collection);
                inner
            }
            _ => return (ty, within),
        };
    }
}

/// What a generic type is to the configuration, if it holds values of one other type.
fn holder(path: &Path) -> Option<(Option<Collection>, &Type)> {
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    let types = args.args.iter().filter_map(|arg| match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    let types: Vec<&Type> = types.collect();
    match (last.ident.to_string().as_str(), &types[..]) {
        ("Option" | "Box" | "Rc" | "Arc" | "Cow", [inner]) => Some((None, inner)),
        ("Vec" | "VecDeque" | "HashSet" | "BTreeSet", [inner, ..]) => {
            Some((Some(Collection::List), inner))
        }
        ("HashMap" | "BTreeMap" | "IndexMap", [_, inner, ..]) => {
            Some((Some(Collection::Map), inner))
        }
        _ => None,
    }
}

/// The type within an `Option`.
pub(super) fn optional(ty: &Type) -> Option<&Type> {
    match bare(ty) {
        Type::Path(path) => match last(&path.path) {
            Some((name, inner)) if name == "Option" => inner,
            _ => None,
        },
        _ => None,
    }
}

/// The last name of a path and its only argument that is a type.
fn last(path: &Path) -> Option<(String, Option<&Type>)> {
    let last = path.segments.last()?;
    let mut types = match &last.arguments {
        PathArguments::None => return Some((last.ident.to_string(), None)),
        PathArguments::Parenthesized(_) => return None,
        PathArguments::AngleBracketed(args) => args.args.iter().filter_map(|arg| match arg {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
    };
    match (types.next(), types.next()) {
        (Some(only), None) => Some((last.ident.to_string(), Some(only))),
        _ => None,
    }
}

/// Looks through parentheses and the invisible groups that `macro_rules!` leaves.
fn bare(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            other => return other,
        };
    }
}

#[cfg(test)]
mod tests {
    use syn::{Type, parse_quote};

    use super::{Collection, Kind, innermost, optional};

    #[test]
    fn the_innermost_type_and_what_it_stands_in_are_found() {
        let ty: Type = parse_quote!(Option<HashMap<String, Vec<Box<Server>>>>);
        let server: Type = parse_quote!(Server);
        let found = innermost(&ty);
        assert_eq!(found, (&server, vec![Collection::Map, Collection::List]));
        assert_eq!(innermost(&server), (&server, Vec::new()));
    }

    #[test]
    fn a_name_tells_what_a_field_can_hold() {
        let text: Type = parse_quote!(std::borrow::Cow<'static, str>);
        assert_eq!(Kind::of(&text), Kind::Text);
        assert_eq!(Kind::of(&parse_quote!(std::time::Duration)), Kind::Duration);
        assert_eq!(Kind::of(&parse_quote!((u8))), Kind::named("u8"));
        let list = Kind::List(Box::new(Kind::Bool));
        assert_eq!(Kind::of(&parse_quote!(Vec<bool>)), list);
        assert_eq!(Kind::of(&parse_quote!([bool; 2])), list);
        assert_eq!(Kind::of(&parse_quote!(LogLevel)), Kind::Other);
        assert_eq!(Kind::of(&parse_quote!(HashMap<String, u8>)), Kind::Other);
        assert_eq!(Kind::of(&parse_quote!(Level<u8>)), Kind::Other);
        let (low, high, zero) = (0, 255, false);
        let one_or_more = Kind::Integer { low, high, zero };
        assert_eq!(Kind::of(&parse_quote!(std::num::NonZeroU8)), one_or_more);
    }

    #[test]
    fn an_option_is_known_by_its_name() {
        let inner: Type = parse_quote!(u16);
        assert_eq!(optional(&parse_quote!(Option<u16>)), Some(&inner));
        let path: Type = parse_quote!(::core::option::Option<u16>);
        assert_eq!(optional(&path), Some(&inner));
        assert_eq!(optional(&parse_quote!(Vec<u16>)), None);
    }
}
