//! What the attributes accept, and what they say where they do not.
//!
//! The messages are those of the compiler that `rust-toolchain.toml` names. To take over new ones:
//! `TRYBUILD=overwrite cargo test -p rewake --test ui`, and read them.

#[test]
fn the_attributes_accept_what_can_be_replayed_and_say_what_to_write_otherwise() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
