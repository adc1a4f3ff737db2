//! What arrives is what the records say.

mod decoded;
mod posted;
