//! How much room a request takes in the queue.

use std::convert::Infallible;

use minicbor::encode::{Encode, Write};
use rewake_store::{Admit, Answer, Append, Create, Deliver};

/// What the smallest request takes, with what it needs besides its payloads.
pub(crate) const LEAST: usize = 512;

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
    let mut scale = Scale(LEAST);
    minicbor::encode(value, &mut scale).map_or(usize::MAX, |()| scale.0)
}

pub(crate) fn of_create(request: &Create) -> usize {
    encoded(&request.events)
}

pub(crate) fn of_append(request: &Append) -> usize {
    encoded(&request.events)
}

pub(crate) fn of_deliver(request: &Deliver) -> usize {
    let fallback = request.fallback.as_ref().map_or(0, encoded);
    LEAST + request.payload.len() + fallback
}

pub(crate) fn of_admit(request: &Admit) -> usize {
    request.payload.len() + encoded(&request.fallback)
}

pub(crate) fn of_answer(request: &Answer) -> usize {
    LEAST + request.chunk.payload.len()
}
