//! Encrypted connections: whom they trust, and what they say where they do not.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rewake_postgres::private_server::{Database, PrivateServer, Settings};
use rewake_postgres::{Durability, OpenError, Options, PostgresStore};
use tempfile::TempDir;

use super::stage::Stage;

/// Somebody who signs certificates.
struct Signer {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
struct Card {
    certificate: String,
    key: String,
}

impl Signer {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn sign(&self, name: &str) -> Card {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Card {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A server that shows a card, and files for who connects to it.
struct Encrypting {
    database: Arc<Database>,
    server: PrivateServer,
    files: TempDir,
}

impl Encrypting {
    fn with(card: &Card, settings: Settings) -> Self {
        let settings = settings
            .in_memory()
            .with("ssl", "on")
            .with_file("server.crt", &card.certificate)
            .with_file("server.key", &card.key);
        let server = PrivateServer::start(&settings).unwrap();
        Self {
            database: Arc::new(server.database().unwrap()),
            server,
            files: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.files.path().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// A connection string by a name of the server, with what else it says.
    fn url(&self, host: &str, rest: &str) -> String {
        let port = self.server.address().port();
        let url = self.database.tcp_url();
        let url = url.replace(&format!("127.0.0.1:{port}"), &format!("{host}:{port}"));
        format!("{url}?{rest}")
    }

    /// Whether connections with this application's name are encrypted, all of them.
    fn encrypts(&self, name: &str) -> bool {
        let asked = format!(
            "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE application_name = '{name}'"
        );
        let answer = self.server.query(&asked).unwrap();
        assert!(!answer.is_empty(), "nobody is there");
        answer == "t"
    }
}

fn open(url: &str) -> Result<PostgresStore, OpenError> {
    let options = Options::new(url).durability(Durability::Relaxed);
    PostgresStore::open(options.patience(Duration::from_secs(30)))
}

#[track_caller]
fn assert_not_secure(url: &str, advice: &str) {
    let refused = open(url).unwrap_err();
    assert!(
        matches!(&refused, OpenError::NotSecure { reason } if reason.contains(advice)),
        "{refused}"
    );
    assert_eq!(refused.code(), "STORE_NOT_SECURE");
    assert!(!refused.is_retryable());
}

#[test]
fn a_connection_is_as_secure_as_it_was_asked_to_be() {
    let signer = Signer::new("ours");
    let (stranger, namesake) = (Signer::new("theirs"), Signer::new("ours"));
    let server = Encrypting::with(&signer.sign("localhost"), Settings::default());
    let trusted = server.file("trusted.pem", &signer.certificate);
    let strange = server.file("strange.pem", &stranger.certificate);
    let same_name = server.file("same-name.pem", &namesake.certificate);
    let (trusted, strange) = (trusted.display(), strange.display());

    for (number, (host, rest, encrypted)) in [
        ("127.0.0.1", "sslmode=disable".to_owned(), false),
        ("127.0.0.1", "sslmode=prefer".to_owned(), true),
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        (
            "127.0.0.1",
            format!("sslmode=require&sslrootcert={trusted}"),
            true,
        ),
        // Who signed it is looked at, and not the name.
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={trusted}"),
            true,
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={trusted}"),
            true,
        ),
        (
            "localhost",
            "sslmode=require&channel_binding=require".to_owned(),
            true,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("shop-{number}");
        let url = server.url(host, &format!("{rest}&application_name={name}"));
        let stage = Stage::at(&url, Arc::clone(&server.database), |options| options);
        assert_eq!(stage.run().deliver().unwrap().position.0, 4);
        assert_eq!(server.encrypts(&name), encrypted, "{rest}");
    }

    let other_name = format!("sslmode=verify-full&sslrootcert={trusted}");
    assert_not_secure(&server.url("127.0.0.1", &other_name), "by a name that");
    for mode in ["require", "verify-ca", "verify-full"] {
        let other_signer = format!("sslmode={mode}&sslrootcert={strange}");
        assert_not_secure(&server.url("localhost", &other_signer), "`sslrootcert`");
    }
    let namesake = format!("sslmode=verify-ca&sslrootcert={}", same_name.display());
    assert_not_secure(&server.url("localhost", &namesake), "`sslrootcert`");
    // None of those whom the machine trusts has signed it.
    assert_not_secure(&server.url("localhost", "sslmode=verify-full"), "");
}

#[test]
fn a_server_may_sign_for_itself() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let card = Card {
        certificate: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    };
    let server = Encrypting::with(&card, Settings::default());
    let own = server.file("own.pem", &card.certificate);
    let rest = format!("sslmode=verify-full&sslrootcert={}", own.display());
    drop(open(&server.url("localhost", &rest)).unwrap());
}

#[test]
fn a_server_may_ask_for_a_certificate_and_for_encryption() {
    let signer = Signer::new("ours");
    let settings = Settings::default()
        .with("ssl_ca_file", "clients.crt")
        .with_file("clients.crt", &signer.certificate)
        .with_file(
            "pg_hba.conf",
            "local   all all              trust
             hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca",
        );
    let server = Encrypting::with(&signer.sign("localhost"), settings);
    let own = signer.sign("shop");
    let (own, key) = (
        server.file("own.pem", &own.certificate),
        server.file("own.key", &own.key),
    );
    let own = format!("sslcert={}&sslkey={}", own.display(), key.display());
    drop(open(&server.url("localhost", &format!("sslmode=require&{own}"))).unwrap());

    for (rest, said) in [
        ("sslmode=require", "valid client certificate"),
        ("sslmode=disable", "no encryption"),
    ] {
        let refused = open(&server.url("localhost", rest)).unwrap_err();
        let told = matches!(&refused, OpenError::Backend { reason } if reason.contains(said));
        assert!(told, "{refused}");
    }
}

#[test]
fn a_server_that_does_not_encrypt_is_taken_where_that_is_allowed() {
    let database = Arc::new(Database::new().unwrap());
    let url = database.tcp_url();
    for mode in ["disable", "allow", "prefer"] {
        let url = format!("{url}?sslmode={mode}");
        let stage = Stage::at(&url, Arc::clone(&database), |options| options);
        assert_eq!(stage.run().deliver().unwrap().position.0, 4);
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_not_secure(&format!("{url}?sslmode={mode}"), "`ssl = on`");
    }
    // Through a socket nobody listens, and the mode is as good as not said.
    drop(open(&format!("{}?sslmode=require", database.url())).unwrap());
    let password = url.split(['@', ':']).nth(2).unwrap();
    for (url, said) in [
        (format!("{url}?channel_binding=require"), "channel binding"),
        (url.replace(password, "other"), "28P01"),
        (url.replace(&format!(":{password}"), ""), "password missing"),
    ] {
        let refused = open(&url).unwrap_err();
        let told = matches!(&refused, OpenError::Backend { reason } if reason.contains(said));
        assert!(told, "{refused}");
    }
}
