//! The payload codec: a small struct, long text, a list of small structs.

use divan::{Bencher, black_box};
use rewake_core::payload::{Payload, decode, encode};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    paid: bool,
    total: f64,
}

fn order(id: u64) -> Order {
    Order {
        id,
        customer: "ada@example.com".to_owned(),
        paid: true,
        total: 12.5,
    }
}

/// About 64 KiB of text.
fn text() -> String {
    "a payload of text, ".repeat(3_449)
}

/// About 64 KiB of structs.
fn orders() -> Vec<Order> {
    (0..1_000).map(order).collect()
}

fn encoded<T: Serialize>(value: &T) -> Payload {
    encode(value).expect("it is a payload")
}

fn measure_encode<T: Serialize + Sync>(bencher: Bencher<'_, '_>, value: &T) {
    bencher.bench(|| encode(black_box(value)).expect("it is a payload"));
}

fn measure_decode<T: Serialize + for<'de> Deserialize<'de>>(bencher: Bencher<'_, '_>, value: &T) {
    let payload = encoded(value);
    bencher.bench(|| decode::<T>(black_box(&payload)).expect("it was encoded so"));
}

#[divan::bench]
fn encode_struct(bencher: Bencher<'_, '_>) {
    measure_encode(bencher, &order(1));
}

#[divan::bench]
fn decode_struct(bencher: Bencher<'_, '_>) {
    measure_decode(bencher, &order(1));
}

#[divan::bench]
fn encode_64_kib_of_text(bencher: Bencher<'_, '_>) {
    measure_encode(bencher, &text());
}

#[divan::bench]
fn decode_64_kib_of_text(bencher: Bencher<'_, '_>) {
    measure_decode(bencher, &text());
}

#[divan::bench]
fn encode_1_000_structs(bencher: Bencher<'_, '_>) {
    measure_encode(bencher, &orders());
}

#[divan::bench]
fn decode_1_000_structs(bencher: Bencher<'_, '_>) {
    measure_decode(bencher, &orders());
}
