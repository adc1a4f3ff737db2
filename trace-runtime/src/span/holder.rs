//! Where a future finds its span: with itself, with its caller, or not entered yet.

use super::active::{Active, enter};
use super::start::{Start, off};

/// A span that is entered when its function first runs, where it then stays.
#[derive(Debug)]
pub enum Entering {
    /// Not yet.
    Started(Start),
    /// The function runs, or has begun to wait.
    Entered(Active),
}

/// Where a future finds its span.
pub trait Holder {
    #[doc(hidden)]
    fn span(&mut self) -> &mut Active;
}

impl Holder for Active {
    #[inline]
    fn span(&mut self) -> &mut Active {
        self
    }
}

#[cfg(any(feature = "messaging", feature = "reqwest"))]
impl Holder for &mut Active {
    #[inline]
    fn span(&mut self) -> &mut Active {
        self
    }
}

impl Holder for Entering {
    #[inline]
    fn span(&mut self) -> &mut Active {
        if let Self::Started(start) = self {
            let start = std::mem::replace(start, off());
            let mut span = enter(start);
            span.wait();
            *self = Self::Entered(span);
        }
        match self {
            Self::Entered(span) => span,
            Self::Started(_) => unreachable!("entered above"),
        }
    }
}
