//! What a company's own crate for telemetry looks like: it re-exports ours under a name of its own.

/// Everything, for `crate = facade::traced`.
pub use trace_runtime as traced;

/// The attribute, by a name of the house.
pub use trace_runtime::traced as observe;
