//! A function that was checked: what the expansion needs, and why a function is refused.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Ident, Meta, Pat, PatType, Path, ReturnType, Safety, Signature,
    Token, Type, parse_quote,
};

use crate::args::Options;
use crate::function::{Function, is_provided};
use crate::kind::Kind;
use crate::problem::Problems;
use crate::storable::{self, Place};

/// As many elements as a tuple has that serde knows.
const MAX_ARGUMENTS: usize = 16;

/// A workflow or a step to be written out.
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    pub(crate) options: Options,
    /// Attributes of the function that is called: docs, lints, `cfg`.
    pub(crate) outer_attrs: Vec<Attribute>,
    /// The user's function with the attributes that belong to its body.
    pub(crate) function: Function,
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Type,
    /// A plain `fn`, which runs where it may hold its thread.
    pub(crate) may_block: bool,
}

/// An argument of the user's function.
pub(crate) struct Input {
    /// The name it has outside, where a pattern has none.
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) is_provided: bool,
}

impl Definition {
    /// Checks the function. The definition is right only where no problem was reported.
    pub(crate) fn check(
        kind: Kind,
        options: Options,
        function: Function,
        problems: &mut Problems,
    ) -> Self {
        check_attributes(kind, &function.attrs, problems);
        check_qualifiers(kind, &function.sig, problems);
        check_generics(kind, &function.sig, problems);
        let inputs = check_inputs(kind, &function.sig, problems);
        let output = check_output(kind, &function.sig, problems);
        let may_block = function.sig.asyncness.is_none();
        let mut function = function.without_markers();
        let (outer_attrs, inner_attrs) = function.attrs.into_iter().partition(is_for_callers);
        function.attrs = inner_attrs;
        Self {
            kind,
            options,
            outer_attrs,
            function,
            inputs,
            output,
            may_block,
        }
    }
}

fn check_attributes(kind: Kind, attrs: &[Attribute], problems: &mut Problems) {
    for attr in attrs {
        let name = attr.path().segments.last().map(|last| &last.ident);
        if name.is_some_and(|name| name == "workflow" || name == "step") {
            problems.report(
                attr,
                format!(
                    "a function is one workflow or one step: drop this or `#[{}]`",
                    kind.noun()
                ),
            );
        }
    }
}

fn check_qualifiers(kind: Kind, sig: &Signature, problems: &mut Problems) {
    let noun = kind.noun();
    if let Some(constness) = sig.constness {
        problems.report(
            constness,
            format!("a {noun} runs only at run time: drop `const`"),
        );
    }
    // A step that is a plain `fn` is one that may block.
    if sig.asyncness.is_none() && kind == Kind::Workflow {
        let message = format!("a workflow is asynchronous: write `async fn {}`", sig.ident);
        problems.report(sig.fn_token, message);
    }
    if let Safety::Unsafe(unsafety) = sig.safety {
        let message = format!(
            "a {noun} is called by the engine, which upholds no contract of yours: drop `unsafe`, \
             and write an `unsafe` block in the body"
        );
        problems.report(unsafety, message);
    }
    if let Some(abi) = &sig.abi {
        problems.report(
            abi,
            format!("a {noun} is called from Rust only: drop `extern`"),
        );
    }
    if let Some(variadic) = &sig.variadic {
        let message = format!("a {noun} has a fixed number of arguments: take a `Vec`");
        problems.report(variadic.dots, message);
    }
}

fn check_generics(kind: Kind, sig: &Signature, problems: &mut Problems) {
    let noun = kind.noun();
    for parameter in &sig.generics.params {
        let message = match parameter {
            GenericParam::Type(parameter) => format!(
                "a {noun} is not generic, since its log must be read back as one type: write one \
                 {noun} for each `{}`, which may call a generic function",
                parameter.ident
            ),
            GenericParam::Lifetime(parameter) => format!(
                "a {noun} owns its arguments: drop `{}` and take types that borrow nothing, such \
                 as `String` for `&str`",
                parameter.lifetime
            ),
            GenericParam::Const(parameter) => {
                format!(
                    "a {noun} is not generic: take `{}` as an argument",
                    parameter.ident
                )
            }
        };
        problems.report(parameter, message);
    }
    if let Some(clause) = &sig.generics.where_clause {
        let message = format!("a {noun} is not generic, so it has nothing to bound: drop `where`");
        problems.report(clause, message);
    }
}

fn check_inputs(kind: Kind, sig: &Signature, problems: &mut Problems) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut stored = 0;
    for (index, argument) in sig.inputs.iter().enumerate() {
        let argument = match argument {
            FnArg::Typed(argument) => argument,
            FnArg::Receiver(receiver) => {
                problems.report(receiver, no_receiver(kind));
                continue;
            }
        };
        let input = check_input(kind, index, argument, problems);
        stored += usize::from(!input.is_provided);
        if !input.is_provided && stored == MAX_ARGUMENTS + 1 {
            let message = format!(
                "a {} takes at most {MAX_ARGUMENTS} arguments: put them into a struct that is \
                 `Serialize` and `Deserialize`",
                kind.noun()
            );
            problems.report(argument, message);
        }
        inputs.push(input);
    }
    inputs
}

fn no_receiver(kind: Kind) -> &'static str {
    match kind {
        Kind::Workflow => {
            "a workflow is a free function, since nothing but its arguments is stored: take what \
             it needs as an argument"
        }
        Kind::Step => {
            "a step is a free function, since nothing but its arguments is stored: take what it \
             needs as an argument, or as one that is `#[provided]`"
        }
    }
}

fn check_input(kind: Kind, index: usize, argument: &PatType, problems: &mut Problems) -> Input {
    let mut is_provided = false;
    for attr in &argument.attrs {
        if self::is_provided(attr) {
            check_provided(kind, attr, is_provided, &argument.ty, problems);
            is_provided = true;
        } else if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
            let message = format!(
                "the arguments of a {} are the same in every build: put `#[cfg]` on the whole \
                 function",
                kind.noun()
            );
            problems.report(attr, message);
        }
    }
    let place = if is_provided {
        Place::Provided
    } else {
        Place::Argument
    };
    storable::check(kind, place, &argument.ty, problems);
    Input {
        name: name_outside(&argument.pat, index),
        ty: (*argument.ty).clone(),
        is_provided,
    }
}

fn check_provided(
    kind: Kind,
    attr: &Attribute,
    is_repeated: bool,
    ty: &Type,
    problems: &mut Problems,
) {
    if kind == Kind::Workflow {
        let message = format!(
            "a workflow takes only what can be stored: drop this, and take `{}` in a step",
            storable::spelled(ty)
        );
        problems.report(attr, message);
    } else if is_repeated {
        problems.report(attr, "`#[provided]` is given twice: keep one of the two");
    } else if !matches!(attr.meta, Meta::Path(_)) {
        let message = "a provided value is found by its type alone: write `#[provided]`";
        problems.report(attr, message);
    }
}

/// The name that an argument has for callers. Where it has none of its own, the hygiene of the
/// new name keeps it apart from what the user wrote.
fn name_outside(pattern: &Pat, index: usize) -> Ident {
    let (name, span) = match pattern {
        Pat::Ident(pattern) if pattern.subpat.is_none() => {
            let span = pattern.ident.span().resolved_at(Span::call_site());
            (pattern.ident.to_string(), span)
        }
        _ => {
            let span = pattern.span().resolved_at(Span::mixed_site());
            (format!("argument_{index}"), span)
        }
    };
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, span),
        None => Ident::new(&name, span),
    }
}

fn check_output(kind: Kind, sig: &Signature, problems: &mut Problems) -> Type {
    match &sig.output {
        ReturnType::Default => {
            problems.report(&sig.ident, storable::no_result(kind, "()"));
            parse_quote!(())
        }
        ReturnType::Type(_, output) => {
            if storable::is_result(kind, output, problems) {
                storable::check(kind, Place::Output, output, problems);
            }
            (**output).clone()
        }
    }
}

/// Tells whether an attribute is for those who call the function. Lints are, since what holds for
/// a function holds for the functions in it; all others, such as `#[instrument]`, change the body.
fn is_for_callers(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else {
        return is_known_to_callers(attr.path());
    };
    if !list.path.is_ident("cfg_attr") {
        return is_known_to_callers(&list.path);
    }
    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .is_ok_and(|metas| {
            let mut conditional = metas.iter().skip(1);
            conditional.all(|meta| is_known_to_callers(meta.path()))
        })
}

fn is_known_to_callers(path: &Path) -> bool {
    const KNOWN: [&str; 10] = [
        "allow",
        "cfg",
        "deny",
        "deprecated",
        "doc",
        "expect",
        "forbid",
        "must_use",
        "track_caller",
        "warn",
    ];
    KNOWN.iter().any(|known| path.is_ident(known))
}
