//! Parses what stands in the brackets of `#[workflow(…)]` and `#[step(…)]`. It must not know the
//! function.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, LitInt, LitStr, Path, Token};

use crate::duration;
use crate::kind::Kind;
use crate::problem::Problems;

/// What the user chose; what was left out has its default.
pub(crate) struct Options {
    /// Where the facade is found, where it is not `::rewake`.
    pub(crate) facade: Option<Path>,
    /// The name, where it is not module path and function.
    pub(crate) name: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) max_retries: u32,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) backoff_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            facade: None,
            name: None,
            aliases: Vec::new(),
            max_retries: 3,
            timeout_ms: None,
            backoff_ms: 1_000,
        }
    }
}

/// An option: what it is called, who has it, how it is written, and what reads its value.
struct Known {
    key: &'static str,
    of: &'static [Kind],
    written: &'static str,
    read: fn(&mut Options, &TokenStream) -> syn::Result<()>,
}

const OPTIONS: [Known; 6] = [
    known("name", &BOTH, "name = \"shop::review\"", read_name),
    known(
        "aliases",
        &[Kind::Workflow],
        "aliases = [\"shop::old_name\"]",
        read_aliases,
    ),
    known(
        "max_retries",
        &[Kind::Step],
        "max_retries = 5",
        read_max_retries,
    ),
    known("timeout", &[Kind::Step], "timeout = \"30s\"", read_timeout),
    known("backoff", &[Kind::Step], "backoff = \"2s\"", read_backoff),
    known("crate", &BOTH, "crate = my_crate::rewake", read_crate),
];

const LONGEST_NAME: usize = 256;

const BOTH: [Kind; 2] = [Kind::Workflow, Kind::Step];

const fn known(
    key: &'static str,
    of: &'static [Kind],
    written: &'static str,
    read: fn(&mut Options, &TokenStream) -> syn::Result<()>,
) -> Known {
    Known {
        key,
        of,
        written,
        read,
    }
}

impl Options {
    /// Reads all options; one that is wrong is reported and keeps its default.
    pub(crate) fn parse(kind: Kind, tokens: TokenStream, problems: &mut Problems) -> Self {
        let mut options = Self::default();
        let mut given = Vec::new();
        for option in split_at_commas(tokens) {
            if let Err(problem) = options.take(kind, &option, &mut given) {
                problems.add(problem);
            }
        }
        options.check_aliases(problems);
        options
    }

    /// A workflow finds its runs by its own name without being told.
    fn check_aliases(&self, problems: &mut Problems) {
        let Some(name) = &self.name else { return };
        let own = |alias: &&LitStr| alias.value() == name.value();
        if let Some(alias) = self.aliases.iter().find(own) {
            let message = "this alias is the name of the workflow itself: drop it";
            problems.add(syn::Error::new_spanned(alias, message));
        }
    }

    fn take(
        &mut self,
        kind: Kind,
        option: &TokenStream,
        given: &mut Vec<&'static str>,
    ) -> syn::Result<()> {
        let (key, value) = key_and_value
            .parse2(option.clone())
            .map_err(|_| syn::Error::new_spanned(option, not_an_option(kind)))?;
        let known = find(kind, &key)?;
        if given.contains(&known.key) {
            return Err(syn::Error::new_spanned(
                option,
                format!("`{}` is given twice: keep one of the two", known.key),
            ));
        }
        given.push(known.key);
        if value.is_empty() {
            return Err(syn::Error::new_spanned(
                option,
                format!("`{}` needs a value: write `{}`", known.key, known.written),
            ));
        }
        (known.read)(self, &value)
    }
}

/// Splits one option; its value is empty where only the key is written.
fn key_and_value(input: ParseStream<'_>) -> syn::Result<(Ident, TokenStream)> {
    let key = input.call(Ident::parse_any)?;
    if !input.is_empty() {
        input.parse::<Token![=]>()?;
    }
    Ok((key, input.parse()?))
}

fn find(kind: Kind, key: &Ident) -> syn::Result<&'static Known> {
    let Some(known) = OPTIONS.iter().find(|known| key == known.key) else {
        let message = format!("unknown option `{key}`: {}", options_of(kind));
        return Err(syn::Error::new_spanned(key, message));
    };
    if known.of.contains(&kind) {
        return Ok(known);
    }
    let other = known.of[0].noun();
    let message = format!("`{key}` is an option of `#[{other}]`: {}", options_of(kind));
    Err(syn::Error::new_spanned(key, message))
}

fn not_an_option(kind: Kind) -> String {
    format!("an option is a key, `=` and a value: {}", options_of(kind))
}

/// The options that the attribute has, as a part of a sentence.
fn options_of(kind: Kind) -> String {
    let keys: Vec<String> = OPTIONS
        .iter()
        .filter(|known| known.of.contains(&kind))
        .map(|known| format!("`{}`", known.key))
        .collect();
    format!("`#[{}]` takes {}", kind.noun(), keys.join(", "))
}

fn read_name(options: &mut Options, value: &TokenStream) -> syn::Result<()> {
    let name: LitStr = read(value, || {
        "a name is a text: write `name = \"shop::review\"`".to_owned()
    })?;
    check_name(&name)?;
    options.name = Some(name);
    Ok(())
}

fn read_aliases(options: &mut Options, value: &TokenStream) -> syn::Result<()> {
    let array = |input: ParseStream<'_>| {
        let names;
        syn::bracketed!(names in input);
        Punctuated::<LitStr, Token![,]>::parse_terminated(&names)
    };
    let aliases = array.parse2(value.clone()).map_err(|_| {
        syn::Error::new_spanned(
            value,
            "aliases are an array of texts: write `aliases = [\"shop::old_name\"]`",
        )
    })?;
    for alias in aliases {
        check_name(&alias)?;
        let is_given = |other: &LitStr| other.value() == alias.value();
        if options.aliases.iter().any(is_given) {
            return Err(syn::Error::new_spanned(
                alias,
                "this alias is given twice: keep one of the two",
            ));
        }
        options.aliases.push(alias);
    }
    Ok(())
}

fn read_max_retries(options: &mut Options, value: &TokenStream) -> syn::Result<()> {
    let message = || {
        format!(
            "`max_retries` is a whole number from 0 to {}: write `max_retries = 5`",
            u32::MAX
        )
    };
    let number: LitInt = read(value, message)?;
    options.max_retries = number
        .base10_parse()
        .map_err(|_| syn::Error::new_spanned(value, message()))?;
    Ok(())
}

fn read_timeout(options: &mut Options, value: &TokenStream) -> syn::Result<()> {
    let timeout_ms = read_time("timeout", "30s", value)?;
    if timeout_ms == 0 {
        return Err(syn::Error::new_spanned(
            value,
            "no attempt ends in no time: write a longer `timeout`, or leave it out for no limit",
        ));
    }
    options.timeout_ms = Some(timeout_ms);
    Ok(())
}

fn read_backoff(options: &mut Options, value: &TokenStream) -> syn::Result<()> {
    options.backoff_ms = read_time("backoff", "2s", value)?;
    Ok(())
}

fn read_crate(options: &mut Options, value: &TokenStream) -> syn::Result<()> {
    let path = |input: ParseStream<'_>| input.call(Path::parse_mod_style);
    let path = path.parse2(value.clone()).map_err(|_| {
        syn::Error::new_spanned(
            value,
            "`crate` is the path under which `rewake` is found: write `crate = my_crate::rewake`",
        )
    })?;
    options.facade = Some(path);
    Ok(())
}

fn read_time(key: &str, example: &str, value: &TokenStream) -> syn::Result<u64> {
    let text: LitStr = read(value, || {
        format!("a time is a text with its unit: write `{key} = \"{example}\"`")
    })?;
    duration::milliseconds(&text.value()).map_err(|message| syn::Error::new_spanned(text, message))
}

/// Reads a value of one kind and nothing more.
fn read<T: syn::parse::Parse>(
    value: &TokenStream,
    message: impl FnOnce() -> String,
) -> syn::Result<T> {
    syn::parse2(value.clone()).map_err(|_| syn::Error::new_spanned(value, message()))
}

fn check_name(name: &LitStr) -> syn::Result<()> {
    let text = name.value();
    let message = if text.is_empty() {
        "a name has at least one character: write one, or leave the option out"
    } else if text.len() > LONGEST_NAME {
        "a name has at most 256 bytes: people type it"
    } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "a name has no blanks and no control characters: people type it and addresses hold it"
    } else {
        return Ok(());
    };
    Err(syn::Error::new_spanned(name, message))
}

/// Splits tokens at the commas outside of brackets, so that one wrong option spoils no other.
fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        let is_comma = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
        match parts.last_mut() {
            Some(part) if !is_comma => part.push(token),
            _ => parts.push(Vec::new()),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.into_iter().map(TokenStream::from_iter).collect()
}
