//! What a scalar without quotes is: the core schema of YAML 1.2.
//!
//! `yes`, `on` and `0755` are what they look like (two texts and 755), not what YAML 1.1 made of
//! them.

use serde_json::Number;

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Span};
use crate::scenario::document::Data;

/// The value of a plain scalar.
///
/// # Errors
///
/// For numbers that are not finite or too large: no option takes them.
pub(super) fn resolve(text: &str, span: Span) -> Result<Data, Box<Diagnostic>> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        _ if is_infinite(text) => return Err(no_number(text, span).into()),
        _ if is_number(text) => match number(text) {
            Some(number) => Data::Number(number),
            None => return Err(no_number(text, span).into()),
        },
        _ => Data::Text(text.to_owned()),
    })
}

fn is_infinite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+` or
/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_number(text: &str) -> bool {
    let all =
        |text: &str, digit: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| digit(&b));
    if let Some(octal) = text.strip_prefix("0o") {
        return all(octal, |b| matches!(b, b'0'..=b'7'));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return all(hex, u8::is_ascii_hexdigit);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| all(text, u8::is_ascii_digit);
    let mantissa_good = match fraction {
        None => digits(whole),
        Some(fraction) if whole.is_empty() => digits(fraction),
        Some(fraction) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    let unsigned_exponent = |text: &str| digits(text.strip_prefix(['-', '+']).unwrap_or(text));
    mantissa_good && exponent.is_none_or(unsigned_exponent)
}

/// The number that a text stands for which has the form of one. `None`: too large.
fn number(text: &str) -> Option<Number> {
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    // JSON's own spelling is decoded as in JSON, so that both formats give the same bits.
    if let Ok(number) = serde_json::from_str(text) {
        return Some(number);
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = unsigned.parse::<u64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = unsigned.parse::<i64>() {
        return Some(whole.into());
    }
    Number::from_f64(unsigned.parse().ok()?)
}

fn no_number(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::YAML_SYNTAX, format!("`{text}` is no number here"))
        .at(span, "not finite, or too large")
        .help("if a text is meant, put it in quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: scalars resolve as the core schema of YAML 1.2 says (its section 10.3).
    #[test]
    fn scalars_resolve_as_the_core_schema_says() {
        let text = |text: &str| Data::Text(text.to_owned());
        let number =
            |number: serde_json::Value| Data::Number(serde_json::from_value(number).unwrap());
        for (written, meant) in [
            ("", Data::Null),
            ("~", Data::Null),
            ("NULL", Data::Null),
            ("nUll", text("nUll")),
            ("True", Data::Bool(true)),
            ("FALSE", Data::Bool(false)),
            ("yes", text("yes")),
            ("on", text("on")),
            ("0", number(0.into())),
            ("-7", number((-7).into())),
            ("+7", number(7.into())),
            ("0755", number(755.into())),
            ("0o14", number(12.into())),
            ("0xF4", number(244.into())),
            ("0x", text("0x")),
            ("18446744073709551615", number(u64::MAX.into())),
            (".5", number(0.5.into())),
            ("5.", number(5.0.into())),
            ("+12e-2", number(0.12.into())),
            ("1_000", text("1_000")),
            ("1:30", text("1:30")),
            ("15s", text("15s")),
            ("1e", text("1e")),
            ("e5", text("e5")),
            (".", text(".")),
            ("-", text("-")),
            ("0e0", number(0.0.into())),
        ] {
            assert_eq!(resolve(written, Span::default()).unwrap(), meant, "{written}");
        }
    }

    /// Law: numbers that no option can take are refused rather than rounded or read as texts.
    #[test]
    fn endless_numbers_are_refused() {
        for written in [".inf", "-.INF", ".nan", "1e999", "0xFFFFFFFFFFFFFFFFF"] {
            assert!(resolve(written, Span::default()).is_err(), "{written}");
        }
    }
}
