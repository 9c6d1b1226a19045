//! Locks that the kernel lets go of when their holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::ServerError;

/// Opens a file to be locked, and makes it where it is missing.
fn open(path: &Path) -> Result<File, ServerError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(ServerError::io("open", path))
}

/// Waits until nobody else holds the lock, and holds it for as long as the file is open, here or in
/// a process that inherits it.
pub(super) fn hold(path: &Path) -> Result<File, ServerError> {
    let file = open(path)?;
    file.lock().map_err(ServerError::io("lock", path))?;
    Ok(file)
}

/// Tells whether somebody holds the lock.
pub(super) fn is_held(path: &Path) -> Result<bool, ServerError> {
    if !path.exists() {
        return Ok(false);
    }
    match open(path)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(ServerError::io("lock", path)(source)),
    }
}
