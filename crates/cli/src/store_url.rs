//! Stores as they are named: the URLs that a handle is opened with.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A store, as a handle is opened on it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A database, by a connection string, which may hold a password.
    Postgres(String),
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return match path {
                "" => Err("it has no path; write `sqlite:my.db`".to_owned()),
                ":memory:" => Err(
                    "a store in memory is gone with its process; name a file: `sqlite:my.db`"
                        .to_owned(),
                ),
                path => Ok(Self::Sqlite(path.into())),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err("it names no kind of store; use `sqlite:PATH` or `postgres://…`".to_owned())
    }
}

/// As it may be shown: a password is nobody's business.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without user and password, and without parameters, among which a password may be too.
fn without_secrets(url: &str) -> String {
    let (base, parameters) = match url.split_once('?') {
        Some((base, _)) => (base, "?…"),
        None => (url, ""),
    };
    match (base.find("://"), base.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}{parameters}", &base[..scheme + 3], &base[at..])
        }
        _ => format!("{base}{parameters}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_a_handle_reads_them() {
        let read = |url: &str| url.parse::<StoreUrl>();
        assert_eq!(read("sqlite:a/b.db"), Ok(StoreUrl::Sqlite("a/b.db".into())));
        for url in ["postgres://host/db", "postgresql://host/db"] {
            assert_eq!(read(url), Ok(StoreUrl::Postgres(url.to_owned())));
        }
        for wrong in ["", "my.db", "sqlite:", "sqlite::memory:", "mysql://host/db"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_has_no_password() {
        for url in [
            "postgres://ada:hunter2@db/app",
            "postgres://db/app?user=ada&password=hunter2",
            "postgres://ada:hunter2@db/app?password=hunter2",
            "postgres://ada:hun@ter2@db/app",
        ] {
            let url: StoreUrl = url.parse().unwrap();
            for shown in [format!("{url}"), format!("{url:?}")] {
                assert!(!shown.contains("ter2"), "{shown}");
                assert!(shown.contains("db/app"), "{shown}");
            }
        }
    }
}
