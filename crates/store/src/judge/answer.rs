//! May this answer stand?

use super::rows::{Rows, Verdict, Write};
use crate::error::Failed;
use crate::request::{Answer, AnswerRefusal, Answered};

/// Judges the answer to a webhook's request: the first stands, and its writer may repeat it.
///
/// # Errors
///
/// [`AnswerRefusal`] as its variants say; a [`StoreError`](crate::StoreError) of `rows`.
pub fn answer(
    rows: &mut impl Rows,
    request: &Answer,
) -> Result<Verdict<Answered>, Failed<AnswerRefusal>> {
    let run = request.run;
    let ended = Err(Failed::Refused(AnswerRefusal::RunEnded { run }));
    let seen = rows.look_at(run, |row| (row.scope, row.status))?;
    let Some((_, status)) = seen.filter(|(scope, _)| *scope == request.scope) else {
        return ended;
    };
    if let Some(stands) = rows.first_chunk(run, &request.stream)? {
        let repeated = stands.writer.is_some() && stands.writer == request.chunk.writer;
        return if repeated {
            Ok(Verdict {
                writes: Vec::new(),
                answer: Answered { first: false },
            })
        } else {
            Err(Failed::Refused(AnswerRefusal::AlreadyAnswered))
        };
    }
    if status.is_terminal() {
        return ended;
    }
    let chunk = Write::Chunk(run, request.stream.clone(), request.chunk.clone());
    Ok(Verdict {
        writes: vec![chunk],
        answer: Answered { first: true },
    })
}
