//! The other side: what GitHub, Stripe and Slack do, from the command line.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};

use crate::say;
use crate::sign::{self, Signed};

/// Sends what this sender sends, and says what it was answered.
pub(crate) fn run(sender: &str, url: &str, text: &str) -> anyhow::Result<()> {
    let now = seconds();
    match sender {
        "github" => {
            let body = r#"{"action":"published","release":{"tag_name":"v1.0.0"}}"#;
            let delivery = format!("delivery-{now}");
            let forged = sign::github("a guess", &delivery, body.to_owned());
            send("forged", url, &forged)?;
            send(
                "signed",
                url,
                &sign::github(sign::GITHUB, &delivery, body.to_owned()),
            )
        }
        "stripe" => {
            let body = format!(
                r#"{{"id":"evt_{now}","type":"payment_intent.succeeded","data":{{"object":{{"amount":1999}}}}}}"#
            );
            for what in ["sent", "sent again", "and again"] {
                send(what, url, &sign::stripe(sign::STRIPE, now, body.clone()))?;
            }
            Ok(())
        }
        "slack" => {
            let body = serde_urlencoded::to_string([("command", "/rewake"), ("text", text)])?;
            send(text, url, &sign::slack(sign::SLACK, now, body))
        }
        _ => bail!("unknown sender `{sender}`; there are github, stripe and slack"),
    }
}

fn send(what: &str, url: &str, signed: &Signed) -> anyhow::Result<()> {
    let (status, body) = post(url, signed)?;
    say::answered(what, status, &body);
    Ok(())
}

/// Posts a signed request; the status and the body of the answer.
pub(crate) fn post(url: &str, signed: &Signed) -> anyhow::Result<(u16, String)> {
    let rest = url
        .strip_prefix("http://")
        .context("the URL begins with http://")?;
    let (address, path) = rest.split_once('/').context("the URL has a path")?;
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n"
    )?;
    for (name, value) in &signed.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    let length = signed.body.len();
    write!(stream, "content-length: {length}\r\n\r\n{}", signed.body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("no whole answer came")?;
    let status = head.split(' ').nth(1).context("no status came")?;
    Ok((status.parse()?, body.to_owned()))
}

/// Seconds since 1970: a signature says when it was made.
pub(crate) fn seconds() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a sender's clock is the one on its wall"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
