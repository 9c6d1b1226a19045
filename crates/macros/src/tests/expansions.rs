//! What functions become, compared with the pages in `expansions/`.
//!
//! After a change that is meant, `REWAKE_BLESS=1 cargo test -p rewake-macros` rewrites the pages;
//! read the difference before it is committed.

use std::fs;
use std::path::Path;

use super::Written;

/// Asserts that the source becomes what the page says.
#[track_caller]
fn becomes(page: &str, source: &str) {
    let file = syn::parse2(Written::new(source).expanded()).expect("the expansion is valid Rust");
    let found = format!(
        "{}\n\n// becomes\n\n{}",
        source.trim(),
        prettyplease::unparse(&file)
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/expansions")
        .join(page)
        .with_extension("txt");
    #[expect(
        clippy::disallowed_methods,
        reason = "a person asks for new pages by the environment"
    )]
    let is_blessed = std::env::var("REWAKE_BLESS").is_ok();
    if is_blessed {
        fs::write(&path, &found).expect("the page can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "see the head of this file");
}

#[test]
fn a_workflow() {
    becomes(
        "workflow",
        "
#[workflow]
/// Asks somebody.
pub async fn review(doc: String) -> anyhow::Result<String> {
    let next = review(doc.clone());
    Ok(continue_as(next).await?)
}",
    );
}

#[test]
fn a_workflow_with_every_option() {
    becomes(
        "workflow_options",
        "
#[workflow(name = \"shop::review\", aliases = [\"shop::check\", \"check\"], crate = shop::rewake)]
async fn review(doc: String, round: u32) -> Reply<String> {
    Ok(doc)
}",
    );
}

#[test]
fn a_workflow_without_arguments() {
    becomes(
        "workflow_no_arguments",
        "
#[workflow]
async fn tick() -> Result<(), Infallible> {
    Ok(())
}",
    );
}

#[test]
fn a_step_with_every_option_and_provided_values() {
    becomes(
        "step_options",
        "
#[step(name = \"ask\", max_retries = 5, timeout = \"30s\", backoff = \"2s\", crate = crate::facade)]
pub(crate) async fn ask_reviewer(
    #[provided] pool: Pool<Db>,
    doc: String,
    #[provided] Mailer { sender, .. }: Mailer,
) -> anyhow::Result<()> {
    sender.send(&doc).await
}",
    );
}

#[test]
fn a_step_that_may_block() {
    becomes(
        "step_blocking",
        "
#[step]
fn resize(image: Vec<u8>, #[provided] limits: Limits) -> Result<Vec<u8>, E> {
    shrink(image, limits)
}",
    );
}

#[test]
fn a_step_with_patterns() {
    becomes(
        "step_patterns",
        "
#[step]
async fn r#loop(mut x: u8, (a, b): (u8, u8), _: bool, #[expect(unused)] r#type: String) -> Result<u8, E> {
    x += a + b;
    Ok(x)
}",
    );
}

#[test]
fn attributes_go_to_the_caller_or_to_the_body() {
    becomes(
        "step_attributes",
        "
#[step]
#[cfg(unix)]
#[expect(clippy::unused_async, reason = \"later\")]
#[deprecated]
#[cfg_attr(docs, doc = \"Docs.\")]
#[cfg_attr(traced, tracing::instrument)]
#[tracing::instrument(skip_all)]
async fn publish() -> Result<(), E> {
    #![allow(unused)]
    Ok(())
}",
    );
}

#[test]
fn a_refused_function_stays_as_it_was() {
    becomes(
        "refused",
        "
#[step(retries = 5)]
pub fn publish(#[provided] db: Db, doc: String) -> Result<(), E> {
    Ok(())
}",
    );
}
