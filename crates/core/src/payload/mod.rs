//! Payloads: opaque bytes with a codec tag.
