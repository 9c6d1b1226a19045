//! What the tests have in common: an order, and a world in which all goes well.

use orders::{
    Order, arrange_shipping, call_courier_off, charge_card, refund_card, release_stock,
    reserve_stock,
};
use rewake::minutes;
use rewake::testing::{TestRewake, TestRewakeBuilder};

pub(crate) fn bicycle() -> Order {
    Order {
        number: 1,
        item: "bicycle".into(),
        card: "gold".into(),
        pay_within: minutes(30),
    }
}

/// Every step does what it should, unless it is mocked again.
pub(crate) fn all_is_well() -> TestRewakeBuilder {
    TestRewake::builder()
        .mock(reserve_stock, |_| Ok(()))
        .mock(release_stock, |_| Ok(()))
        .mock(charge_card, |_| Ok(()))
        .mock(refund_card, |_| Ok(()))
        .mock(arrange_shipping, |_| Ok(()))
        .mock(call_courier_off, |_| Ok(()))
}

pub(crate) fn declined(_: (Order,)) -> rewake::testing::MockResult<()> {
    Err(rewake::FatalError::new("no").into())
}
