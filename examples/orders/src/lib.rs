//! An order, from the shelf to the courier's van: what was done for it is taken back if the rest fails.
//!
//! The workflow is [`fulfil`]. What it deals with, a pretended warehouse, bank and courier, is the
//! [`World`]. The program round it all is `main.rs`.

#![forbid(unsafe_code)]

mod fulfil;
mod world;

pub use fulfil::{
    Order, Payment, arrange_shipping, call_courier_off, charge_card, collection_of, fulfil,
    payment_of, refund_card, release_stock, reserve_stock,
};
pub use world::{World, say};
