//! Which functions are refused, and what is said of them.

use super::problems_of;

/// Asserts what is wrong with a source, and that nothing else is.
#[track_caller]
fn refused(source: &str, problems: &[&str]) {
    assert_eq!(problems_of(source), problems, "{source}");
}

#[track_caller]
fn accepted(source: &str) {
    refused(source, &[]);
}

#[test]
fn what_is_no_function_is_refused() {
    refused(
        "#[workflow] struct Review { doc: String }",
        &[
            "struct: `#[workflow]` goes on a function: write `async fn name(…) -> Result<T, E> { … }`",
        ],
    );
    refused(
        "#[step] async fn publish() -> Result<(), E>;",
        &[
            "async fn publish() -> Result<(), E>: a step is a free function with a body: write `{ … }` after it",
        ],
    );
}

#[test]
fn a_function_that_is_not_async_is_refused() {
    refused(
        "#[workflow] fn review() -> Result<(), E> {}",
        &["fn: a workflow is asynchronous: write `async fn review`"],
    );
    accepted("#[step] fn publish() -> Result<(), E> {}");
}

#[test]
fn qualifiers_are_refused() {
    refused(
        "#[step] const async unsafe extern \"C\" fn publish() -> Result<(), E> {}",
        &[
            "const: a step runs only at run time: drop `const`",
            "unsafe: a step is called by the engine, which upholds no contract of yours: drop \
             `unsafe`, and write an `unsafe` block in the body",
            "extern \"C\": a step is called from Rust only: drop `extern`",
        ],
    );
    refused(
        "#[step] async fn publish(args: ...) -> Result<(), E> {}",
        &["...: a step has a fixed number of arguments: take a `Vec`"],
    );
}

#[test]
fn generic_functions_are_refused() {
    refused(
        "#[workflow] async fn review<'a, T: Clone, const N: usize>(doc: T) -> Result<(), E> where T: Send {}",
        &[
            "'a: a workflow owns its arguments: drop `'a` and take types that borrow nothing, \
             such as `String` for `&str`",
            "T: Clone: a workflow is not generic, since its log must be read back as one type: \
             write one workflow for each `T`, which may call a generic function",
            "const N: usize: a workflow is not generic: take `N` as an argument",
            "where T: Send: a workflow is not generic, so it has nothing to bound: drop `where`",
        ],
    );
    refused(
        "#[step] async fn publish(doc: impl Into<String>) -> Result<impl Sized, E> {}",
        &[
            "impl Into<String>: what is stored must be read back as one type: name it instead of \
             `impl Into<String>`",
            "impl Sized: what is stored must be read back as one type: name it instead of `impl \
             Sized`",
        ],
    );
}

#[test]
fn borrowed_arguments_are_refused() {
    let owned = |written: &str, instead: &str| {
        refused(
            &format!("#[step] async fn publish(doc: {written}) -> Result<(), E> {{}}"),
            &[&format!(
                "{written}: a step owns its arguments: take `{instead}` instead of `{written}`"
            )],
        );
    };
    owned("&str", "String");
    owned("&'static str", "String");
    owned("&mut Order", "Order");
    owned("&[u8]", "Vec<u8>");
    owned("&std::path::Path", "PathBuf");
    owned("&(u8, u8)", "(u8, u8)");
    owned("&&str", "String");
    refused(
        "#[step] async fn publish(doc: Option<&str>, all: Cow<'_, str>, one: &dyn Send) -> Result<(), E> {}",
        &[
            "&str: a step owns its arguments: take `String` instead of `&str`",
            "'_: a step owns its arguments: take a type that needs no `'_`, or write `'static`",
            "&dyn Send: a step owns its arguments: name a type that owns what it holds",
        ],
    );
    accepted("#[step] async fn publish(doc: Cow<'static, str>) -> Result<(), E> {}");
}

#[test]
fn methods_are_refused() {
    refused(
        "#[workflow] async fn review(&self, doc: Self) -> Result<Self::Done, E> {}",
        &[
            "&self: a workflow is a free function, since nothing but its arguments is stored: \
             take what it needs as an argument",
            "Self: a workflow is a free function: name the type instead of `Self`",
            "Self: a workflow is a free function: name the type instead of `Self`",
        ],
    );
    refused(
        "#[step] async fn publish(self: Arc<Self>) -> Result<(), E> {}",
        &[
            "self: Arc<Self>: a step is a free function, since nothing but its arguments is \
             stored: take what it needs as an argument, or as one that is `#[provided]`",
        ],
    );
}

#[test]
fn what_returns_no_result_is_refused() {
    let refused_with = |written: &str, success: &str| {
        refused(
            &format!("#[workflow] async fn review() -> {written} {{}}"),
            &[&format!(
                "{written}: a workflow says whether it failed: return `Result<{success}, E>`; a \
                 workflow that cannot fail returns `Result<{success}, std::convert::Infallible>`"
            )],
        );
    };
    refused_with("String", "String");
    refused_with("()", "()");
    refused_with("Option<u8>", "Option<u8>");
    refused_with("std::vec::Vec<u8>", "std::vec::Vec<u8>");
    refused_with("(u8, bool)", "(u8, bool)");
    refused_with("&str", "String");
    refused_with("!", "T");
    refused_with("impl Sized", "T");
    refused(
        "#[step] async fn publish() {}",
        &[
            "publish: a step says whether it failed: return `Result<(), E>`; a step that cannot \
             fail returns `Result<(), std::convert::Infallible>`",
        ],
    );
}

#[test]
fn a_borrowed_result_is_refused() {
    refused(
        "#[step] async fn publish() -> anyhow::Result<&'static str> {}",
        &["&'static str: a step gives away its result: return `Result<String, _>`"],
    );
    refused(
        "#[step] async fn publish() -> Result<Vec<&str>, &str> {}",
        &[
            "&str: a step gives away its result: take `String` instead of `&str`",
            "&str: a step gives away its result: take `String` instead of `&str`",
        ],
    );
}

#[test]
fn what_may_be_a_result_is_left_to_the_compiler() {
    accepted("#[workflow] async fn review() -> anyhow::Result<String> {}");
    accepted("#[workflow] async fn review() -> Reply {}");
    accepted("#[workflow] async fn review() -> std::result::Result<u8, &'static str> {}");
    accepted("#[workflow] async fn review() -> reply!() {}");
}

#[test]
fn provided_arguments_belong_to_steps() {
    refused(
        "#[workflow] async fn review(#[provided] mailer: Pool<Db>) -> Result<(), E> {}",
        &[
            "#[provided]: a workflow takes only what can be stored: drop this, and take \
             `Pool<Db>` in a step",
        ],
    );
    accepted("#[step] async fn publish(#[provided] db: &'static Db) -> Result<(), E> {}");
}

#[test]
fn provided_arguments_are_plain_and_owned() {
    refused(
        "#[step] async fn publish(#[provided(\"db\")] db: Db, #[provided] #[provided] a: &Db) -> Result<(), E> {}",
        &[
            "#[provided(\"db\")]: a provided value is found by its type alone: write `#[provided]`",
            "#[provided]: `#[provided]` is given twice: keep one of the two",
            "&Db: a provided value is cloned for each attempt: take `Db` instead of `&Db`",
        ],
    );
}

#[test]
fn arguments_are_the_same_in_every_build() {
    refused(
        "#[step] async fn publish(#[cfg(unix)] uid: u32) -> Result<(), E> {}",
        &[
            "#[cfg(unix)]: the arguments of a step are the same in every build: put `#[cfg]` on \
             the whole function",
        ],
    );
}

#[test]
fn sixteen_arguments_fit_beside_those_that_are_provided() {
    let step = |count: usize| {
        let arguments: Vec<String> = (1..=count).map(|n| format!("a{n}: u8")).collect();
        let arguments = arguments.join(", ");
        format!("#[step] async fn publish(#[provided] db: Db, {arguments}) -> Result<(), E> {{}}")
    };
    accepted(&step(16));
    refused(
        &step(18),
        &[
            "a17: u8: a step takes at most 16 arguments: put them into a struct that is \
             `Serialize` and `Deserialize`",
        ],
    );
}

#[test]
fn a_function_is_one_workflow_or_one_step() {
    refused(
        "#[workflow] #[rewake::step] async fn review() -> Result<(), E> {}",
        &["#[rewake::step]: a function is one workflow or one step: drop this or `#[workflow]`"],
    );
}

#[test]
fn all_problems_of_a_function_are_reported_together() {
    refused(
        "#[workflow(retries = 1, name = 1)] fn review<T>(&self, doc: &str) -> String {}",
        &[
            "retries: unknown option `retries`: `#[workflow]` takes `name`, `aliases`, `crate`",
            "1: a name is a text: write `name = \"shop::review\"`",
            "fn: a workflow is asynchronous: write `async fn review`",
            "T: a workflow is not generic, since its log must be read back as one type: write one \
             workflow for each `T`, which may call a generic function",
            "&self: a workflow is a free function, since nothing but its arguments is stored: \
             take what it needs as an argument",
            "&str: a workflow owns its arguments: take `String` instead of `&str`",
            "String: a workflow says whether it failed: return `Result<String, E>`; a workflow \
             that cannot fail returns `Result<String, std::convert::Infallible>`",
        ],
    );
}
