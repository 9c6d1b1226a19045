//! The real program as a child process, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running example.
pub(crate) struct Program {
    child: Child,
    address: String,
}

/// What the program answered over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Program {
    /// Starts the program on a database, and waits until it listens.
    pub(crate) fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_approval"))
            .args(["--port", "0", "--db"])
            .arg(db)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = said
            .find_map(|line| {
                line.unwrap()
                    .strip_prefix("listening on http://")
                    .map(str::to_owned)
            })
            .expect("it says where it listens");
        // What it says further on must be read, or it would block.
        std::thread::spawn(move || said.count());
        Self { child, address }
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", path, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "")
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            body: body.to_owned(),
        }
    }

    /// Resumes the review of `doc`, as soon as it waits.
    pub(crate) fn approve(&self, doc: &str, comment: &str) {
        let decision = format!("{{\"approved\": true, \"comment\": \"{comment}\"}}");
        loop {
            let answer = self.post(&format!("/reviews/{doc}"), &decision);
            match answer.status {
                200 => return,
                404 => std::thread::yield_now(),
                status => panic!("{status}: {}", answer.body),
            }
        }
    }

    /// Waits until the review of `doc` has a result.
    pub(crate) fn result(&self, doc: &str) -> String {
        loop {
            let answer = self.get(&format!("/reviews/{doc}"));
            assert_eq!(answer.status, 200, "{}", answer.body);
            if let Some((_, result)) = answer.body.split_once("\"result\":\"") {
                return result.split('"').next().unwrap().to_owned();
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
