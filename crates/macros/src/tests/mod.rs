//! Tests that read a function with its attribute as a user writes it.

mod expansions;
mod options;
mod refusals;

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::expand;
use crate::kind::Kind;
use crate::problem::Problems;

/// A function and the attribute of ours that stands first.
struct Written {
    kind: Kind,
    options: TokenStream,
    item: TokenStream,
}

impl Written {
    fn new(source: &str) -> Self {
        let mut tokens = TokenStream::from_str(source)
            .expect("the source is made of tokens")
            .into_iter()
            .skip(1);
        let Some(TokenTree::Group(attribute)) = tokens.next() else {
            panic!("the source begins with an attribute: {source}");
        };
        let mut attribute = attribute.stream().into_iter();
        let kind = match attribute.next().expect("the attribute has a name") {
            TokenTree::Ident(name) if name == "workflow" => Kind::Workflow,
            TokenTree::Ident(name) if name == "step" => Kind::Step,
            other => panic!("`{other}` is no attribute of ours"),
        };
        let options = match attribute.next() {
            Some(TokenTree::Group(options)) if options.delimiter() == Delimiter::Parenthesis => {
                options.stream()
            }
            _ => TokenStream::new(),
        };
        Self {
            kind,
            options,
            item: tokens.collect(),
        }
    }

    fn expanded(self) -> TokenStream {
        expand::expand(self.kind, self.options, &self.item)
    }
}

/// Returns what is wrong with the source, each as `what it points at: message`.
fn problems_of(source: &str) -> Vec<String> {
    let written = Written::new(source);
    let mut problems = Problems::default();
    expand::check(written.kind, written.options, &written.item, &mut problems);
    problems.listed()
}
