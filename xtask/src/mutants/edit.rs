//! Breaking files and putting them back. Knows nothing of tests.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// One replacement in one file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    /// From the root of the repository.
    pub(crate) file: &'static str,
    /// Stands in the file exactly once.
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
}

impl Edit {
    /// Returns the text as it is with the bug.
    pub(crate) fn apply(&self, text: &str) -> Result<String> {
        match text.matches(self.find).count() {
            1 => Ok(text.replacen(self.find, self.replace, 1)),
            count => bail!(
                "{} has this {count} times, and not once:\n{}",
                self.file,
                self.find
            ),
        }
    }
}

/// Files that are broken, and whole again once this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    /// Each path with its text as it was.
    originals: Vec<(PathBuf, String)>,
}

impl Broken {
    /// Carries out all edits; where one fails, those before it are taken back.
    pub(crate) fn with(root: &Path, edits: &[Edit]) -> Result<Self> {
        let mut broken = Self::default();
        for edit in edits {
            let path = root.join(edit.file);
            let original = read(&path)?;
            let mutated = edit.apply(&original)?;
            // First noted, then written: a write that fails halfway is taken back too.
            broken.originals.push((path.clone(), original));
            fs::write(&path, mutated).with_context(|| format!("cannot break {}", edit.file))?;
        }
        Ok(broken)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        // Backwards, for one file may be edited twice.
        for (path, original) in self.originals.iter().rev() {
            if let Err(error) = fs::write(path, original) {
                eprintln!(
                    "mutants: {} is still broken ({error}); `git restore` it",
                    path.display()
                );
            }
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit {
        file: "a.rs",
        find: "one",
        replace: "two",
    };

    #[test]
    fn a_place_that_is_missing_or_not_the_only_one_is_refused() {
        assert_eq!(EDIT.apply("at one place").unwrap(), "at two place");
        EDIT.apply("nowhere").unwrap_err();
        EDIT.apply("at one and one more").unwrap_err();
    }

    #[test]
    fn what_was_broken_is_whole_again() {
        let folder = std::env::temp_dir().join(format!("rewake-mutants-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.rs");
        fs::write(&path, "one").unwrap();
        let again = Edit {
            find: "two",
            replace: "three",
            ..EDIT
        };
        let broken = Broken::with(&folder, &[EDIT, again]).unwrap();
        assert_eq!(read(&path).unwrap(), "three");
        drop(broken);
        assert_eq!(read(&path).unwrap(), "one");

        Broken::with(&folder, &[EDIT, EDIT]).unwrap_err();
        assert_eq!(read(&path).unwrap(), "one");
        fs::remove_dir_all(&folder).unwrap();
    }
}
