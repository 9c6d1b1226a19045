//! What the options mean, and what is said of wrong ones.

use quote::ToTokens;

use super::{Written, problems_of};
use crate::args::Options;
use crate::problem::Problems;

fn options_of(attribute: &str) -> Options {
    let written = Written::new(attribute);
    let mut problems = Problems::default();
    let options = Options::parse(written.kind, written.options, &mut problems);
    assert_eq!(problems.listed(), [""; 0]);
    options
}

fn name_of(options: &Options) -> Option<String> {
    options.name.as_ref().map(syn::LitStr::value)
}

fn facade_of(options: &Options) -> Option<String> {
    let facade = options.facade.as_ref()?;
    Some(facade.to_token_stream().to_string())
}

/// What is wrong with the options of an attribute on a function that is right.
fn problems_with(attribute: &str) -> Vec<String> {
    problems_of(&format!("{attribute} async fn f() -> Result<(), E> {{}}"))
}

#[test]
fn what_is_left_out_has_its_default() {
    let options = options_of("#[step]");
    assert!(options.name.is_none());
    assert!(options.aliases.is_empty());
    assert_eq!(options.max_retries, 3);
    assert_eq!(options.timeout_ms, None);
    assert_eq!(options.backoff_ms, 1_000);
    assert_eq!(facade_of(&options), None);
}

#[test]
fn every_option_of_a_step_is_read() {
    let options = options_of(
        "#[step(name = \"a::b\", max_retries = 0, timeout = \"1m 30s\", backoff = \"0s\", \
         crate = crate::facade,)]",
    );
    assert_eq!(name_of(&options).as_deref(), Some("a::b"));
    assert_eq!(options.max_retries, 0);
    assert_eq!(options.timeout_ms, Some(90_000));
    assert_eq!(options.backoff_ms, 0);
    assert_eq!(facade_of(&options).as_deref(), Some("crate :: facade"));
}

#[test]
fn every_option_of_a_workflow_is_read() {
    let options = options_of("#[workflow(name = \"a\", aliases = [\"b\", \"c\"], crate = x)]");
    assert_eq!(name_of(&options).as_deref(), Some("a"));
    let aliases: Vec<String> = options.aliases.iter().map(syn::LitStr::value).collect();
    assert_eq!(aliases, ["b", "c"]);
    assert_eq!(facade_of(&options).as_deref(), Some("x"));
}

#[test]
fn unknown_options_are_answered_with_those_that_exist() {
    assert_eq!(
        problems_with("#[step(retries = 5)]"),
        [
            "retries: unknown option `retries`: `#[step]` takes `name`, `max_retries`, `timeout`, \
          `backoff`, `crate`"
        ]
    );
    assert_eq!(
        problems_with("#[workflow(retries = 5)]"),
        ["retries: unknown option `retries`: `#[workflow]` takes `name`, `aliases`, `crate`"]
    );
}

#[test]
fn options_of_the_other_attribute_say_whose_they_are() {
    assert_eq!(
        problems_with("#[workflow(timeout = \"30s\")]"),
        [
            "timeout: `timeout` is an option of `#[step]`: `#[workflow]` takes `name`, `aliases`, \
          `crate`"
        ]
    );
    assert_eq!(
        problems_with("#[step(aliases = [\"a\"])]"),
        [
            "aliases: `aliases` is an option of `#[workflow]`: `#[step]` takes `name`, \
          `max_retries`, `timeout`, `backoff`, `crate`"
        ]
    );
}

#[test]
fn repeated_options_are_refused() {
    assert_eq!(
        problems_with("#[step(max_retries = 5, max_retries = 6)]"),
        ["max_retries = 6: `max_retries` is given twice: keep one of the two"]
    );
    assert_eq!(
        problems_with("#[workflow(aliases = [\"a\", \"a\"])]"),
        ["\"a\": this alias is given twice: keep one of the two"]
    );
}

#[test]
fn options_without_a_value_show_how_one_is_written() {
    assert_eq!(
        problems_with("#[step(max_retries, timeout =, \"a\", name(\"a\"))]"),
        [
            "max_retries: `max_retries` needs a value: write `max_retries = 5`",
            "timeout =: `timeout` needs a value: write `timeout = \"30s\"`",
            "\"a\": an option is a key, `=` and a value: `#[step]` takes `name`, `max_retries`, \
             `timeout`, `backoff`, `crate`",
            "name(\"a\"): an option is a key, `=` and a value: `#[step]` takes `name`, \
             `max_retries`, `timeout`, `backoff`, `crate`",
        ]
    );
}

#[test]
fn numbers_of_retries_are_whole_and_fit() {
    let message = "`max_retries` is a whole number from 0 to 4294967295: write `max_retries = 5`";
    for value in ["-1", "4294967296", "\"5\"", "1.5", "five", "5 + 1"] {
        assert_eq!(
            problems_with(&format!("#[step(max_retries = {value})]")),
            [format!("{value}: {message}")]
        );
    }
}

#[test]
fn times_are_texts_with_units_and_the_timeout_is_not_zero() {
    assert_eq!(
        problems_with("#[step(timeout = \"0s\", backoff = \"30 parsecs\")]"),
        [
            "\"0s\": no attempt ends in no time: write a longer `timeout`, or leave it out for no \
             limit",
            "\"30 parsecs\": `parsecs` is no unit of time: write ms, s, m, h or d, such as `30s`",
        ]
    );
    assert_eq!(
        problems_with("#[step(timeout = 30, backoff = secs(2))]"),
        [
            "30: a time is a text with its unit: write `timeout = \"30s\"`",
            "secs(2): a time is a text with its unit: write `backoff = \"2s\"`",
        ]
    );
}

#[test]
fn names_are_texts_without_blanks() {
    assert_eq!(
        problems_with("#[workflow(name = review, aliases = \"a\", crate = \"rewake\")]"),
        [
            "review: a name is a text: write `name = \"shop::review\"`",
            "\"a\": aliases are an array of texts: write `aliases = [\"shop::old_name\"]`",
            "\"rewake\": `crate` is the path under which `rewake` is found: write `crate = \
             my_crate::rewake`",
        ]
    );
    assert_eq!(
        problems_with("#[workflow(name = \"\", aliases = [\"a b\"])]"),
        [
            "\"\": a name has at least one character: write one, or leave the option out",
            "\"a b\": a name has no blanks and no control characters: people type it and \
             addresses hold it",
        ]
    );
    let long = "x".repeat(257);
    assert_eq!(
        problems_with(&format!("#[step(name = \"{long}\")]")),
        [format!(
            "\"{long}\": a name has at most 256 bytes: people type it"
        )]
    );
    assert_eq!(
        problems_with("#[workflow(aliases = [\"b\", \"a\"], name = \"a\")]"),
        ["\"a\": this alias is the name of the workflow itself: drop it"]
    );
}
