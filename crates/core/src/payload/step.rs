//! The arguments of calls: how a run's and a step's input are laid out. Knows the shape, not what
//! runs and steps are.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::custom::{ARGUMENTS, Undefined};
use super::deserializer::decode;
use super::envelope::Payload;
use super::error::{DecodeError, EncodeError};
use super::serializer::encode;

/// The arguments of one call, as a tuple: `()`, `(a,)`, `(a, b)` and so on.
///
/// Any tuple but `()` is an array of itself. `()` is `null` to serde, and inside `Arguments` it is
/// the empty array. Other formats see the tuple as it is.
///
/// # Examples
///
/// ```
/// use rewake_core::payload::{self, Arguments};
///
/// assert_eq!(payload::encode(&Arguments(()))?.as_bytes(), b"devl[[]]");
/// assert_eq!(payload::encode(&Arguments((7, "x")))?.as_bytes(), br#"devl[[1,2],7,"x"]"#);
/// # Ok::<(), payload::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arguments<T>(pub T);

impl<T: Serialize> Serialize for Arguments<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(ARGUMENTS, &self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Arguments<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Arguments)
    }
}

/// A step's input, in the names and the order of the format.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct StepInput<'a, A> {
    args: Arguments<&'a A>,
    closure_vars: Undefined,
    this_val: Undefined,
}

/// What we read of a step's input. Our steps have neither closure variables nor `this`.
#[derive(Debug, serde::Deserialize)]
struct StepArguments<A> {
    args: Arguments<A>,
}

/// Encodes the input of a step from the tuple of its arguments.
///
/// # Errors
///
/// As [`encode`]; the path starts with `.args`.
///
/// # Examples
///
/// ```
/// use rewake_core::payload;
///
/// let input = payload::step_input(&("tea", 2))?;
/// let text = br#"devl[{"args":1,"closureVars":-1,"thisVal":-1},[2,3],"tea",2]"#;
/// assert_eq!(input.as_bytes(), text);
/// assert_eq!(payload::step_args::<(String, u8)>(&input)?, ("tea".to_owned(), 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn step_input<A: Serialize>(args: &A) -> Result<Payload, EncodeError> {
    encode(&StepInput {
        args: Arguments(args),
        closure_vars: Undefined,
        this_val: Undefined,
    })
}

/// Decodes the tuple of a step's arguments from its input.
///
/// # Errors
///
/// As [`decode`]; the path starts with `.args` if the arguments are at fault.
pub fn step_args<A: DeserializeOwned>(input: &Payload) -> Result<A, DecodeError> {
    decode(input).map(
        |StepArguments {
             args: Arguments(args),
         }| args,
    )
}
