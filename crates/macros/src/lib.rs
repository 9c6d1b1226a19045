//! The attributes `#[workflow]` and `#[step]` of Rewake; users take them from the crate `rewake`.
//!
//! An attribute parses everything, reports every problem of a function at its place in one go, and
//! otherwise turns the function into one that returns a call, beside a definition that registers
//! itself. The user's function is kept as it was written. This crate must not know the engine: what
//! it writes uses absolute paths into the facade (`::rewake::…`, or what `crate = …` names), and
//! everything there that is not for users stands in its `__private` module.
//!
//! ```text
//!  #[step(options)] ──▶ args ────┐
//!                                ├──▶ model ──▶ expand ──▶ the function and its definition
//!  async fn … { body } ─▶ function ┘      │
//!                                         └──▶ every problem, and the function as it was
//! ```

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod duration;
mod expand;
mod function;
mod kind;
mod model;
mod problem;
mod storable;

#[cfg(test)]
mod tests;

use kind::Kind;

/// Makes a durable workflow of an `async fn`.
///
/// The function is free, not generic, owns its arguments, which are `Serialize` and
/// `DeserializeOwned`, and returns a `Result<T, E>`; its future is `Send`. It becomes a function
/// of the same name and arguments that returns a `WorkflowCall<T>`: nothing runs until the call is
/// started, or awaited in another workflow. Every workflow that is linked registers itself.
///
/// | option | is | default |
/// | --- | --- | --- |
/// | `name = "shop::review"` | the name in logs, listings and addresses | module path and function |
/// | `aliases = ["shop::old_name"]` | names it had before, by which stored runs still find it | none |
/// | `crate = my_crate::rewake` | the path under which `rewake` is found | `::rewake` |
///
/// ```text
/// #[workflow]
/// async fn review(doc: String) -> anyhow::Result<String> {
///     let mut decisions = create_hook::<Decision>().token(format!("review:{doc}")).await?;
///     ask_reviewer(doc.clone(), decisions.token().to_owned()).await?;
///     if decisions.recv().await?.approved { Ok(publish(doc).await?) } else { Ok("rejected".into()) }
/// }
/// ```
#[proc_macro_attribute]
pub fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Workflow, options.into(), &item.into()).into()
}

/// Makes a step of a function: a side effect whose result is recorded once and replayed ever after.
///
/// An `async fn` runs on the application's async runtime. A plain `fn` may block: it runs on a thread
/// for that, and holds up nobody else. Nothing can stop a thread, so where such a step is aborted or
/// takes longer than its `timeout`, the attempt counts as over while the function goes on to its end.
///
/// What else holds for the function of a workflow holds here too. It becomes a function that returns a
/// `StepCall<T>`, whose arguments are those that are not marked `#[provided]`: such a one is the
/// application's own value of that type, given to the builder by `.provide(value)`.
///
/// | option | is | default |
/// | --- | --- | --- |
/// | `name = "shop::publish"` | the name in logs and listings | module path and function |
/// | `max_retries = 5` | how many attempts follow one that failed | 3 |
/// | `timeout = "30s"` | the time that one attempt has | no limit |
/// | `backoff = "2s"` | the pause before the second attempt, growing | 1 s |
/// | `crate = my_crate::rewake` | the path under which `rewake` is found | `::rewake` |
///
/// Times are whole numbers with one of the units `ms`, `s`, `m`, `h`, `d`, and add up: `"1m 30s"`.
///
/// ```text
/// #[step(max_retries = 5, timeout = "30s")]
/// async fn ask_reviewer(doc: String, token: String, #[provided] mailer: Mailer) -> anyhow::Result<()> {
///     mailer.send(&doc, &token).await
/// }
/// ```
#[proc_macro_attribute]
pub fn step(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Step, options.into(), &item.into()).into()
}
