//! What a payload may cost: the numbers that keep hostile text cheap to refuse. Knows nothing of
//! the format; the writer and the reader both look here so that what one writes the other reads.

/// How deep values may nest, when writing and when reading.
///
/// Counted are sequences, maps, structs, enum values with content, custom types and the arrays that
/// hold an inner option. A `Map` counts once.
pub const MAX_DEPTH: usize = 128;

/// What reading one value costs at least, in bytes of the budget. About what it takes in memory.
pub(super) const VISIT_COST: usize = 32;

/// What every payload may cost to read, however short its text.
pub(super) const BUDGET_FLOOR: usize = 16 * 1024 * 1024;

/// What each byte of text adds to the budget.
///
/// The shortest link is two bytes, a digit and its separator, and so pays for one visit and as many
/// bytes of string again: a text in which nothing long is shared always stays within its budget.
pub(super) const BUDGET_PER_BYTE: usize = 32;

/// Strings up to this length are paid for by the link that leads to them. Sharing longer ones is
/// what [`BUDGET_FLOOR`] is for; the writer stops sharing where the reader would stop reading.
pub(super) const FREE_STRING: usize = 2 * BUDGET_PER_BYTE;

/// What a payload with `text_len` bytes of text may cost to read.
pub(super) const fn budget(text_len: usize) -> usize {
    BUDGET_FLOOR.saturating_add(text_len.saturating_mul(BUDGET_PER_BYTE))
}
