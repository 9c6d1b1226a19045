//! Paths that lead nowhere.

use std::fs;
use std::path::Path;

use rewake_sqlite::{OpenError, Options, SqliteStore};

use super::clock;

fn error(path: &Path) -> OpenError {
    SqliteStore::open(Options::new(path, clock::ticking())).unwrap_err()
}

fn assert_unopenable(path: &Path, why: std::io::ErrorKind) {
    let error = error(path);
    assert_eq!(error.code(), "STORE_UNOPENABLE", "{error}");
    let OpenError::Unopenable { source, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(source.kind(), why, "{source}");
}

#[test]
fn a_directory_that_is_missing_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("rewake.db");
    assert_unopenable(&path, std::io::ErrorKind::NotFound);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_is_not_a_store() {
    let directory = tempfile::tempdir().unwrap();
    assert_unopenable(directory.path(), std::io::ErrorKind::IsADirectory);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn no_path_at_all_is_not_a_store() {
    assert_unopenable(Path::new(""), std::io::ErrorKind::InvalidInput);
}

#[test]
fn a_path_through_a_file_is_not_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "text").unwrap();
    let path = file.join("rewake.db");
    assert_unopenable(&path, std::io::ErrorKind::NotADirectory);
    assert_eq!(fs::read(&file).unwrap(), b"text");
}

/// Who runs the tests may be allowed everything; the kernel's own files refuse them too.
#[cfg(target_os = "linux")]
#[test]
fn a_place_where_nothing_may_be_written_is_not_a_store() {
    let error = error(Path::new("/proc/rewake.db"));
    assert_eq!(error.code(), "STORE_UNOPENABLE", "{error}");
}

#[test]
fn a_name_with_odd_characters_is_a_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("50% off? #1 ü.db");
    for _ in 0..2 {
        SqliteStore::open(Options::new(&path, clock::ticking())).unwrap();
    }
    assert!(path.exists());
}
