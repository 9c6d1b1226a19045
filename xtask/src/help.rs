//! `cargo xtask help`: the verbs, in the order a developer meets them.

const TEXT: &str = "\
cargo xtask VERB

  test [NAME]     set up what tests need, then run every test (or those whose name contains NAME)
  tidy            check the house rules that no compiler checks; report all problems at once
  tidy --bless    the same, and write the hash of the event definitions into docs/format.md
  mutants [NAME]  break the code on purpose, in each way that docs/mutants.md lists (or the one named),
                  and expect the tests to notice; wants cargo-nextest and committed files
  bench [NAME] [--quick] [--json] [--dir FOLDER]
                  measure every workload of docs/performance.md (or the one named) beside its floor; the
                  folder must be on a disk; NAME `postgres` measures on a server of its own, and
                  `micro` the small parts, each alone
  ci              what decides whether a change lands: format, clippy, tidy, test, docs
  help            this page

Exit codes: 0 all well, 1 something is wrong, 2 the command line was not understood.
The rules themselves are in CONTRIBUTING.md.
";

pub(crate) fn print() {
    print!("{TEXT}");
}
