//! Ids: a five-letter prefix that says of what, and a ULID.
//!
//! Two kinds of ids: *minted* ones (runs, events, hooks that a `resume_or_start` opens) come from a
//! time and 80 bits of entropy that the caller hands in; *derived* ones (steps, hooks and waits of
//! a running workflow) are computed from run, place and name, so that every replay finds the same.
//! This module must not know where time and entropy come from.

use std::fmt;
use std::str::{self, FromStr};

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::time::Timestamp;

const PREFIX_LEN: usize = 5;
const TEXT_LEN: usize = PREFIX_LEN + ulid::ULID_LEN;
/// The random part of a ULID.
const ENTROPY_MASK: u128 = (1 << 80) - 1;

/// The text is not an id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}` and 26 letters or digits")]
pub struct InvalidId {
    /// What was given, shortened.
    pub text: String,
    /// The prefix that ids of this kind have.
    pub prefix: &'static str,
}

impl InvalidId {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "INVALID_ID"
    }
}

/// What each letter of an id stands for; zero for the others.
const VALUES: [u8; 256] = {
    let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut values = [0; 256];
    let mut value = 0;
    while value < 32 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// The ULID of an id. Its text was checked, or written here, when the id was made: ids are read for
/// every row, so nothing is checked again.
fn read(text: &[u8; TEXT_LEN]) -> Ulid {
    let value = |letters: &[u8]| {
        letters.iter().fold(0, |value: u64, letter| {
            (value << 5) | u64::from(VALUES[usize::from(*letter)])
        })
    };
    // Two letters, then twelve and twelve: 8, 60 and 60 bits.
    let (head, rest) = text[PREFIX_LEN..].split_at(2);
    let (middle, tail) = rest.split_at(12);
    let shifted = |letters: &[u8], by: u32| u128::from(value(letters)) << by;
    Ulid(shifted(head, 120) | shifted(middle, 60) | shifted(tail, 0))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; TEXT_LEN]);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Mints an id from a time and the low 80 bits of `entropy`.
            pub fn mint(at: Timestamp, entropy: u128) -> Self {
                Self::from_ulid(Ulid::from_parts(at.as_millis(), entropy & ENTROPY_MASK))
            }

            /// The id whose ULID has these 16 bytes; the inverse of [`Self::to_bytes`].
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self::from_ulid(Ulid::from_bytes(bytes))
            }

            /// The 16 bytes of the ULID: how an id is stored.
            pub fn to_bytes(self) -> [u8; 16] {
                self.ulid().to_bytes()
            }

            /// The time the id was minted at, as its ULID says.
            pub fn timestamp(self) -> Timestamp {
                Timestamp::from_millis(self.ulid().timestamp_ms())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                str::from_utf8(&self.0).expect("an id is made of ASCII letters and digits")
            }

            fn from_ulid(ulid: Ulid) -> Self {
                let mut text = [0; TEXT_LEN];
                let (prefix, rest) = text.split_at_mut(PREFIX_LEN);
                prefix.copy_from_slice($prefix.as_bytes());
                let mut buffer = [0; ulid::ULID_LEN];
                rest.copy_from_slice(ulid.array_to_str(&mut buffer).as_bytes());
                Self(text)
            }

            fn ulid(self) -> Ulid {
                read(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .map(Self::from_ulid)
                    .ok_or_else(|| InvalidId {
                        text: text.chars().take(64).collect(),
                        prefix: $prefix,
                    })
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.to_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let bytes = d.bytes()?;
                let bytes = bytes
                    .try_into()
                    .map_err(|_| decode::Error::message("an id has 16 bytes"))?;
                Ok(Self::from_bytes(bytes))
            }
        }
    };
}

id!(
    /// Names a run. Minted by whoever starts it.
    RunId,
    "wrun_"
);
id!(
    /// Names a step of a run; the same in every replay, and so a stable idempotency key.
    StepId,
    "step_"
);
id!(
    /// Names a hook of a run.
    HookId,
    "hook_"
);
id!(
    /// Names a wait (a durable sleep) of a run.
    WaitId,
    "wait_"
);
id!(
    /// Names a stream of a run.
    StreamId,
    "strm_"
);
id!(
    /// Names an abort controller of a run.
    AbortId,
    "abrt_"
);
id!(
    /// Names an event. Minted by the caller of an append, before its first try.
    EventId,
    "evnt_"
);

impl RunId {
    /// The id behind this one with `gap` others between. Where the millisecond has no room for so
    /// many it is of the next.
    #[must_use]
    pub fn beyond(self, gap: u64) -> Self {
        let steps = u128::from(gap) + 1;
        Self::from_ulid(Ulid(self.ulid().0.wrapping_add(steps)))
    }
}

impl EventId {
    /// The id of the event `n` places after this one in the same append.
    #[must_use]
    pub fn plus(self, n: u32) -> Self {
        Self::from_ulid(Ulid(self.ulid().0.wrapping_add(u128::from(n))))
    }
}

/// The place of a call in a run: the how many-eth durable call the workflow has written.
///
/// A call takes its place where it is written, not where it is awaited, so awaiting the same
/// calls in another order changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub u64);

impl StepId {
    /// The id of the step called `name` that stands at `place` in `run`.
    pub fn derive(run: RunId, place: Place, name: &str) -> Self {
        Self::from_ulid(derive(run, Self::PREFIX, place, name))
    }
}

impl HookId {
    /// The id of the hook that stands at `place` in `run`; `token` is the chosen one, else empty.
    pub fn derive(run: RunId, place: Place, token: &str) -> Self {
        Self::from_ulid(derive(run, Self::PREFIX, place, token))
    }
}

impl AbortId {
    /// The id of the abort controller that stands at `place` in `run`.
    pub fn derive(run: RunId, place: Place) -> Self {
        Self::from_ulid(derive(run, Self::PREFIX, place, ""))
    }
}

impl WaitId {
    /// The id of the wait that stands at `place` in `run`.
    pub fn derive(run: RunId, place: Place) -> Self {
        Self::from_ulid(derive(run, Self::PREFIX, place, ""))
    }

    /// The waits that bound how long a cancelled `run` cleans up: the first its shields, the second
    /// its undo calls. They stand at places that no call reaches.
    pub fn clean_up(run: RunId) -> [Self; 2] {
        [u64::MAX, u64::MAX - 1].map(|place| Self::derive(run, Place(place)))
    }
}

/// The run's own time in front keeps the ids of one run together; the rest is 80 bits of SHA-256
/// over everything the id is derived from, so that ids of different runs do not meet.
fn derive(run: RunId, prefix: &str, place: Place, name: &str) -> Ulid {
    let digest = Sha256::new()
        .chain_update(run.to_bytes())
        .chain_update(prefix.as_bytes())
        .chain_update(place.0.to_be_bytes())
        .chain_update(name.as_bytes())
        .finalize();
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    Ulid::from_parts(
        run.timestamp().as_millis(),
        u128::from_be_bytes(head) & ENTROPY_MASK,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        RunId::mint(Timestamp::from_millis(1_763_280_000_000), 7)
    }

    #[test]
    fn text_and_bytes_come_back() {
        let id = run();
        assert_eq!(id.as_str(), "wrun_01KA5TV5000000000000000007");
        assert_eq!(id.as_str().parse(), Ok(id));
        assert_eq!(RunId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.timestamp(), Timestamp::from_millis(1_763_280_000_000));
    }

    #[test]
    fn every_bit_of_an_id_comes_back() {
        for bit in 0..128 {
            for bytes in [1_u128 << bit, !(1 << bit)].map(u128::to_be_bytes) {
                let id = RunId::from_bytes(bytes);
                assert_eq!(id.to_bytes(), bytes);
                assert_eq!(id.as_str().parse(), Ok(id));
            }
        }
    }

    #[test]
    fn foreign_text_is_refused_with_the_wanted_form() {
        for text in [
            "",
            "wrun_",
            "step_01KA5TV5000000000000000007",
            "wrun_01KA5TV500000000000000000U",
        ] {
            let error = text.parse::<RunId>().unwrap_err();
            assert!(error.to_string().contains("wrun_"), "{error}");
        }
    }

    #[test]
    fn derived_ids_depend_on_run_place_and_name() {
        let id = StepId::derive(run(), Place(3), "publish");
        assert_eq!(id, StepId::derive(run(), Place(3), "publish"));
        let other = RunId::mint(Timestamp::from_millis(1_763_280_000_000), 8);
        assert_ne!(id, StepId::derive(run(), Place(4), "publish"));
        assert_ne!(id, StepId::derive(run(), Place(3), "print"));
        assert_ne!(id, StepId::derive(other, Place(3), "publish"));
        assert_ne!(
            HookId::derive(run(), Place(3), "").to_bytes(),
            WaitId::derive(run(), Place(3)).to_bytes()
        );
    }

    #[test]
    fn a_run_beyond_another_has_a_greater_id_also_where_its_millisecond_is_full() {
        let id = run();
        assert!(id < id.beyond(0));
        assert!(id.beyond(0) < id.beyond(1));
        assert_eq!(id.beyond(0).beyond(0), id.beyond(1));
        let last = RunId::mint(Timestamp::from_millis(1), u128::MAX);
        assert_eq!(last.beyond(0), RunId::mint(Timestamp::from_millis(2), 0));
    }

    #[test]
    fn event_ids_of_one_append_follow_each_other() {
        let id = EventId::mint(Timestamp::from_millis(5), u128::MAX);
        assert!(id.plus(1) > id);
        assert_eq!(id.plus(1).plus(1), id.plus(2));
    }

    #[test]
    fn order_of_ids_is_order_of_time() {
        let early = RunId::mint(Timestamp::from_millis(1), u128::MAX);
        assert!(early < RunId::mint(Timestamp::from_millis(2), 0));
    }
}
