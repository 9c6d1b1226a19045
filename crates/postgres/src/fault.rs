//! What the database's errors mean here. Driver types end in this module.

use std::fmt;

use rewake_store::{Corrupt, StoreError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::error::OpenError;

/// A kind of trouble with the database, as one statement meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is gone or leads to where nothing can be written. What was open on it is
    /// undone; what was being committed is not known.
    Lost,
    /// Another transaction was in the way. Undone; the same again may find its way.
    Conflict,
    /// It took too long, or the server has no room for it at present. Undone.
    Busy,
    /// No room on the disk. Undone.
    Full,
    /// What is stored is not what was written.
    Damage,
    /// Anything else the server says. Undone.
    Refused,
}

impl Fault {
    pub(crate) fn of(error: &Error) -> Self {
        // Whatever else the driver cannot make sense of, the connection is not to be trusted.
        error.as_db_error().map_or(Self::Lost, Self::said)
    }

    fn said(error: &DbError) -> Self {
        let code = error.code();
        let is_of = |class: &str| code.code().starts_with(class);
        if let Some(Severity::Fatal | Severity::Panic) = error.parsed_severity() {
            return Self::Lost;
        }
        if *code == SqlState::DISK_FULL {
            Self::Full
        } else if *code == SqlState::UNIQUE_VIOLATION || is_of("40") {
            Self::Conflict
        } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION || is_of("57P") {
            Self::Lost
        } else if *code == SqlState::LOCK_NOT_AVAILABLE
            || *code == SqlState::QUERY_CANCELED
            || is_of("53")
        {
            Self::Busy
        } else if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
            Self::Damage
        } else {
            Self::Refused
        }
    }
}

/// What a request that met the error is told; nothing of it was written.
pub(crate) fn refusal(error: &Error) -> StoreError {
    let reason = said(error);
    match Fault::of(error) {
        Fault::Full => StoreError::DiskFull,
        Fault::Damage => damaged("the database", reason),
        Fault::Lost | Fault::Conflict | Fault::Busy => StoreError::Unavailable { reason },
        Fault::Refused => StoreError::Backend { reason },
    }
}

/// What an opening that met the error is told.
pub(crate) fn trouble(error: &Error) -> OpenError {
    let reason = said(error);
    match Fault::of(error) {
        Fault::Lost | Fault::Busy if is_about_access(error) => OpenError::Backend { reason },
        Fault::Lost | Fault::Busy => OpenError::Unreachable { reason },
        Fault::Conflict | Fault::Full | Fault::Damage | Fault::Refused => {
            OpenError::Backend { reason }
        }
    }
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(crate) struct Unreached {
    kind: Kind,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nobody answers, or the server has no room at present: it may have later.
    Away,
    /// It is not as secure as was asked for.
    NotSecure,
    /// The server does not want this user, or knows no such database.
    Access,
    /// Anything else that it says.
    Refused,
}

impl From<Error> for Unreached {
    fn from(error: Error) -> Self {
        if let Some(reason) = insecure(&error) {
            let kind = Kind::NotSecure;
            return Self { kind, reason };
        }
        let kind = match Fault::of(&error) {
            Fault::Lost | Fault::Busy if is_about_access(&error) => Kind::Access,
            Fault::Lost | Fault::Busy | Fault::Full => Kind::Away,
            Fault::Conflict | Fault::Damage | Fault::Refused => Kind::Refused,
        };
        let reason = said(&error);
        Self { kind, reason }
    }
}

impl Unreached {
    pub(crate) fn silent() -> Self {
        Self {
            kind: Kind::Away,
            reason: "it does not answer".to_owned(),
        }
    }

    /// Says which host it was.
    pub(crate) fn of(self, host: &str) -> Self {
        let reason = format!("{host}: {}", self.reason);
        Self { reason, ..self }
    }

    /// What two hosts come to: while one of them is only away, so is the database.
    pub(crate) fn beside(other: Option<Self>, this: Self) -> Self {
        let Some(other) = other else { return this };
        let is_away = other.kind == Kind::Away;
        Self {
            kind: if is_away { other.kind } else { this.kind },
            reason: format!("{}; {}", other.reason, this.reason),
        }
    }

    /// What a request is told; nothing of it was written.
    pub(crate) fn refusal(self) -> StoreError {
        let Self { kind, reason } = self;
        match kind {
            Kind::Away | Kind::NotSecure | Kind::Access => StoreError::Unavailable { reason },
            Kind::Refused => StoreError::Backend { reason },
        }
    }

    /// What an opening is told.
    pub(crate) fn trouble(self) -> OpenError {
        let Self { kind, reason } = self;
        match kind {
            Kind::Away => OpenError::Unreachable { reason },
            Kind::NotSecure => OpenError::NotSecure { reason },
            Kind::Access | Kind::Refused => OpenError::Backend { reason },
        }
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// What is wrong with the security of a connection, where that is what is wrong.
fn insecure(error: &Error) -> Option<String> {
    let cause = std::error::Error::source(error)?;
    let outside = cause.downcast_ref::<std::io::Error>();
    let refused = outside
        .and_then(std::io::Error::get_ref)
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    if let Some(refused) = refused {
        return Some(format!("{refused}{}", advice(refused)));
    }
    // The driver has no name for it.
    (cause.to_string() == "server does not support TLS").then(|| {
        "the server does not encrypt; set `ssl = on` there, or say `sslmode=prefer`".to_owned()
    })
}

fn advice(refused: &rustls::Error) -> &'static str {
    use rustls::{CertificateError as Certificate, Error as Tls};
    match refused {
        // The other has the name of one that is trusted, and another key.
        Tls::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            "; name who signed the server's certificate in `sslrootcert`"
        }
        Tls::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => "; connect by a name that the server's certificate has, or say `sslmode=verify-ca`",
        Tls::AlertReceived(_) => "; it may be about `sslcert`, the client's own certificate",
        _ => "",
    }
}

/// True where the server was reached and does not want this user or knows no such database, or this
/// user lacks what the server asks for.
fn is_about_access(error: &Error) -> bool {
    let code = error.code().map(|code| &code.code()[..2]);
    // The driver has no name for it.
    let is_ours = || DRIVERS.contains(&error.to_string().as_str());
    matches!(code, Some("28" | "3D" | "42")) || is_ours()
}

/// What the driver says where a password is missing or proves nothing, and where there is no channel
/// binding.
const DRIVERS: [&str; 2] = ["authentication error", "invalid configuration"];

/// What the server or the driver says, with what it says of the cause.
pub(crate) fn said(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{} ({})", said.message(), said.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// Damage that the checksum of a row cannot see: the database's own pages, or a column that does not
/// agree with its body.
pub(crate) fn damaged(what: &str, detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        source: Corrupt::Content {
            detail: detail.into(),
        },
    }
}
