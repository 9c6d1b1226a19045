//! What may stand where an index may stand: the index of a node, or one of the values that have a
//! negative number instead of a node. Shared by the writer and the reader; knows neither.

/// The number that opens the record of a sparse array.
pub(super) const SPARSE: i64 = -7;

/// A reference to a value of the flat table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Node(u32),
    Undefined,
    Hole,
    Nan,
    Infinity,
    NegativeInfinity,
    NegativeZero,
}

impl Slot {
    /// The slot that `code` stands for, if any does.
    pub(super) fn from_code(code: i64) -> Option<Self> {
        match code {
            -1 => Some(Self::Undefined),
            -2 => Some(Self::Hole),
            -3 => Some(Self::Nan),
            -4 => Some(Self::Infinity),
            -5 => Some(Self::NegativeInfinity),
            -6 => Some(Self::NegativeZero),
            index => u32::try_from(index).ok().map(Self::Node),
        }
    }

    /// The number that stands for this slot in the text.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Node(index) => i64::from(index),
            Self::Undefined => -1,
            Self::Hole => -2,
            Self::Nan => -3,
            Self::Infinity => -4,
            Self::NegativeInfinity => -5,
            Self::NegativeZero => -6,
        }
    }

    /// The slot of a float that has no JSON number.
    pub(super) fn of_special(value: f64) -> Option<Self> {
        if value.is_nan() {
            Some(Self::Nan)
        } else if value.is_infinite() && value > 0.0 {
            Some(Self::Infinity)
        } else if value.is_infinite() {
            Some(Self::NegativeInfinity)
        } else if value == 0.0 && value.is_sign_negative() {
            Some(Self::NegativeZero)
        } else {
            None
        }
    }
}
