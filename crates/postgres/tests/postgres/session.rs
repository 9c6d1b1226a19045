//! Another session on a test's database, with an open transaction that holds what it was told to.

use std::sync::Arc;

use rewake_postgres::private_server::Database;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, NoTls};

pub(crate) struct Session {
    client: Arc<Client>,
    runtime: Runtime,
}

impl Session {
    /// A session without a transaction, if the server has room for one.
    pub(crate) fn open(database: &Database) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await?;
            tokio::spawn(connection);
            Ok(Arc::new(client))
        });
        client.map(|client| Self { client, runtime })
    }

    /// One in the middle of a transaction that has done this.
    pub(crate) fn holding(database: &Database, sql: &str) -> Self {
        let session = Self::open(database).unwrap();
        session.ask("BEGIN");
        session.ask(sql);
        session
    }

    pub(crate) fn ask(&self, sql: &str) {
        self.runtime
            .block_on(self.client.batch_execute(sql))
            .unwrap();
    }

    /// Asks, and does not wait.
    pub(crate) fn send(&self, sql: String) -> JoinHandle<Result<(), Error>> {
        let client = Arc::clone(&self.client);
        self.runtime
            .spawn(async move { client.batch_execute(&sql).await })
    }

    pub(crate) fn answered(&self, asked: JoinHandle<Result<(), Error>>) {
        self.runtime.block_on(asked).unwrap().unwrap();
    }

    /// Lets go of what it holds.
    pub(crate) fn end(self) {
        self.ask("ROLLBACK");
    }
}
