//! The names by which a Rust type asks for a shape that serde has no word for. Knows names only.

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// The prefix of a serde name that makes a newtype struct a custom type of the format.
///
/// A newtype struct that serde knows as `$devl:Request` is written as `["Request", …]` around its
/// one field, and reading it requires a `Request`. The derive does all of it; only other formats
/// never see the difference, because to them it is any newtype struct.
///
/// # Examples
///
/// ```
/// use rewake_core::payload;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(rename = "$devl:Headers")]
/// struct Headers(Vec<(String, String)>);
///
/// let headers = Headers(vec![("x-a".to_owned(), "1".to_owned())]);
/// let payload = payload::encode(&headers)?;
/// assert_eq!(payload.as_bytes(), br#"devl[["Headers",1],[2],[3,4],"x-a","1"]"#);
/// assert_eq!(payload::decode::<Headers>(&payload)?, headers);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const CUSTOM_PREFIX: &str = "$devl:";

/// The name of the unit struct that is written as `undefined`.
pub(super) const UNDEFINED: &str = "$devl:undefined";

/// The name of the newtype struct around the arguments of a call.
pub(super) const ARGUMENTS: &str = "$rewake:arguments";

/// JavaScript's `undefined`. Reads from `undefined` and from `null`.
///
/// Other formats write it as a unit struct, JSON for one as `null`.
///
/// # Examples
///
/// ```
/// use rewake_core::payload::{self, Undefined};
///
/// assert_eq!(payload::encode(&Undefined)?.as_bytes(), b"devl-1");
/// # Ok::<(), payload::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Undefined;

impl Serialize for Undefined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_struct(UNDEFINED)
    }
}

impl<'de> Deserialize<'de> for Undefined {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nothing;

        impl Visitor<'_> for Nothing {
            type Value = Undefined;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("undefined")
            }

            fn visit_unit<E>(self) -> Result<Undefined, E> {
                Ok(Undefined)
            }
        }

        deserializer.deserialize_unit_struct(UNDEFINED, Nothing)
    }
}
