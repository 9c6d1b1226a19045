//! Where a connection string leads, read as libpq reads it.
//!
//! The driver reads most of it. What it does not know, about whom an encrypted connection trusts, is
//! taken out here first.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode};

use crate::error::OpenError;
use crate::fault::said;

const DEFAULT_PORT: u16 = 5432;

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
        name_addresses(&mut config);
        Ok(Self { config, trust })
    }
}

/// A host that has an address and no name has its address for a name, as in libpq: what encrypts
/// wants one.
fn name_addresses(config: &mut Config) {
    if config.get_hosts().is_empty() {
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
}

/// The hosts of a connection string, each alone and named, in the order in which they are tried. The
/// driver would wait for each without end; so whoever tries them can give each its time.
pub(crate) fn hosts(config: &Config) -> Vec<(String, Config)> {
    let names = config.get_hosts();
    if names.is_empty() || config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        return vec![("the database".to_owned(), config.clone())];
    }
    let alone = names.iter().enumerate().map(|(at, host)| {
        let mut alone = common(config);
        match host {
            Host::Tcp(name) => alone.host(name),
            // Nobody else hears what is said there, so libpq encrypts nothing.
            #[cfg(unix)]
            Host::Unix(path) => alone.host_path(path).ssl_mode(SslMode::Disable),
        };
        if let Some(address) = config.get_hostaddrs().get(at) {
            alone.hostaddr(*address);
        }
        let ports = config.get_ports();
        let port = ports.get(at).or_else(|| ports.first()).copied();
        alone.port(port.unwrap_or(DEFAULT_PORT));
        (named(host, port), alone)
    });
    alone.collect()
}

fn named(host: &Host, port: Option<u16>) -> String {
    let port = port.unwrap_or(DEFAULT_PORT);
    match host {
        Host::Tcp(name) => format!("{name}:{port}"),
        #[cfg(unix)]
        Host::Unix(path) => format!("{}:{port}", path.display()),
    }
}

/// All that a configuration says, but for its hosts.
fn common(config: &Config) -> Config {
    let mut common = Config::new();
    if let Some(user) = config.get_user() {
        common.user(user);
    }
    if let Some(password) = config.get_password() {
        common.password(password);
    }
    if let Some(name) = config.get_dbname() {
        common.dbname(name);
    }
    if let Some(options) = config.get_options() {
        common.options(options);
    }
    if let Some(name) = config.get_application_name() {
        common.application_name(name);
    }
    if let Some(span) = config.get_connect_timeout() {
        common.connect_timeout(*span);
    }
    if let Some(span) = config.get_tcp_user_timeout() {
        common.tcp_user_timeout(*span);
    }
    if let Some(span) = config.get_keepalives_interval() {
        common.keepalives_interval(span);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        common.keepalives_retries(retries);
    }
    common
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding());
    common
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
    fn hosts_are_tried_in_order_each_with_what_all_have_in_common() {
        let text = "host=a,/tmp,b port=1,2,3 hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 user=app \
                    password=secret dbname=shop options='-c geqo=off' application_name=till \
                    sslmode=require sslnegotiation=direct connect_timeout=7 tcp_user_timeout=8 \
                    keepalives=0 keepalives_idle=9 keepalives_interval=10 keepalives_retries=11 \
                    target_session_attrs=read-write channel_binding=require";
        let each = hosts(&Target::parse(text).unwrap().config);
        let names: Vec<_> = each.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a:1", "/tmp:2", "b:3"]);
        let alone = text
            .replace("a,/tmp,b", "b")
            .replace("1,2,3", "3")
            .replace("10.0.0.1,10.0.0.2,", "");
        let alone = Target::parse(&alone).unwrap().config;
        assert_eq!(each[2].1, alone, "the last of them");
        assert_eq!(each[0].1.get_ssl_mode(), SslMode::Require);
        assert_eq!(each[1].1.get_ssl_mode(), SslMode::Disable, "a socket");
    }

    #[test]
    fn an_address_without_a_name_is_its_own() {
        let each = hosts(&Target::parse("hostaddr=10.0.0.1 user=app").unwrap().config);
        assert_eq!(each[0].0, "10.0.0.1:5432");
        assert_eq!(each[0].1.get_hosts(), [Host::Tcp("10.0.0.1".to_owned())]);
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
