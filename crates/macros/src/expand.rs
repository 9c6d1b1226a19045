//! Writes out what a checked function becomes, with absolute paths into the facade only.
//!
//! The user's function stands in the new one under another name, so that a body that names its own
//! function means the new one: `continue_as(review(doc))` in `review`. Everything else stands in a
//! block of its own, where the body cannot see it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Ident, Type, Visibility};

use crate::args::Options;
use crate::function::Function;
use crate::kind::Kind;
use crate::model::{Definition, Input};
use crate::problem::Problems;

/// Expands an attribute: to the definition, or to all its problems and the function as it was, so
/// that those who call it do not fail as well.
pub(crate) fn expand(kind: Kind, options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let checked = check(kind, options, item, &mut problems);
    match (problems.into_compile_errors(), checked) {
        (None, Some((_, definition))) => definition.into_tokens(),
        (errors, Some((written, _))) => quote!(#errors #written),
        (errors, None) => quote!(#errors #item),
    }
}

/// Reads options and function, and reports what is wrong with either. Returns the function without
/// our markers, and what is made of it if no problem was found.
pub(crate) fn check(
    kind: Kind,
    options: TokenStream,
    item: &TokenStream,
    problems: &mut Problems,
) -> Option<(Function, Definition)> {
    let options = Options::parse(kind, options, problems);
    let parser = |input: ParseStream<'_>| Function::parse(kind, input);
    match parser.parse2(item.clone()) {
        Ok(function) => {
            let written = function.clone().without_markers();
            let definition = Definition::check(kind, options, function, problems);
            Some((written, definition))
        }
        Err(problem) => {
            problems.add(problem);
            None
        }
    }
}

impl Definition {
    fn into_tokens(self) -> TokenStream {
        let mut function = self.function;
        let name = function.sig.ident.clone();
        let vis = std::mem::replace(&mut function.vis, Visibility::Inherited);
        let as_written = format_ident!("{}_as_written", name.unraw(), span = name.span());
        function.sig.ident = as_written.clone();

        // Whatever the compiler finds wrong in what we add, it shows at the function's name.
        let at = name.span().resolved_at(Span::mixed_site());
        let facade = self
            .options
            .facade
            .as_ref()
            .map_or_else(|| quote_spanned!(at=> ::rewake), ToTokens::to_token_stream);
        let private = quote_spanned!(at=> #facade::__private);
        let (call_type, call) = match self.kind {
            Kind::Workflow => ("WorkflowCall", "workflow_call"),
            Kind::Step => ("StepCall", "step_call"),
        };
        let [call_type, call] = [call_type, call].map(|name| Ident::new(name, at));
        let definition = Writer {
            at,
            kind: self.kind,
            private: &private,
            options: &self.options,
            name: &name,
            as_written: &as_written,
            inputs: &self.inputs,
            may_block: self.may_block,
        }
        .definition();

        let outer_attrs = &self.outer_attrs;
        let fn_token = function.sig.fn_token;
        let stored: Vec<&Input> = self.inputs.iter().filter(|i| !i.is_provided).collect();
        let names = stored.iter().map(|input| &input.name);
        let types = stored.iter().map(|input| &input.ty);
        let success = success(&private, &self.output);
        let (no_arguments, arguments) = arguments(&stored, at);
        quote_spanned! {at=>
            #(#outer_attrs)*
            #vis #fn_token #name(#(#names: #types),*) -> #facade::#call_type<#success> {
                // What the attribute asks for, whether or not the body needs it.
                #[allow(clippy::unused_async, clippy::needless_pass_by_value, clippy::unnecessary_wraps)]
                #function
                #no_arguments
                #private::#call(#definition, #arguments)
            }
        }
    }
}

/// Writes what the output has if all goes well, so that the compiler shows a wrong one where the
/// user wrote it.
fn success(private: &TokenStream, output: &Type) -> TokenStream {
    let [first, last] = ends_of(output);
    let lt = quote_spanned!(first=> <);
    let outcome = quote_spanned!(last=> as #private::Outcome>::Ok);
    quote!(#lt #output #outcome)
}

/// Writes a reference to the arguments, which the compiler shows as a whole, and what must stand
/// before it where there is none.
fn arguments(stored: &[&Input], at: Span) -> (Option<TokenStream>, TokenStream) {
    let (Some(first), Some(last)) = (stored.first(), stored.last()) else {
        let none = quote_spanned!(at=> let arguments: [(); 0] = [];);
        return (Some(none), quote_spanned!(at=> &arguments));
    };
    let [_, end] = ends_of(&last.ty);
    let names = stored.iter().map(|input| &input.name);
    let reference = quote_spanned!(first.name.span().resolved_at(at)=> &);
    let tuple = quote_spanned!(end=> (#(#names,)*));
    (None, quote!(#reference #tuple))
}

/// The places of the first and the last token, with the hygiene of what we write.
fn ends_of(tokens: &impl ToTokens) -> [Span; 2] {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens
        .next()
        .map_or_else(Span::mixed_site, |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    [first, last].map(|span| span.resolved_at(Span::mixed_site()))
}

/// What is needed to write the block that defines and registers.
struct Writer<'a> {
    at: Span,
    kind: Kind,
    private: &'a TokenStream,
    options: &'a Options,
    name: &'a Ident,
    as_written: &'a Ident,
    inputs: &'a [Input],
    may_block: bool,
}

impl Writer<'_> {
    /// Writes a block whose value is a reference to the definition.
    fn definition(&self) -> TokenStream {
        let Self { at, private, .. } = self;
        let (run, fields, definition, registered) = match self.kind {
            Kind::Workflow => (
                self.run_workflow(),
                self.workflow_fields(),
                Ident::new("WorkflowDefinition", *at),
                Ident::new("RegisteredWorkflow", *at),
            ),
            Kind::Step => (
                self.run_step(),
                self.step_fields(),
                Ident::new("StepDefinition", *at),
                Ident::new("RegisteredStep", *at),
            ),
        };
        let name = self.registered_name();
        let function = self.name.unraw().to_string();
        // With the span of the name itself, the line is the function's and not the attribute's.
        let line = quote_spanned!(self.name.span()=> ::core::line!());
        quote_spanned! {*at=> {
            #run
            static DEFINITION: #private::#definition = #private::#definition {
                name: #name,
                function: #function,
                file: ::core::file!(),
                line: #line,
                #fields
                run,
            };
            #private::inventory::submit! { #private::#registered(&DEFINITION) }
            &DEFINITION
        }}
    }

    fn run_workflow(&self) -> TokenStream {
        let Self { at, private, .. } = self;
        let run = self.closure();
        quote_spanned! {*at=>
            fn run(input: &#private::Payload) -> #private::WorkflowBody {
                #private::run_workflow(input, #run)
            }
        }
    }

    fn run_step(&self) -> TokenStream {
        let Self { at, private, .. } = self;
        let run = self.closure();
        let (run_step, moved) = if self.may_block {
            // It runs on another thread, and takes what it was provided with along.
            ("run_blocking_step", Some(quote_spanned!(*at=> move)))
        } else {
            ("run_step", None)
        };
        let run_step = Ident::new(run_step, *at);
        let mut provided = Ident::new("provided", *at);
        let values: Vec<TokenStream> = self
            .numbered()
            .filter(|(_, input)| input.is_provided)
            .map(|(value, Input { ty, .. })| {
                let get = quote_spanned!(ty.span()=> #provided.get::<#ty>());
                quote_spanned! {*at=>
                    let #value: #ty = match #get {
                        ::core::result::Result::Ok(value) => value,
                        ::core::result::Result::Err(missing) => {
                            return #private::missing_provided(missing);
                        }
                    };
                }
            })
            .collect();
        if values.is_empty() {
            provided = Ident::new("_provided", *at);
        }
        quote_spanned! {*at=>
            fn run(input: &#private::Payload, #provided: &#private::Provided) -> #private::StepBody {
                #(#values)*
                #private::#run_step(input, #moved #run)
            }
        }
    }

    /// A closure from the stored arguments to what the user's function returns.
    fn closure(&self) -> TokenStream {
        let Self { at, as_written, .. } = self;
        let all = self.numbered().map(|(argument, _)| argument);
        let stored = || self.numbered().filter(|(_, input)| !input.is_provided);
        let arguments = stored().map(|(argument, _)| argument);
        let types = stored().map(|(_, input)| &input.ty);
        let parameter = if stored().next().is_none() {
            quote_spanned!(*at=> []: [(); 0])
        } else {
            quote_spanned!(*at=> (#(#arguments,)*): (#(#types,)*))
        };
        quote_spanned!(*at=> |#parameter| #as_written(#(#all),*))
    }

    /// Names each argument by its place, so that none hides another name.
    fn numbered(&self) -> impl Iterator<Item = (Ident, &Input)> {
        let name = |index| Ident::new(&format!("argument_{index}"), self.at);
        let inputs = self.inputs.iter().enumerate();
        inputs.map(move |(index, input)| (name(index), input))
    }

    fn registered_name(&self) -> TokenStream {
        let function = self.name.unraw().to_string();
        self.options.name.as_ref().map_or_else(
            || quote_spanned!(self.at=> ::core::concat!(::core::module_path!(), "::", #function)),
            ToTokens::to_token_stream,
        )
    }

    fn workflow_fields(&self) -> TokenStream {
        let aliases = &self.options.aliases;
        quote_spanned!(self.at=> aliases: &[#(#aliases),*],)
    }

    fn step_fields(&self) -> TokenStream {
        let Self { at, private, .. } = self;
        let max_retries = self.options.max_retries;
        let backoff_ms = self.options.backoff_ms;
        let timeout_ms = self.options.timeout_ms.map_or_else(
            || quote_spanned!(*at=> ::core::option::Option::None),
            |timeout_ms| quote_spanned!(*at=> ::core::option::Option::Some(#timeout_ms)),
        );
        let provided = self.inputs.iter().filter(|input| input.is_provided);
        let provided = provided
            .map(|Input { ty, .. }| quote_spanned!(ty.span()=> #private::ProvidedType::of::<#ty>));
        quote_spanned! {*at=>
            max_retries: #max_retries,
            timeout_ms: #timeout_ms,
            backoff_ms: #backoff_ms,
            provided: &[#(#provided),*],
        }
    }
}
