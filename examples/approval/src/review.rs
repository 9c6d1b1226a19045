//! The workflow and its steps.

use std::io::Write;
use std::path::{Path, PathBuf};

use http::Response;
use rewake::prelude::*;

use crate::say;

/// What a reviewer decides.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// Whether the document may be published.
    pub(crate) approved: bool,
    /// What the reviewer has to say.
    pub(crate) comment: String,
}

/// What the print shop reports.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    copies: u32,
}

/// The world outside: every side effect leaves a line in a file, so that one can count them.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    path: PathBuf,
}

impl Journal {
    /// The journal that belongs to a database.
    pub(crate) fn beside(db: &Path) -> Self {
        Self {
            path: db.with_extension("journal"),
        }
    }

    fn write(&self, line: &str) -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        writeln!(file, "{line}")
    }
}

/// Tells the reviewer, who answers by resuming the hook.
#[step]
pub(crate) async fn ask_reviewer(
    doc: String,
    base: String,
    #[provided] journal: Journal,
) -> anyhow::Result<()> {
    journal.write(&format!("ask_reviewer {doc}"))?;
    say::asked(&doc, &base);
    Ok(())
}

/// Publishes the document, and tells the print shop where to report.
#[step(max_retries = 5, timeout = "30s")]
pub(crate) async fn publish(
    doc: String,
    report_to: String,
    #[provided] journal: Journal,
) -> anyhow::Result<()> {
    journal.write(&format!("publish {doc}"))?;
    say::published(&doc, &report_to);
    Ok(())
}

/// Files the finished document away.
#[step]
pub(crate) async fn file_away(
    doc: String,
    copies: u32,
    #[provided] journal: Journal,
) -> anyhow::Result<()> {
    journal.write(&format!("file_away {doc} {copies}"))?;
    Ok(())
}

/// A review: waits for a person, then for a machine, each for as long as it takes.
#[workflow]
pub(crate) async fn review(doc: String) -> anyhow::Result<String> {
    let mut decisions = create_hook::<Decision>()
        .token(format!("review:{doc}"))
        .await?;
    let base = workflow_metadata().url.unwrap_or_default();
    ask_reviewer(doc.clone(), base).await?;

    let Ok(decision) = timeout(days(7), decisions.recv()).await else {
        return Ok(format!("{doc}: nobody answered in a week"));
    };
    let decision = decision?;
    // From here on a second decision finds nobody who waits for it.
    drop(decisions);
    if !decision.approved {
        return Ok(format!("{doc}: rejected, because: {}", decision.comment));
    }

    let mut reports = create_webhook().manual().await?;
    publish(doc.clone(), reports.url().to_owned()).await?;
    let report = next_report(&mut reports).await?;
    file_away(doc.clone(), report.copies).await?;
    Ok(format!(
        "{doc}: approved ({}), {} copies printed",
        decision.comment, report.copies
    ))
}

/// The first request that is a report; others are told what is wanted.
async fn next_report(reports: &mut WebhookReceiver) -> anyhow::Result<Report> {
    loop {
        let request = reports.recv().await?;
        if let Ok(report) = request.json::<Report>() {
            request
                .respond_with(Response::new(format!(
                    "thanks for {} copies\n",
                    report.copies
                )))
                .await?;
            return Ok(report);
        }
        let wanted = Response::builder()
            .status(400)
            .body("send JSON like {\"copies\": 3}\n")?;
        request.respond_with(wanted).await?;
    }
}
