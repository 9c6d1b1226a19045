//! Names that all who work on one database must come to: of locks, and of channels.

use rewake_store::ScopeId;

/// A name: 64-bit FNV-1a. Builds work beside each other, so this never changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name(u64);

impl Name {
    /// The name of something of a kind in a schema.
    pub(crate) fn of(schema: &str, kind: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).and(schema).and(kind)
    }

    pub(crate) fn in_scope(self, scope: ScopeId) -> Self {
        self.over(&scope.0.to_le_bytes())
    }

    pub(crate) fn and(self, text: &str) -> Self {
        self.over(&(text.len() as u64).to_le_bytes())
            .over(text.as_bytes())
    }

    fn over(self, bytes: &[u8]) -> Self {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(self.0, mix))
    }

    /// As a number of the database's.
    pub(crate) fn number(self) -> i64 {
        i64::from_ne_bytes(self.0.to_ne_bytes())
    }

    /// As part of an identifier.
    pub(crate) fn text(self) -> String {
        format!("{:016x}", self.0)
    }
}
