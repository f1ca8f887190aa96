//! Options of the real software, declared once: name, meaning, unit, default by version and its source.
//!
//! From one `params!` declaration come the typed struct, the reading of a scenario's section, the
//! effective values with their sources, and the schema. The scenario layer knows no kind: it hands
//! each entry of a section over and maps the problems that come back to places in the file.

use super::versions::Versions;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use serde_json::{Value, json};

/// A type that an option can have.
pub trait ParamValue: Sized {
    /// Reads the value as a scenario writes it.
    ///
    /// # Errors
    /// What is wrong and what would be right, as a sentence fragment for a diagnostic.
    fn read(value: &Value) -> Result<Self, String>;
    /// The value as a scenario would write it.
    fn show(&self) -> Value;
    /// JSON Schema of the values that [`ParamValue::read`] accepts.
    fn schema() -> Value;
}

/// What is known of one option before any scenario is read.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The real software's option name.
    pub name: &'static str,
    /// Meaning, with unit and edges.
    pub doc: &'static str,
    /// Where the default comes from.
    pub source: &'static str,
    /// JSON Schema of the value.
    pub schema: fn() -> Value,
}

/// A contradiction inside one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option at which the problem is shown.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// Whether the real software refuses it (error) or merely runs badly (warning).
    pub fatal: bool,
}

/// One option's effective value and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// The option's name.
    pub name: &'static str,
    /// The value in force.
    pub value: Value,
    /// The default's source; the reader of a scenario replaces it where the file set the value.
    pub source: &'static str,
}

/// A section of options. Implemented by the `params!` macro.
pub trait Params: Sized {
    /// Every option, in declaration order.
    fn fields() -> Vec<FieldInfo>;
    /// The real software's defaults at these versions.
    fn defaults(versions: &Versions) -> Self;
    /// Sets one option. `Ok(false)`: there is no option of that name.
    ///
    /// # Errors
    /// What is wrong with the value.
    fn set(&mut self, name: &str, value: &Value) -> Result<bool, String>;
    /// Every option's value in force.
    fn effective(&self) -> Vec<Effective>;
}

/// Declares a section of options; see the module's documentation.
///
/// ```ignore
/// params! {
///     /// Leader election of one instance.
///     pub struct LeaderElection {
///         /// How long …
///         lease_duration: Duration = "leaseDuration", |_v| Duration::from_secs(15),
///             "kube-controller-manager --leader-elect-lease-duration";
///     }
/// }
/// ```
macro_rules! params {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident : $ty:ty = $option:literal, |$v:ident| $default:expr, $source:expr; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $ty, )+
        }

        impl $crate::component::param::Params for $name {
            fn fields() -> Vec<$crate::component::param::FieldInfo> {
                vec![ $( $crate::component::param::FieldInfo {
                    name: $option,
                    doc: concat!($($doc, "\n"),+),
                    source: $source,
                    schema: <$ty as $crate::component::param::ParamValue>::schema,
                } ),+ ]
            }

            fn defaults(versions: &$crate::component::versions::Versions) -> Self {
                Self { $( $field: { let $v = versions; let _ = $v; $default } ),+ }
            }

            fn set(&mut self, name: &str, value: &serde_json::Value) -> Result<bool, String> {
                match name {
                    $( $option => self.$field = $crate::component::param::ParamValue::read(value)?, )+
                    _ => return Ok(false),
                }
                Ok(true)
            }

            fn effective(&self) -> Vec<$crate::component::param::Effective> {
                vec![ $( $crate::component::param::Effective {
                    name: $option,
                    value: $crate::component::param::ParamValue::show(&self.$field),
                    source: $source,
                } ),+ ]
            }
        }
    };
}
pub(crate) use params;

/// Declares an enumeration of words, as options such as `balance roundrobin` have them.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $crate::component::param::ParamValue for $name {
            fn read(value: &serde_json::Value) -> Result<Self, String> {
                match value.as_str() {
                    $( Some($word) => Ok(Self::$variant), )+
                    _ => Err(format!("expected one of {}, found {value}", [$(concat!("`", $word, "`")),+].join(", "))),
                }
            }
            fn show(&self) -> serde_json::Value {
                match self { $( Self::$variant => $word.into(), )+ }
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),+] })
            }
        }
    };
}
pub(crate) use words;

impl ParamValue for Duration {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Duration::parse(text).map_err(|e| e.to_string()),
            Value::Number(n) => {
                Err(format!("expected a duration such as `\"{n}s\"`, found the number {n}"))
            }
            other => Err(format!("expected a duration such as `\"15s\"`, found {}", sort(other))),
        }
    }
    fn show(&self) -> Value {
        self.to_string().into()
    }
    fn schema() -> Value {
        json!({ "$ref": "#/$defs/duration" })
    }
}

impl ParamValue for Law {
    fn read(value: &Value) -> Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|e| e.to_string())
    }
    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
    fn schema() -> Value {
        json!({ "$ref": "#/$defs/law" })
    }
}

impl<T: ParamValue> ParamValue for Option<T> {
    fn read(value: &Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }
    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, ParamValue::show)
    }
    fn schema() -> Value {
        json!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
}

impl ParamValue for bool {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| format!("expected true or false, found {}", sort(value)))
    }
    fn show(&self) -> Value {
        (*self).into()
    }
    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl ParamValue for u32 {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
            format!("expected a whole number from 0 to {}, found {}", u32::MAX, sort(value))
        })
    }
    fn show(&self) -> Value {
        (*self).into()
    }
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl ParamValue for u64 {
    fn read(value: &Value) -> Result<Self, String> {
        value
            .as_u64()
            .ok_or_else(|| format!("expected a whole number, 0 or above, found {}", sort(value)))
    }
    fn show(&self) -> Value {
        (*self).into()
    }
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl ParamValue for i32 {
    fn read(value: &Value) -> Result<Self, String> {
        value
            .as_i64()
            .and_then(|n| i32::try_from(n).ok())
            .ok_or_else(|| format!("expected a whole number, found {}", sort(value)))
    }
    fn show(&self) -> Value {
        (*self).into()
    }
    fn schema() -> Value {
        json!({ "type": "integer" })
    }
}

impl ParamValue for f64 {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_f64().ok_or_else(|| format!("expected a number, found {}", sort(value)))
    }
    fn show(&self) -> Value {
        json!(self)
    }
    fn schema() -> Value {
        json!({ "type": "number" })
    }
}

impl ParamValue for String {
    fn read(value: &Value) -> Result<Self, String> {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("expected a text, found {}", sort(value)))
    }
    fn show(&self) -> Value {
        self.clone().into()
    }
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// What sort of value this is, in words for a message.
pub fn sort(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("the text {s:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
