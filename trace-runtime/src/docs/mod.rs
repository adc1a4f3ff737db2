//! Pages that belong to no item.

#[doc = include_str!("comparison.md")]
pub mod comparison {}
