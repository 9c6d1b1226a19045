//! The function as the user wrote it. Its body is kept as tokens, so that nothing in it is lost.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, TokenStreamExt};
use syn::parse::ParseStream;
use syn::{Attribute, FnArg, Signature, Token, Visibility, token};

use crate::kind::Kind;

/// A function with its attributes.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Function {
    pub(crate) fn parse(kind: Kind, input: ParseStream<'_>) -> syn::Result<Self> {
        let noun = kind.noun();
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !begins_a_function(input) {
            return Err(input.error(format!(
                "`#[{noun}]` goes on a function: write `async fn name(…) -> Result<T, E> {{ … }}`"
            )));
        }
        let sig: Signature = input.parse()?;
        if !input.peek(token::Brace) {
            return Err(syn::Error::new_spanned(
                &sig,
                format!("a {noun} is a free function with a body: write `{{ … }}` after it"),
            ));
        }
        let body = input.parse()?;
        Ok(Self {
            attrs,
            vis,
            sig,
            body,
        })
    }

    /// Takes away the attributes of arguments that only this crate knows.
    pub(crate) fn without_markers(mut self) -> Self {
        for input in &mut self.sig.inputs {
            if let FnArg::Typed(input) = input {
                input.attrs.retain(|attr| !is_provided(attr));
            }
        }
        self
    }
}

/// Tells whether this is the marker `#[provided]`.
pub(crate) fn is_provided(attr: &Attribute) -> bool {
    attr.path().is_ident("provided")
}

fn begins_a_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn]) || input.fork().parse::<Signature>().is_ok()
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attrs);
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}
