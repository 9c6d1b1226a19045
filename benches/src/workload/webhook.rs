//! A webhook that the workflow answers itself, over HTTP, beside an echo on the same server.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use rewake::{Durability, Rewake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::resume;
use crate::bench::Bench;
use crate::clock;
use crate::latency::Latency;
use crate::report::{Row, Which};
use crate::workflows::answers;
use crate::world::{Setting, World};

const NAME: &str = "webhook";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let calls = bench.scale(2_000, 200);
    let profile = resume::accepted(bench, 1).await?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || one_caller(bench, calls))
        .await?;
    let (mut echo, mut answered) = (Latency::new(), Latency::new());
    for (echoed, answer) in &rounds {
        echo.add(echoed);
        answered.add(answer);
    }
    let f1 = floors.median(Which::F1);
    let most = 2.0f64.mul_add(f1, echo.p50() + 300.0);
    Ok(vec![
        Row::new(
            NAME,
            "manual, over HTTP, one caller p50",
            answered.p50(),
            "µs",
        )
        .beside(&floors, Which::F1)
        .at_most(most, "echo + 2 F1 + 300 µs")
        .percentiles(answered.percentiles())
        .detail("echo p50, µs", echo.p50()),
    ])
}

async fn one_caller(bench: &Bench, calls: u64) -> Result<(Latency, Latency)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let setting = Setting {
        public_url: Some(format!("http://{address}")),
        ..Setting::default()
    };
    let world = World::open(&bench.file()?, &setting).await?;
    let app = Router::new()
        .route("/echo", post(|body: Bytes| async move { body }))
        .merge(world.rewake.router());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let run = world.rewake.start(answers(calls)).await?;
    let path = webhook_path(&world.rewake).await?;
    let mut connection = Connection::to(address).await?;
    let echo = connection.calls("/echo", calls).await?;
    let answered = connection.calls(&path, calls).await?;
    run.result().await?;
    server.abort();
    world.close().await?;
    Ok((echo, answered))
}

async fn webhook_path(rewake: &Rewake) -> Result<String> {
    loop {
        let page = rewake.hooks().await?;
        if let Some(hook) = page.data.first() {
            return Ok(format!("/.well-known/workflow/v1/webhook/{}", hook.token));
        }
        tokio::task::yield_now().await;
    }
}

/// A connection that is kept: one request, one answer, and so on.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    async fn to(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
        })
    }

    async fn calls(&mut self, path: &str, calls: u64) -> Result<Latency> {
        let mut latency = Latency::new();
        for n in 0..calls {
            let began = clock::now();
            let body = format!("{{\"call\":{n}}}");
            let answer = self.call(path, &body).await?;
            latency.record(began.elapsed());
            ensure!(answer == body, "call {n} was answered with `{answer}`");
        }
        Ok(latency)
    }

    async fn call(&mut self, path: &str, body: &str) -> Result<String> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.received.clear();
        loop {
            if let Some(answer) = whole(&self.received)? {
                return Ok(answer);
            }
            let read = self.stream.read_buf(&mut self.received).await?;
            ensure!(read > 0, "the server has closed the connection");
        }
    }
}

/// The body of an answer, once all of it is there.
fn whole(received: &[u8]) -> Result<Option<String>> {
    let text = std::str::from_utf8(received)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Ok(None);
    };
    ensure!(head.starts_with("HTTP/1.1 200"), "the answer is {head}");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length: usize = length.context("the answer has no length")?.trim().parse()?;
    Ok((body.len() >= length).then(|| body[..length].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_all_of_its_body_is_there() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(whole(head.as_bytes()).unwrap(), None);
        assert_eq!(whole(format!("{head}hell").as_bytes()).unwrap(), None);
        let answer = whole(format!("{head}hello").as_bytes()).unwrap();
        assert_eq!(answer.as_deref(), Some("hello"));
        whole(b"HTTP/1.1 404 Not Found\r\n\r\n").unwrap_err();
    }
}
