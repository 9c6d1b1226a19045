//! Many callers while the database goes and comes: each request has one effect and one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use futures::executor::block_on;
use rewake_postgres::Durability;
use rewake_postgres::private_server::{Database, PrivateServer, Settings, Stop};
use rewake_store::core::id::EventId;
use rewake_store::{Append, Deliver, Failed, Log};

use super::relay::Relay;
use super::stage::{Run, Stage, key};

const CALLERS: usize = 8;

/// Word of every answer that a caller got.
pub(crate) struct Answers(Receiver<()>);

impl Answers {
    /// Waits for so many more.
    pub(crate) fn wait_for(&self, many: usize) {
        for _ in 0..many {
            self.0.recv().unwrap();
        }
    }

    /// Waits for so many from now on.
    pub(crate) fn wait_for_new(&self, many: usize) {
        while self.0.try_recv().is_ok() {}
        self.wait_for(many);
    }
}

/// What one caller had answered, in order.
struct Answered {
    deliveries: Vec<(Deliver, u64)>,
    ids: Vec<EventId>,
}

/// Callers deliver and append, each to a run of its own, until what is done meanwhile is over. Then
/// all they had answered is in the logs once, at the place that they were told, and nothing else is.
pub(crate) fn under_load(stage: &Stage, meanwhile: impl FnOnce(&Answers)) {
    let over = AtomicBool::new(false);
    let (word, answers) = channel();
    let runs: Vec<_> = (0..CALLERS).map(|_| stage.run()).collect();
    let answered: Vec<_> = thread::scope(|threads| {
        let callers = runs.iter().map(|run| {
            let (word, over) = (word.clone(), &over);
            threads.spawn(move || call(*run, &word, over))
        });
        let callers: Vec<_> = callers.collect();
        drop(word);
        meanwhile(&Answers(answers));
        over.store(true, Ordering::Relaxed);
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    });
    for (run, answered) in runs.into_iter().zip(answered) {
        check(run, answered);
    }
}

fn call(run: Run<'_>, word: &Sender<()>, over: &AtomicBool) -> Answered {
    let mut answered = Answered {
        deliveries: Vec::new(),
        ids: Vec::new(),
    };
    let mut worker = 0;
    while !over.load(Ordering::Relaxed) {
        let mut delivery = run.delivery();
        // Every other one has nothing but its id to be known by.
        let number = answered.ids.len();
        delivery.key = number
            .is_multiple_of(4)
            .then(|| key(&format!("order-{number}")));
        let delivered = settled(|repeat| {
            let delivery = delivery.clone();
            block_on(run.stage.store.deliver(Deliver { repeat, ..delivery }))
        });
        answered.ids.push(delivery.id);
        answered.deliveries.push((delivery, delivered.position.0));
        let record = run.record(worker);
        let appended = settled(|repeat| {
            let record = record.clone();
            run.append(Append { repeat, ..record })
        });
        answered.ids.push(record.id);
        worker = appended.frames.last().unwrap().first.0;
        // Nobody listens any more once all is over.
        let _told = (word.send(()), word.send(()));
    }
    answered
}

/// Asks until there is an answer, as somebody does who is told that the same may succeed later.
fn settled<A, R: std::error::Error + 'static>(
    mut ask: impl FnMut(bool) -> Result<A, Failed<R>>,
) -> A {
    let mut repeat = false;
    loop {
        match ask(repeat) {
            Ok(answer) => return answer,
            Err(Failed::Store(error)) if error.is_retryable() => {
                repeat |= error.may_have_happened();
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn check(run: Run<'_>, answered: Answered) {
    assert_eq!(run.log()[1..], answered.ids);
    for (first, position) in answered.deliveries {
        if first.key.is_none() {
            continue;
        }
        let again = Deliver {
            key: first.key,
            ..run.delivery()
        };
        let again = block_on(run.stage.store.deliver(again)).unwrap();
        assert_eq!(again.position.0, position);
        assert!(again.frame.is_none(), "a key has delivered twice");
    }
}

#[test]
fn a_database_that_is_restarted_under_load_loses_and_doubles_nothing() {
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let database = Arc::new(server.database().unwrap());
    let stage = Stage::at(&database.url(), Arc::clone(&database), |options| {
        options.durability(Durability::Full)
    });
    under_load(&stage, |answers| {
        for how in [Stop::Fast, Stop::Immediate, Stop::Fast, Stop::Immediate] {
            answers.wait_for_new(CALLERS * 4);
            server.stop(how).unwrap();
            server.start_again().unwrap();
        }
        answers.wait_for_new(CALLERS * 4);
    });
}

#[test]
fn answers_that_are_lost_on_the_way_are_found_by_whoever_asks_again() {
    let database = Arc::new(Database::new().unwrap());
    let relay = Relay::to(database.address());
    let url = database.url_through(relay.address());
    let stage = Stage::at(&url, database, |options| options);
    under_load(&stage, |answers| {
        for _ in 0..8 {
            answers.wait_for_new(CALLERS * 4);
            relay.forget();
            relay.lose_an_answer();
            // It has come back.
            relay.meet(1);
        }
    });
}
