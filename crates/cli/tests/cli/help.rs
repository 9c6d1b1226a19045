//! The help, word for word.

use crate::called::call;

const COPY: &str = include_str!("help_copy.txt");

#[test]
fn the_help_of_copy_reads_like_this() {
    let called = call(&["copy", "--help"]);
    assert_eq!(called.code, Some(0), "{called:?}");
    assert_eq!(called.stderr, "");
    assert_eq!(called.stdout, COPY);
}

#[test]
fn the_help_names_every_command() {
    let called = call(&["--help"]);
    assert_eq!(called.code, Some(0), "{called:?}");
    assert!(called.stdout.contains("\n  copy "), "{called:?}");
}
