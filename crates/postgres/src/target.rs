//! Where a connection string leads, read as libpq reads it.
//!
//! The driver reads most of it. What it does not know, about whom an encrypted connection trusts, is
//! taken out here first.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::OpenError;
use crate::fault::said;

/// Where a connection string leads.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
}

/// Whom an encrypted connection trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    pub(crate) check: Check,
    /// A file of certificates that are trusted; those of the machine unless given.
    pub(crate) roots: Option<PathBuf>,
    /// A file with the client's own certificate, and one with its key.
    pub(crate) own: (Option<PathBuf>, Option<PathBuf>),
}

/// What is checked of the server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: what is sent is hidden from those who only listen.
    #[default]
    Nothing,
    /// Who has signed it.
    Signer,
    /// That, and whether it is the server's that was named.
    SignerAndName,
}

/// One parameter of a connection string, as it stands there and as it is meant.
struct Parameter<'t> {
    raw: &'t str,
    key: &'t str,
    value: String,
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, OpenError> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let (base, parameters, between) = if is_url {
            let (base, query) = text.split_once('?').unwrap_or((text, ""));
            (format!("{base}?"), in_url(query), "&")
        } else {
            (String::new(), in_words(text)?, " ")
        };
        let mut trust = Trust::default();
        let mut mode = None;
        let mut rest = Vec::new();
        for Parameter { raw, key, value } in parameters {
            match (key, value.as_str()) {
                ("sslrootcert", "system") => trust.check = Check::SignerAndName,
                ("sslrootcert", _) => trust.roots = Some(value.into()),
                ("sslcert", _) => trust.own.0 = Some(value.into()),
                ("sslkey", _) => trust.own.1 = Some(value.into()),
                ("sslmode", _) => mode = Some(value),
                _ => rest.push(raw),
            }
        }
        let mut config: Config =
            format!("{base}{}", rest.join(between))
                .parse()
                .map_err(|error| OpenError::Invalid {
                    reason: said(&error),
                })?;
        config.ssl_mode(trust.set(mode.as_deref())?);
        Ok(Self { config, trust })
    }
}

impl Trust {
    /// Takes over what a mode says, and answers whether the connection is encrypted.
    fn set(&mut self, mode: Option<&str>) -> Result<SslMode, OpenError> {
        let (check, mode) = match mode {
            // As libpq has it: whoever names a signer wants it looked at.
            Some("require") if self.roots.is_some() => (Check::Signer, SslMode::Require),
            Some("require") => (Check::Nothing, SslMode::Require),
            Some("verify-ca") => (Check::Signer, SslMode::Require),
            Some("verify-full") => (Check::SignerAndName, SslMode::Require),
            Some("disable") => (Check::Nothing, SslMode::Disable),
            None if self.check == Check::SignerAndName => (self.check, SslMode::Require),
            Some("allow" | "prefer") | None => (Check::Nothing, SslMode::Prefer),
            Some(other) => {
                return Err(OpenError::Invalid {
                    reason: format!("there is no `sslmode` called `{other}`"),
                });
            }
        };
        if self.check != Check::SignerAndName {
            self.check = check;
        }
        Ok(mode)
    }
}

fn in_url(query: &str) -> Vec<Parameter<'_>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|raw| {
            let (key, value) = raw.split_once('=').unwrap_or((raw, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            Parameter { raw, key, value }
        })
        .collect()
}

/// Words of the form `key = 'value'`, where quotes may be left out and a backslash takes the meaning
/// of what follows it.
fn in_words(text: &str) -> Result<Vec<Parameter<'_>>, OpenError> {
    let invalid = |reason: &str| OpenError::Invalid {
        reason: reason.to_owned(),
    };
    let mut parameters = Vec::new();
    let mut left = text.trim_start();
    while !left.is_empty() {
        let (key, after) = left
            .split_once('=')
            .ok_or_else(|| invalid("a word has no `=`"))?;
        let after = after.trim_start();
        let (value, len) = value(after).ok_or_else(|| invalid("a quote does not end"))?;
        let end = left.len() - after.len() + len;
        parameters.push(Parameter {
            raw: &left[..end],
            key: key.trim(),
            value,
        });
        left = left[end..].trim_start();
    }
    Ok(parameters)
}

/// The value that a text begins with, and how long it is there; none where it has no end.
fn value(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => value.push(chars.next()?.1),
            '\'' if quoted => return Some((value, at + 1)),
            space if !quoted && space.is_whitespace() => return Some((value, at)),
            other => value.push(other),
        }
    }
    (!quoted).then_some((value, text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(text: &str) -> (Trust, SslMode) {
        let target = Target::parse(text).unwrap();
        let mode = target.config.get_ssl_mode();
        (target.trust, mode)
    }

    fn checking(check: Check, roots: Option<&str>) -> Trust {
        Trust {
            check,
            roots: roots.map(PathBuf::from),
            own: (None, None),
        }
    }

    #[test]
    fn a_mode_says_what_is_checked() {
        for (mode, check, encrypted) in [
            ("disable", Check::Nothing, SslMode::Disable),
            ("allow", Check::Nothing, SslMode::Prefer),
            ("prefer", Check::Nothing, SslMode::Prefer),
            ("require", Check::Nothing, SslMode::Require),
            ("verify-ca", Check::Signer, SslMode::Require),
            ("verify-full", Check::SignerAndName, SslMode::Require),
        ] {
            let expected = (checking(check, None), encrypted);
            let url = format!("postgres://app@db/app?connect_timeout=3&sslmode={mode}");
            assert_eq!(trust(&url), expected);
            let words = format!("host=db sslmode = '{mode}' user=app");
            assert_eq!(trust(&words), expected);
        }
        let unsaid = (checking(Check::Nothing, None), SslMode::Prefer);
        assert_eq!(trust("postgres://app@db/app"), unsaid);
    }

    #[test]
    fn whoever_names_a_signer_wants_it_looked_at() {
        let url = "postgresql://db/?sslrootcert=%2Fetc%2Fca.pem&sslmode=require";
        let expected = checking(Check::Signer, Some("/etc/ca.pem"));
        assert_eq!(trust(url), (expected, SslMode::Require));
        let words = r"host=db sslrootcert='/etc/the \'ca\'.pem' sslmode=verify-full";
        let expected = checking(Check::SignerAndName, Some("/etc/the 'ca'.pem"));
        assert_eq!(trust(words), (expected, SslMode::Require));
        let system = "host=db sslrootcert=system";
        let expected = checking(Check::SignerAndName, None);
        assert_eq!(trust(system), (expected, SslMode::Require));
    }

    #[test]
    fn the_rest_is_the_drivers() {
        let text = r"host=db,other port=1,2 password='a b\\c' dbname=app sslmode=disable";
        let config = Target::parse(text).unwrap().config;
        assert_eq!(config.get_password(), Some(&br"a b\c"[..]));
        assert_eq!(config.get_dbname(), Some("app"));
        assert_eq!(config.get_ports(), [1, 2]);
        assert_eq!(config.get_hosts().len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in [
            "host",
            "host='db",
            "host=db sslmode=maybe",
            "postgres://db/?sslmode=",
            "x=1",
        ] {
            let refused = Target::parse(text);
            assert!(matches!(refused, Err(OpenError::Invalid { .. })), "{text}");
        }
    }
}
