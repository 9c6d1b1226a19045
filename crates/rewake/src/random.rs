//! Randomness in workflows: drawn from the run's seed, the same in every replay, and not to be
//! guessed from the run's id.

use rewake_runtime::workflow::Context;
use uuid::Uuid;

/// A type that [`random`] can give.
pub trait Random: Sized {
    /// The value that these bits stand for.
    fn from_bits(bits: [u8; 16]) -> Self;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Random for $type {
            fn from_bits(bits: [u8; 16]) -> Self {
                let mut own = [0; size_of::<Self>()];
                own.copy_from_slice(&bits[..size_of::<Self>()]);
                Self::from_be_bytes(own)
            }
        }
    )*};
}

integers!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

impl Random for bool {
    fn from_bits(bits: [u8; 16]) -> Self {
        bits[0] & 1 == 1
    }
}

impl Random for f64 {
    /// Evenly from [0, 1), in steps of 2^-53.
    fn from_bits(bits: [u8; 16]) -> Self {
        let fraction = u64::from_bits(bits) >> 11;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
        let fraction = fraction as Self;
        fraction * (Self::EPSILON / 2.0)
    }
}

fn bits() -> [u8; 16] {
    let context = Context::current().expect("`random` and `uuid` only work inside a workflow");
    context.with(|machine| machine.entropy().bytes())
}

/// A random value: an `f64` in [0, 1), or any integer. The same in every replay.
///
/// # Panics
///
/// Outside a workflow.
pub fn random<T: Random>() -> T {
    T::from_bits(bits())
}

/// A random UUID (version 4). The same in every replay.
///
/// # Panics
///
/// Outside a workflow.
pub fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bits()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_stay_below_one() {
        assert_eq!(
            <f64 as Random>::from_bits([0; 16]).to_bits(),
            0.0_f64.to_bits()
        );
        let largest = <f64 as Random>::from_bits([u8::MAX; 16]);
        assert!(largest < 1.0 && largest > 0.999_999);
    }
}
