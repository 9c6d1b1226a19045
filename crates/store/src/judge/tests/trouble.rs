//! What a judge says where the rows cannot be looked at, or do not fit each other.

use super::fake::{Fake, NOW, adding, beginning, delivering, with_hook};
use crate::error::{Failed, StoreError};
use crate::judge::{append, create, deliver};
use crate::request::DeliverRefusal;

#[test]
fn rows_that_cannot_be_looked_at_are_no_refusal() {
    let mut rows = Fake {
        broken: true,
        ..with_hook()
    };
    let trouble = StoreError::Overloaded;
    let created = create(&mut rows, &beginning(Vec::new()), NOW).unwrap_err();
    assert_eq!(created, Failed::Store(trouble.clone()));
    let appended = append(&mut rows, &adding(2, Vec::new()), NOW).unwrap_err();
    assert_eq!(appended, Failed::Store(trouble.clone()));
    let delivered = deliver(&mut rows, &delivering(), NOW).unwrap_err();
    assert_eq!(delivered, Failed::Store(trouble));
}

#[test]
fn a_token_whose_run_is_missing_has_no_hook() {
    let mut rows = with_hook();
    rows.run = None;
    let refused = deliver(&mut rows, &delivering(), NOW).unwrap_err();
    let expected = DeliverRefusal::NoHook;
    assert_eq!(refused, Failed::Refused(expected));
}
