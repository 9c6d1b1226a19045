//! The thread of a store: it reaches the database, makes or migrates the tables, and runs the writer
//! and the readers until the store is closed.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use futures_channel::oneshot;
use futures_util::future::{Shared, try_join};
use rewake_store::Durability;
use tokio::runtime::{Builder, Handle};
use tokio::time::timeout;

use crate::batch::Ways;
use crate::connect::{self, Connector, Lane};
use crate::counts::Counters;
use crate::error::OpenError;
use crate::fault::Unreached;
use crate::migrate;
use crate::nodes::Crew;
use crate::options::Options;
use crate::pulse::Pulse;
use crate::queue::Queue;
use crate::reach::{self, Reach, Readers};
use crate::remembered::Remembered;
use crate::store::Inner;
use crate::writer::Writer;

/// How the handles hear of the thread's end.
type Ends = (Shared<oneshot::Receiver<()>>, Receiver<()>);

pub(crate) fn run(options: Options, ends: Ends, opened: &Sender<Result<Inner, OpenError>>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let reason = error.to_string();
            drop(opened.send(Err(OpenError::Backend { reason })));
            return;
        }
    };
    runtime.block_on(async {
        match open(options, ends).await {
            Ok((inner, writer)) => {
                drop(opened.send(Ok(inner)));
                writer.run().await;
            }
            Err(error) => drop(opened.send(Err(error))),
        }
    });
}

async fn open(options: Options, (ended, gone): Ends) -> Result<(Inner, Writer), OpenError> {
    let connector = Connector::new(&options)?;
    let lane = reach::patiently(options.patience, async || {
        prepare(&connector, &options).await
    });
    let lane = lane.await?;
    let reach = |connector: Connector, ear| Reach {
        connector,
        patience: options.patience,
        ear,
    };
    let beats = Arc::new(reach(connector.clone().for_beats(), None));
    let beats = Readers::new(beats, 1);
    let hints = connector.clone().for_hints();
    let hints = |ear| Readers::new(Arc::new(reach(hints, Some(ear))), 1);
    let reach = Arc::new(reach(connector, None));
    let readers = Arc::new(Readers::new(Arc::clone(&reach), options.readers));
    let pulse = Arc::<Pulse>::default();
    let crew = Crew::new(
        hints,
        (beats, Arc::clone(&readers)),
        &options.schema,
        (options.clock.clone(), Arc::clone(&pulse)),
    );
    let crew = Arc::new(crew);
    let counters = Arc::<Counters>::default();
    let tasks = Arc::new(Queue::new(options.queue_bytes));
    let inner = Inner {
        tasks: Arc::clone(&tasks),
        readers,
        crew: Arc::clone(&crew),
        runtime: Handle::current(),
        thread: thread::current().id(),
        counters: Arc::clone(&counters),
        clock: options.clock.clone(),
        schema: options.schema.clone(),
        ended,
        gone: Mutex::new(gone),
    };
    let writer = Writer {
        tasks,
        reach,
        ways: Ways {
            schema: options.schema,
            clock: options.clock,
            counters,
        },
        crew,
        lane: Some(Arc::new(lane)),
        flights: VecDeque::new(),
        left: Vec::new(),
        remembered: Remembered::default(),
        pulse,
    };
    Ok((inner, writer))
}

/// Looks whether the server keeps what it is told, and brings the tables to the newest format. Answers
/// the connection that will write.
async fn prepare(connector: &Connector, options: &Options) -> Result<Lane, OpenError> {
    let reached = async {
        let pair = try_join(connector.bare(), connector.bare()).await?;
        let are_sessions = connect::are_sessions(&pair.0, &pair.1).await?;
        Ok((pair, are_sessions))
    };
    let ((mut first, second), are_sessions) = in_time(options, reached).await?;
    if !are_sessions {
        return Err(OpenError::Pooled);
    }
    in_time(options, connector.settle(&first)).await?;
    if options.durability == Durability::Full {
        connect::check_durability(&first.client).await?;
    }
    migrate::migrate(&mut first.client, &options.schema, options.patience).await?;
    drop(first);
    in_time(options, connector.lane_of(second)).await
}

async fn in_time<T>(
    options: &Options,
    asked: impl Future<Output = Result<T, Unreached>>,
) -> Result<T, OpenError> {
    let asked = timeout(options.patience, asked).await;
    let asked = asked.unwrap_or_else(|_| Err(Unreached::silent()));
    asked.map_err(Unreached::trouble)
}
