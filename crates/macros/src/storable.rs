//! Which types of arguments and results can be told, from their spelling alone, not to survive in
//! a log. What spelling does not show is left to the compiler.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment, Type,
    TypeFnPtr, TypeImplTrait, TypePath, TypeReference,
};

use crate::kind::Kind;
use crate::problem::Problems;

/// Where a type stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Argument,
    Provided,
    Output,
}

/// Reports every part of the type that cannot be stored, or, if provided, be cloned and kept.
pub(crate) fn check(kind: Kind, place: Place, ty: &Type, problems: &mut Problems) {
    Search {
        kind,
        place,
        problems,
    }
    .visit_type(ty);
}

struct Search<'a> {
    kind: Kind,
    place: Place,
    problems: &'a mut Problems,
}

impl Search<'_> {
    fn says_owned(&self) -> String {
        match self.place {
            Place::Argument => format!("a {} owns its arguments", self.kind.noun()),
            Place::Provided => "a provided value is cloned for each attempt".to_owned(),
            Place::Output => format!("a {} gives away its result", self.kind.noun()),
        }
    }
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        // The compiler judges `'static`: a provided one is fine, so is an error's text.
        if ty.lifetime.as_ref().is_some_and(is_static) && self.place != Place::Argument {
            return visit::visit_type_reference(self, ty);
        }
        let written = spelled(ty);
        let message = match owned(&ty.elem) {
            Some(owned) => format!(
                "{}: take `{owned}` instead of `{written}`",
                self.says_owned()
            ),
            None => format!("{}: name a type that owns what it holds", self.says_owned()),
        };
        self.problems.report(ty, message);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if !is_static(lifetime) {
            let message = format!(
                "{}: take a type that needs no `{lifetime}`, or write `'static`",
                self.says_owned()
            );
            self.problems.report(lifetime, message);
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        let message = format!(
            "what is stored must be read back as one type: name it instead of `{}`",
            spelled(ty)
        );
        self.problems.report(ty, message);
    }

    fn visit_type_path(&mut self, ty: &'ast TypePath) {
        if ty
            .path
            .segments
            .first()
            .is_some_and(|first| first.ident == "Self")
        {
            let message = format!(
                "a {} is a free function: name the type instead of `Self`",
                self.kind.noun()
            );
            return self.problems.report(&ty.path.segments[0], message);
        }
        visit::visit_type_path(self, ty);
    }

    // What a function pointer or a closure borrows, it borrows for each call.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

/// The owned type to write for a borrowed one.
fn owned(borrowed: &Type) -> Option<String> {
    match borrowed {
        Type::Slice(slice) => Some(format!("Vec<{}>", spelled(&slice.elem))),
        Type::Path(path) => {
            let name = path.path.segments.last()?.ident.to_string();
            Some(match name.as_str() {
                "str" => "String".to_owned(),
                "Path" => "PathBuf".to_owned(),
                "OsStr" => "OsString".to_owned(),
                "CStr" => "CString".to_owned(),
                _ => spelled(path),
            })
        }
        Type::Reference(inner) => owned(&inner.elem),
        Type::Paren(inner) => owned(&inner.elem),
        Type::Group(inner) => owned(&inner.elem),
        Type::Array(_) | Type::Tuple(_) => Some(spelled(borrowed)),
        _ => None,
    }
}

/// Tells whether an output may be a `Result`, and reports it where it plainly is none, or is one of
/// something borrowed. Any other path may be an alias, which the compiler knows.
pub(crate) fn is_result(kind: Kind, output: &Type, problems: &mut Problems) -> bool {
    if let Some(Type::Reference(success)) = success_of(output) {
        let message = format!(
            "a {} gives away its result: return `Result<{}, _>`",
            kind.noun(),
            owned(&success.elem).unwrap_or_else(|| "T".to_owned())
        );
        problems.report(success, message);
        return false;
    }
    let is_none = is_no_result(output);
    if is_none {
        let success = match output {
            Type::Never(_) | Type::ImplTrait(_) => "T".to_owned(),
            Type::Reference(reference) => owned(&reference.elem).unwrap_or_else(|| "T".to_owned()),
            _ => spelled(output),
        };
        problems.report(output, no_result(kind, &success));
    }
    !is_none
}

/// What to return instead.
pub(crate) fn no_result(kind: Kind, success: &str) -> String {
    format!(
        "a {noun} says whether it failed: return `Result<{success}, E>`; a {noun} that cannot fail \
         returns `Result<{success}, std::convert::Infallible>`",
        noun = kind.noun()
    )
}

/// The first argument of what is spelled as a `Result`.
fn success_of(output: &Type) -> Option<&Type> {
    let result = last_segment(output).filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &result.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn is_no_result(output: &Type) -> bool {
    const NONE: [&str; 28] = [
        "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
        "i64", "i128", "isize", "f32", "f64", "String", "Vec", "Option", "Box", "Rc", "Arc", "Cow",
        "HashMap", "HashSet", "BTreeMap", "BTreeSet",
    ];
    match output {
        Type::Paren(inner) => is_no_result(&inner.elem),
        Type::Group(inner) => is_no_result(&inner.elem),
        Type::Path(_) => last_segment(output)
            .is_some_and(|segment| NONE.iter().any(|none| segment.ident == none)),
        Type::Macro(_) | Type::Infer(_) | Type::Verbatim(_) => false,
        _ => true,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(inner) => last_segment(&inner.elem),
        Type::Paren(inner) => last_segment(&inner.elem),
        _ => None,
    }
}

/// The tokens as a person would write them.
pub(crate) fn spelled(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        ("& ", "&"),
        (" < ", "<"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" :: ", "::"),
        (" ,", ","),
        (" ;", ";"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}
