//! What an engine is opened with, checked before anything is opened.

use http::Uri;

use super::Limits;
use crate::error::OpenError;

/// How many bytes a name may have.
const LONGEST_NAME: usize = 256;

/// A name that an engine was given and that cannot be one. Nothing was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// The name is empty. Give one, or leave it out.
    #[error("the name of the {what} is empty; give one, or leave it out")]
    Empty {
        /// What is called so.
        what: &'static str,
    },
    /// The name is too long. Shorten it.
    #[error("the name of the {what} has {len} bytes, more than the {LONGEST_NAME} allowed")]
    TooLong {
        /// What is called so.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// The name holds a control character.
    #[error("the name of the {what} has control characters")]
    ControlCharacter {
        /// What is called so.
        what: &'static str,
    },
}

impl InvalidName {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "INVALID_NAME"
    }
}

/// Checks what something is called.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), InvalidName> {
    if name.is_empty() {
        return Err(InvalidName::Empty { what });
    }
    let len = name.len();
    if len > LONGEST_NAME {
        return Err(InvalidName::TooLong { what, len });
    }
    if name.chars().any(char::is_control) {
        return Err(InvalidName::ControlCharacter { what });
    }
    Ok(())
}

/// Checks where the router is reachable: whoever is given the URL of a webhook must be able to call it.
pub(super) fn check_public_url(url: &str) -> Result<(), OpenError> {
    let parsed: Option<Uri> = url.parse().ok();
    let fits = parsed.is_some_and(|parsed| {
        let of_the_web = matches!(parsed.scheme_str(), Some("http" | "https"));
        of_the_web
            && parsed.host().is_some_and(|host| !host.is_empty())
            && !url.contains(['?', '#'])
    });
    if fits {
        Ok(())
    } else {
        Err(OpenError::InvalidPublicUrl)
    }
}

/// Checks the limits without which nothing can be done.
pub(super) const fn check_limits(limits: &Limits) -> Result<(), OpenError> {
    let what = if limits.token == 0 {
        "the bytes of a token"
    } else if limits.payload == 0 {
        "the bytes of a payload"
    } else if limits.unread.count == 0 {
        "the payloads that a hook holds unread"
    } else if limits.unread.bytes == 0 {
        "the bytes that a hook holds unread"
    } else if limits.live_hooks == 0 {
        "the live hooks of a run"
    } else {
        return Ok(());
    };
    Err(OpenError::NothingAllowed { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_between_1_and_256_bytes_without_control_characters() {
        let what = "project";
        assert_eq!(check_name(what, ""), Err(InvalidName::Empty { what }));
        assert_eq!(check_name(what, &"x".repeat(256)), Ok(()));
        let too_long = InvalidName::TooLong { what, len: 258 };
        assert_eq!(check_name(what, &"ß".repeat(129)), Err(too_long));
        let control = InvalidName::ControlCharacter { what };
        assert_eq!(check_name(what, "a\tb"), Err(control));
        assert_eq!(check_name(what, "Läden / Süd"), Ok(()));
    }

    #[test]
    fn a_public_url_has_a_scheme_and_a_host() {
        for url in [
            "https://app.example",
            "http://127.0.0.1:3000/",
            "https://app.example/hooks",
            "http://[::1]:3000",
        ] {
            assert_eq!(check_public_url(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "app.example",
            "/hooks",
            "ftp://app.example",
            "https://",
            "https://app.example/?a=1",
            "https://app.example/#a",
            "https://app example",
        ] {
            let refused = Err(OpenError::InvalidPublicUrl);
            assert_eq!(check_public_url(url), refused, "{url}");
        }
    }
}
