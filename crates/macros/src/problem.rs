//! Collects what is wrong with one function, so that all of it is reported together.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// Reports a problem at the place that these tokens were written.
    pub(crate) fn report(&mut self, at: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(at, message));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(problems) => problems.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Returns one `compile_error!` for each problem, or nothing where there is none.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        self.0.map(|problems| problems.to_compile_error())
    }
}

/// What tests ask of problems.
#[cfg(test)]
impl Problems {
    /// Returns each problem as `source text it points at: message`.
    pub(crate) fn listed(self) -> Vec<String> {
        let pointed = |problem: syn::Error| {
            let source = problem.span().source_text().unwrap_or_default();
            format!("{source}: {problem}")
        };
        self.0.into_iter().flatten().map(pointed).collect()
    }
}
