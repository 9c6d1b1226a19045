//! A step that is a plain function: provided values that are `Copy`, patterns, a result that is not
//! `Send`; and an inline step.

use std::convert::Infallible;
use std::rc::Rc;

use rewake::prelude::*;

#[derive(Clone, Copy)]
struct Cents(u64);

/// A result that stays on its thread: only its encoding leaves.
#[derive(Serialize, Deserialize)]
struct Shared {
    note: String,
    #[serde(skip)]
    _shared: Rc<()>,
}

#[step(max_retries = 0, timeout = "1m")]
#[must_use]
fn charge((a, b): (u64, u64), #[provided] Cents(rate): Cents, mut note: String) -> Result<Shared, Infallible> {
    note.push_str(&format!("{}", (a + b) * rate));
    Ok(Shared {
        note,
        _shared: Rc::default(),
    })
}

#[step]
pub(crate) fn tick() -> anyhow::Result<()> {
    Ok(())
}

#[workflow]
async fn pay() -> anyhow::Result<()> {
    tick().await?;
    let call = step("inline", async || Ok::<_, Infallible>(1_u8));
    let _one: u8 = call.max_retries(1).await?;
    Ok(())
}

fn main() {
    drop(pay());
    drop(charge((1, 2), "note".into()));
}
