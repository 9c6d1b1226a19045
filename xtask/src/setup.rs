//! What must be on the machine before tests can run. Each need is checked first, then met where
//! that can be done without asking, else named with the command that meets it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{command, database, workflow_sdk};

/// Makes sure that tests can be built and run on this machine.
///
/// A further need is one more line here and one more function below.
pub(crate) fn prepare() -> Result<()> {
    c_compiler()?;
    database::install()?;
    workflow_sdk::install()
}

/// SQLite is compiled from its C source.
fn c_compiler() -> Result<()> {
    if c_compiler_works() {
        return Ok(());
    }
    match remedy(is_root(), has_apt()) {
        Remedy::Install => {
            println!("setup: no C compiler (`cc`); installing Debian's package build-essential");
            apt_get(&["update"])?;
            apt_get(&[
                "install",
                "--yes",
                "--no-install-recommends",
                "build-essential",
            ])?;
            if !c_compiler_works() {
                bail!("build-essential is installed, and `cc --version` still fails");
            }
            Ok(())
        }
        Remedy::Name(what) => bail!("there is no C compiler (`cc`); {what}"),
    }
}

fn c_compiler_works() -> bool {
    let mut version = Command::new("cc");
    version.arg("--version");
    command::succeeds(version)
}

#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    Install,
    Name(&'static str),
}

fn remedy(root: bool, apt: bool) -> Remedy {
    match (root, apt) {
        (true, true) => Remedy::Install,
        (false, true) => Remedy::Name(
            "install Debian's package build-essential: `sudo apt-get install build-essential`",
        ),
        (_, false) => Remedy::Name("install one, such as gcc or clang"),
    }
}

/// Tells whether Debian's packages can be installed here.
pub(crate) fn has_apt() -> bool {
    let mut version = Command::new("apt-get");
    version.arg("--version");
    command::succeeds(version)
}

/// Tells whether they may be.
pub(crate) fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Runs `apt-get` without a question.
pub(crate) fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command::run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_with_apt_installs() {
        assert_eq!(remedy(true, true), Remedy::Install);
        for (root, apt) in [(true, false), (false, true), (false, false)] {
            assert_ne!(remedy(root, apt), Remedy::Install);
        }
    }

    #[test]
    fn a_user_of_debian_is_told_the_package() {
        let Remedy::Name(what) = remedy(false, true) else {
            panic!("nothing is installed for someone who is not root");
        };
        assert!(what.contains("apt-get install build-essential"));
    }
}
