//! May this answer stand?

use rewake_core::id::{RunId, StepId};

use super::rows::{Rows, Verdict, Write};
use crate::error::{Failed, StoreError};
use crate::request::{Answer, AnswerRefusal, Answered, Append, AppendRefusal};
use crate::row::ChunkRow;

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
    match standing(rows, run, &request.stream, request.chunk.writer)? {
        Standing::Own => {
            return Ok(Verdict {
                writes: Vec::new(),
                answer: Answered { first: false },
            });
        }
        Standing::Another => return Err(Failed::Refused(AnswerRefusal::AlreadyAnswered)),
        Standing::None => {}
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

/// What comes of the answers that are given with an append.
#[derive(Debug, Default)]
pub(super) struct Along {
    pub(super) writes: Vec<Write>,
    /// The steps that had answered before.
    pub(super) stood: Vec<StepId>,
}

/// Judges the answers that are given with an append to a run that has not ended, by the same rule.
pub(super) fn along(
    rows: &mut impl Rows,
    request: &Append,
) -> Result<Along, Failed<AppendRefusal>> {
    let mut along = Along::default();
    for (nth, answer) in request.answers.iter().enumerate() {
        let step = answer.step;
        let already = || Failed::Refused(AppendRefusal::AlreadyAnswered { step });
        // What the rows show does not have those before it yet.
        let before = &request.answers[..nth];
        if before.iter().any(|before| before.stream == answer.stream) {
            return Err(already());
        }
        match standing(rows, request.run, &answer.stream, Some(step))? {
            Standing::Own => along.stood.push(step),
            Standing::Another => return Err(already()),
            Standing::None => {
                let chunk = ChunkRow {
                    writer: Some(step),
                    payload: answer.payload.clone(),
                };
                let chunk = Write::Chunk(request.run, answer.stream.clone(), chunk);
                along.writes.push(chunk);
            }
        }
    }
    Ok(along)
}

/// Whose answer stands, as one sees it who wants to answer.
enum Standing {
    None,
    Own,
    Another,
}

fn standing(
    rows: &mut impl Rows,
    run: RunId,
    stream: &str,
    writer: Option<StepId>,
) -> Result<Standing, StoreError> {
    Ok(match rows.first_chunk(run, stream)? {
        None => Standing::None,
        Some(stands) if stands.writer.is_some() && stands.writer == writer => Standing::Own,
        Some(_) => Standing::Another,
    })
}
