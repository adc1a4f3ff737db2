//! Which route a request takes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::request::Parts;

/// What a function that finds the route may return: a text, or an `Option` of one.
pub trait IntoRoute: sealed::Sealed {
    #[doc(hidden)]
    fn into_route(self) -> Option<Cow<'static, str>>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! texts {
    ($($text:ty),*) => {
        $(
            impl sealed::Sealed for $text {}
            impl sealed::Sealed for Option<$text> {}

            impl IntoRoute for $text {
                fn into_route(self) -> Option<Cow<'static, str>> {
                    Some(self.into())
                }
            }

            impl IntoRoute for Option<$text> {
                fn into_route(self) -> Option<Cow<'static, str>> {
                    self.map(Into::into)
                }
            }
        )*
    };
}

texts!(&'static str, String, Cow<'static, str>);

type Find = dyn Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync;

/// The user's function that finds the route.
#[derive(Clone)]
pub(super) struct RouteOf(Arc<Find>);

impl RouteOf {
    pub(super) fn new<R: IntoRoute>(find: impl Fn(&Parts) -> R + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |parts| find(parts).into_route()))
    }
}

impl fmt::Debug for RouteOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteOf(..)")
    }
}

/// The route that the user's function finds, else the one that axum has matched.
pub(super) fn route(route_of: Option<&RouteOf>, parts: &Parts) -> Option<Cow<'static, str>> {
    route_of
        .and_then(|RouteOf(find)| find(parts))
        .or_else(|| matched(parts))
}

#[cfg(feature = "axum")]
fn matched(parts: &Parts) -> Option<Cow<'static, str>> {
    let matched = parts.extensions.get::<axum::extract::MatchedPath>()?;
    Some(matched.as_str().to_owned().into())
}

#[cfg(not(feature = "axum"))]
fn matched(_: &Parts) -> Option<Cow<'static, str>> {
    None
}

/// The URI that the client asked for: axum cuts it for nested routers.
#[cfg(feature = "axum")]
pub(super) fn uri(parts: &Parts) -> &Uri {
    let original = parts.extensions.get::<axum::extract::OriginalUri>();
    original.map_or(&parts.uri, |original| &original.0)
}

#[cfg(not(feature = "axum"))]
pub(super) fn uri(parts: &Parts) -> &Uri {
    &parts.uri
}
