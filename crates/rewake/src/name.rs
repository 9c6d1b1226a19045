//! The names that steps are given at run time. Those in attributes are checked by the compiler.

/// The longest name there is, in bytes.
const LONGEST: usize = 256;

/// A text that cannot be the name of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidName {
    #[error("the name of a step has at least one character")]
    Empty,
    #[error("the name of a step has at most {LONGEST} bytes, and this one has {len}")]
    TooLong { len: usize },
    #[error(
        "the name of a step has no blanks and no control characters: people type it; write it such \
         as `charge_card`"
    )]
    Blank,
}

/// Checks a name.
pub(crate) fn check(name: &str) -> Result<(), InvalidName> {
    if name.is_empty() {
        return Err(InvalidName::Empty);
    }
    if name.len() > LONGEST {
        return Err(InvalidName::TooLong { len: name.len() });
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(InvalidName::Blank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_between_1_and_256_bytes_without_blanks() {
        assert_eq!(check(""), Err(InvalidName::Empty));
        assert_eq!(check(&"x".repeat(256)), Ok(()));
        assert_eq!(
            check(&"ß".repeat(129)),
            Err(InvalidName::TooLong { len: 258 })
        );
        for blank in ["charge card", "a\tb", "\0", "\u{a0}"] {
            assert_eq!(check(blank), Err(InvalidName::Blank), "{blank:?}");
        }
        assert_eq!(check("shop::orders::zahlung_prüfen"), Ok(()));
    }
}
