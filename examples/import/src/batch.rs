//! The workflows: a batch, and each of its records as a child run.

use std::str::FromStr;

use futures::future::join_all;
use rewake::prelude::*;

use crate::world::{Archive, Source};

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How many records were imported.
    pub(crate) imported: usize,
    /// The others, with what was wrong with them.
    pub(crate) failed: Vec<String>,
}

/// What is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) name: String,
    pub(crate) email: String,
}

impl FromStr for Customer {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let (name, email) = line.split_once(", ").unwrap_or((line, ""));
        anyhow::ensure!(email.contains('@'), "`{line}` has no e-mail address");
        Ok(Self {
            name: name.to_owned(),
            email: email.to_owned(),
        })
    }
}

/// A batch: all of its records at the same time, each in a run of its own.
///
/// A record that fails is reported and stops nobody. Cancelled, the batch takes all children along
/// that still run.
#[workflow]
pub(crate) async fn import_batch(batch: String) -> anyhow::Result<Report> {
    let lines = read_batch(batch).await?;
    set_attributes([("records", lines.len().to_string())]).await?;
    let children = (1..).zip(lines).map(|(number, line)| {
        start_child(import_record(number, line)).attribute("record", number.to_string())
    });
    let mut report = Report::default();
    for (number, ended) in (1..).zip(join_all(children).await) {
        match ended {
            Ok(()) => report.imported += 1,
            Err(RunError::Failed { message, .. }) => {
                report.failed.push(format!("record {number}: {message}"));
            }
            Err(error) => report.failed.push(format!("record {number}: {error}")),
        }
    }
    Ok(report)
}

/// One record. What is wrong with the record itself fails the run at once, what is wrong with the
/// archive is tried again.
#[workflow]
pub(crate) async fn import_record(number: u32, line: String) -> anyhow::Result<()> {
    let customer: Customer = line.parse()?;
    Ok(store(number, customer).await?)
}

/// Reads the list of a batch.
#[step]
pub(crate) async fn read_batch(
    batch: String,
    #[provided] source: Source,
) -> anyhow::Result<Vec<String>> {
    source.read(&batch)
}

/// Stores a customer. Stored again, the same record is in the same place.
#[step(max_retries = 5, timeout = "30s")]
pub(crate) async fn store(
    number: u32,
    customer: Customer,
    #[provided] archive: Archive,
) -> anyhow::Result<()> {
    archive.store(number, &customer).await
}
