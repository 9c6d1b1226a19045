//! Numbers on their way from JavaScript's one kind to Rust's many. Knows no table.

use serde::de::{Error as _, Unexpected, Visitor};
use serde::ser::Serializer;

use super::error::{DecodeError, DecodeErrorKind};

/// The largest size up to which every integer is a float of its own.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The least size that no 128-bit integer has.
const TOO_LARGE: f64 = 3.402_823_669_209_385e38;

/// Hands over a number of unknown purpose: as an integer if it is one for certain.
pub(super) fn visit_number<'de, V: Visitor<'de>>(
    value: f64,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    if is_exact_integer(value) {
        visit_integral(value, visitor)
    } else {
        visitor.visit_f64(value)
    }
}

/// Hands over a number that is to be an integer, if it is one.
pub(super) fn visit_integral<'de, V: Visitor<'de>>(
    value: f64,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    // Infinite and not-a-number have no fraction of zero either.
    if value.fract() != 0.0 || value.abs() >= TOO_LARGE {
        return visitor.visit_f64(value);
    }
    visit_integer(value < 0.0, magnitude_of(value), visitor)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has seen that the number is integral and fits"
)]
fn magnitude_of(integral: f64) -> u128 {
    integral.abs() as u128
}

/// Hands over the integer that `digits` spell.
pub(super) fn visit_bigint<'de, V: Visitor<'de>>(
    digits: &str,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let unsigned = checked_digits(digits)?;
    match unsigned.parse::<u128>() {
        Ok(magnitude) => visit_integer(digits.len() > unsigned.len(), magnitude, visitor),
        Err(_) => visitor.visit_str(digits),
    }
}

/// The float nearest to the integer that `digits` spell.
pub(super) fn float_of(digits: &str) -> Result<f64, DecodeErrorKind> {
    checked_digits(digits)?;
    digits.parse().map_err(|_| no_integer())
}

/// The digits without their sign.
fn checked_digits(digits: &str) -> Result<&str, DecodeErrorKind> {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(no_integer());
    }
    Ok(unsigned)
}

fn no_integer() -> DecodeErrorKind {
    DecodeErrorKind::malformed("a `BigInt` holds no decimal integer")
}

/// Hands over an integer as the smallest type that serde's own integers all understand.
fn visit_integer<'de, V: Visitor<'de>>(
    is_negative: bool,
    magnitude: u128,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    if !is_negative {
        return match u64::try_from(magnitude) {
            Ok(value) => visitor.visit_u64(value),
            Err(_) => visitor.visit_u128(magnitude),
        };
    }
    let Some(value) = 0_i128.checked_sub_unsigned(magnitude) else {
        let found = Unexpected::Other("an integer below those of 128 bits");
        return Err(DecodeError::invalid_value(found, &visitor));
    };
    match i64::try_from(value) {
        Ok(value) => visitor.visit_i64(value),
        Err(_) => visitor.visit_i128(value),
    }
}

/// Writes a finite number: as an integer if it is one for certain.
pub(super) fn serialize_number<S: Serializer>(
    value: f64,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if !is_exact_integer(value) {
        return serializer.serialize_f64(value);
    }
    match u64::try_from(magnitude_of(value)) {
        Ok(magnitude) if value >= 0.0 => serializer.serialize_u64(magnitude),
        Ok(magnitude) => serializer.serialize_i64(0_i64.saturating_sub_unsigned(magnitude)),
        Err(_) => serializer.serialize_f64(value),
    }
}

/// Whether a number can be nothing but the integer it looks like.
fn is_exact_integer(value: f64) -> bool {
    let is_negative_zero = value == 0.0 && value.is_sign_negative();
    !is_negative_zero && value.fract() == 0.0 && value.abs() <= MAX_EXACT
}
