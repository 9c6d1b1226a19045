//! One process of the cluster: `rewake-cluster ROLE --store URL --journal FILE --name NAME …`.

use rewake_cluster::options::{Options, Role};
use rewake_cluster::{client, crowd, worker};

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    match options.role {
        Role::Worker => worker::work(&options).await,
        Role::Client => client::send(&options).await,
        Role::Crowd => crowd::admit(&options).await,
    }
}
