//! A server that hangs: connections stay open, and nobody answers.

use std::time::Duration;

use futures::executor::block_on;
use rewake_postgres::private_server::{PrivateServer, Settings};
use rewake_store::{Append, Failed, Log, Queries};

use super::stage::Stage;

#[test]
fn a_server_that_hangs_is_given_up_and_asked_again_when_it_goes_on() {
    let server = PrivateServer::start(&Settings::default().in_memory()).unwrap();
    let stage = Stage::on(server.database().unwrap(), |options| {
        options
            .patience(Duration::from_millis(500))
            .statement_timeout(Duration::from_millis(500))
    });
    let (run, other) = (stage.run(), stage.run());
    let record = run.record(0);

    server.freeze();
    let append = stage.store.append(record.clone());
    let question = block_on(stage.store.run(stage.scope, run.id));
    let unknown = block_on(append).unwrap_err();
    let away = other.deliver().unwrap_err();
    server.thaw();

    assert!(question.is_err_and(|error| error.is_retryable()));
    let said = matches!(&unknown, Failed::Store(error) if error.may_have_happened());
    assert!(said, "{unknown}");
    let said =
        matches!(&away, Failed::Store(error) if error.is_retryable() && !error.may_have_happened());
    assert!(said, "{away}");
    let id = record.id;
    let repeat = Append {
        repeat: true,
        ..record
    };
    assert_eq!(run.append(repeat).unwrap().head.0, 4);
    assert_eq!(run.log()[1..], [id]);
    assert_eq!(other.deliver().unwrap().position.0, 4);
}
