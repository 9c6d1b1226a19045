//! Panics of workflow code: what they said, and where.
//!
//! Only a panic hook learns the place. Ours is put before the one that is there, notes the place
//! while this thread runs workflow code, and changes nothing else.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static PLACE: RefCell<Watch> = const { RefCell::new(Watch::Off) };
}

enum Watch {
    Off,
    On(Option<String>),
}

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panic {
    message: String,
    place: Option<String>,
}

impl Panic {
    /// True where tokio was asked for something: its timers, sockets and `spawn` panic where no
    /// runtime of its is around, and around a workflow there is none.
    pub(crate) fn is_of_tokio(&self) -> bool {
        self.message.contains("Tokio 1.x runtime")
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "at {place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Puts the hook in place, once for the process.
pub(crate) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            note(panic);
            before(panic);
        }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    // A panic while the thread's own variables are gone is none of a workflow's.
    let _gone = PLACE.try_with(|watch| {
        if let Ok(mut watch) = watch.try_borrow_mut()
            && let Watch::On(noted) = &mut *watch
        {
            *noted = place;
        }
    });
}

/// Does `work`; its panic, where it ends in one.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    let outer = PLACE.replace(Watch::On(None));
    let done = catch_unwind(AssertUnwindSafe(work));
    let watch = PLACE.replace(outer);
    done.map_err(|panic| Panic {
        message: message(&*panic),
        place: match watch {
            Watch::On(place) => place,
            Watch::Off => None,
        },
    })
}

/// What a panic said, in words.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a value that is not text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_message_and_place() {
        watch();
        let line = line!() + 1;
        let panic = catch(|| panic!("{} left", 0)).unwrap_err();
        let place = format!("at {}:{line}:", file!());
        let said = panic.to_string();
        assert!(
            said.starts_with(&place) && said.ends_with(": 0 left"),
            "{said}"
        );
    }

    #[test]
    fn a_panic_of_an_inner_catch_is_not_the_outers() {
        watch();
        let panic = catch(|| {
            catch(|| panic!("inner")).unwrap_err();
            std::panic::resume_unwind(Box::new("outer"))
        });
        assert_eq!(panic.unwrap_err().to_string(), "outer");
    }
}
