//! Arguments can be patterns, raw names, and names that the expansion uses itself.

#![deny(warnings)]

use rewake::prelude::*;

#[step]
async fn patterns(mut a: u8, (b, c): (u8, u8), _: bool, [d, e]: [u8; 2]) -> anyhow::Result<u8> {
    a += b + c + d + e;
    Ok(a)
}

#[step]
async fn run(run: u8, input: u8, provided: u8, arguments: u8, argument_0: u8) -> anyhow::Result<u8> {
    Ok(run + input + provided + arguments + argument_0)
}

#[step]
async fn r#loop(r#type: String) -> anyhow::Result<String> {
    Ok(r#type)
}

fn main() {
    drop(patterns(1, (2, 3), true, [4, 5]));
    drop(run(1, 2, 3, 4, 5));
    drop(r#loop("a".into()));
}
