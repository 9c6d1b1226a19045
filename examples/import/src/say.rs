//! What the program tells the person who runs it.
#![expect(
    clippy::print_stdout,
    reason = "talking to the person is what this program is for"
)]

use std::path::Path;
use std::time::Duration;

use rewake::{CancelError, RunError, RunId};

use crate::batch::Report;
use crate::progress::Progress;

pub(crate) fn opened(db: &Path) {
    println!("What is done is kept in {}.", db.display());
    println!(
        "Kill this program at any moment (Ctrl-C, or kill -9) and start it again: it goes on."
    );
    println!("Type `cancel` and press Enter to call the import off.");
}

pub(crate) fn started(batch: &str, run: RunId) {
    println!("\nImporting the batch `{batch}`: run {run}");
}

pub(crate) fn taken_up(batch: &str, run: RunId) {
    println!("\nAn earlier process has left the batch `{batch}`; it goes on: run {run}");
}

pub(crate) fn was_over(batch: &str) {
    println!(
        "\nThe batch `{batch}` was imported before. (For another: --batch NAME.) This became of it:"
    );
}

pub(crate) fn progress(progress: &Progress) {
    let Progress {
        records,
        imported,
        failed,
        ..
    } = progress;
    match records {
        None => println!("  reading the list"),
        Some(records) => println!("  {imported} of {records} are imported, {failed} failed"),
    }
}

pub(crate) fn called_off(cancelled: &Result<bool, CancelError>) {
    match cancelled {
        Ok(true) => println!("Called off. That is on disk, and the records under way hear of it."),
        Ok(false) => println!("It was over before it could be called off."),
        Err(error) => println!("It cannot be called off: {error}"),
    }
}

pub(crate) fn was_called_off(progress: &Progress) {
    let Progress {
        imported,
        failed,
        cancelled,
        ..
    } = progress;
    println!(
        "\nThe import was called off: {imported} records were imported by then, {failed} failed, \
         {cancelled} were stopped."
    );
}

pub(crate) fn imported(report: &Report, took: Duration) {
    println!(
        "\nFinished after {:.1} s: {} records were imported, {} failed.",
        took.as_secs_f64(),
        report.imported,
        report.failed.len()
    );
    for failed in report.failed.iter().take(20) {
        println!("  {failed}");
    }
    if report.failed.len() > 20 {
        println!("  … and {} more", report.failed.len() - 20);
    }
}

pub(crate) fn failed(error: &RunError) {
    println!("\nThe import failed: {error}");
}

pub(crate) fn stopping() {
    println!("\nStopping. What is done is on disk; start the program again to go on.");
}
