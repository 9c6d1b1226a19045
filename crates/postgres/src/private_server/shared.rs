//! The server that all tests of one user share. Each test may run in a process of its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::binaries::Binaries;
use super::cluster::Cluster;
use super::error::ServerError;
use super::folder::Membership;
use super::lock;
use super::server::Settings;
use super::user::User;

/// How long the server stays when nobody uses it. Between two tests there may be others that want
/// no database; starting anew costs about a second.
const LINGER_SECONDS: u32 = 20;

/// Joins the server that runs, or starts it.
pub(super) fn join() -> Result<(Arc<Cluster>, Membership), ServerError> {
    let settings = Settings::default().in_memory();
    let (binaries, user, place) = (Binaries::find()?, User::choose()?, settings.place());
    let kind = kind_of(&binaries);
    let _lock = lock::hold(&place.lock())?;
    place.sweep()?;
    for folder in place.folders(&kind)? {
        let Some(membership) = folder.join()? else {
            continue;
        };
        if let Some(cluster) = Cluster::find(binaries.clone(), user, folder) {
            return Ok((Arc::new(cluster), membership));
        }
    }
    let (folder, membership) = place.make(&kind, user, LINGER_SECONDS)?;
    let cluster = Cluster::make(binaries, user, folder, &settings)?;
    Ok((Arc::new(cluster), membership))
}

/// Other programs, perhaps another version's, have another server.
fn kind_of(binaries: &Binaries) -> String {
    let mut hasher = DefaultHasher::new();
    binaries.path_of("postgres").hash(&mut hasher);
    format!("shared-{:x}", hasher.finish() & 0xffff_ffff)
}
