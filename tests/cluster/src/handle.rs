//! Opening a handle on a database that may be down at the moment.

use std::time::Duration;

use rewake::{Rewake, RewakeBuilder};

use crate::journal::{Journal, say};
use crate::options::{Options, Role};
use crate::workflows;

/// How long to wait before the database is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens the handle of a process, however long the database takes to come.
pub async fn open(options: &Options, journal: &Journal) -> Rewake {
    let mut pause = tokio::time::interval(PAUSE);
    loop {
        match builder(options, journal).build().await {
            Ok(rewake) => return rewake,
            Err(error) => {
                say(&format!("cannot open: {error}"));
                pause.reset();
                pause.tick().await;
            }
        }
    }
}

fn builder(options: &Options, journal: &Journal) -> RewakeBuilder {
    let builder = Rewake::builder()
        .store(options.store.as_str())
        .build_id(options.build.as_str())
        .provide(journal.clone())
        .workflow(workflows::conversation)
        .workflow(workflows::basket)
        .workflow(workflows::order)
        // What a second replay would find, a takeover finds as well; and long logs are replayed here.
        .verify(false);
    match options.role {
        Role::Client => builder.client_only(),
        Role::Worker | Role::Crowd => builder,
    }
}
