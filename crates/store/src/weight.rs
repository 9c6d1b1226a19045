//! How much room a request takes while it waits, and what an answer promises.

use std::convert::Infallible;

use minicbor::encode::{Encode, Write};

use crate::admission::{Admit, Post};
use crate::request::{Answer, Append, Create, Deliver};

/// What an answer promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// What was answered is on stable storage. Pulling the plug loses nothing of it.
    #[default]
    Full,
    /// What was answered survives the death of the process. Pulling the plug may lose the last of
    /// it; never the middle.
    Relaxed,
}

/// What the smallest request takes, with what it needs besides its payloads, in bytes.
pub const LEAST_WEIGHT: usize = 512;

/// Counts the bytes of an encoding and keeps none.
struct Scale(usize);

impl Write for Scale {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

fn encoded<T: Encode<()>>(value: &T) -> usize {
    let mut scale = Scale(LEAST_WEIGHT);
    minicbor::encode(value, &mut scale).map_or(usize::MAX, |()| scale.0)
}

impl Create {
    /// About how many bytes the request takes while it waits to be written.
    pub fn weight(&self) -> usize {
        encoded(&self.events)
    }
}

impl Append {
    /// About how many bytes the request takes while it waits to be written.
    pub fn weight(&self) -> usize {
        let answers = self.answers.iter().map(|answer| answer.payload.len());
        encoded(&self.events) + answers.sum::<usize>()
    }
}

impl Deliver {
    /// About how many bytes the request takes while it waits to be written.
    pub fn weight(&self) -> usize {
        let fallback = self.fallback.as_ref().map_or(0, encoded);
        LEAST_WEIGHT + self.payload.len() + fallback
    }
}

impl Admit {
    /// About how many bytes the request takes while it waits to be written.
    pub fn weight(&self) -> usize {
        self.payload.len() + encoded(&self.fallback)
    }
}

impl Post {
    /// About how many bytes the request takes while it waits to be written.
    pub fn weight(&self) -> usize {
        LEAST_WEIGHT + self.payload.len()
    }
}

impl Answer {
    /// About how many bytes the request takes while it waits to be written.
    pub fn weight(&self) -> usize {
        LEAST_WEIGHT + self.chunk.payload.len()
    }
}
