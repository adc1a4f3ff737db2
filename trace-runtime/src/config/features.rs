//! What this build of the crate can do, as far as settings can ask for it.

/// The optional parts that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    pub(crate) otlp_http: bool,
    pub(crate) otlp_grpc: bool,
    pub(crate) http_json: bool,
    pub(crate) jaeger: bool,
    pub(crate) opentelemetry_jaeger: bool,
    pub(crate) remote_sampler: bool,
    pub(crate) tls: bool,
    pub(crate) gzip: bool,
    pub(crate) log: bool,
    pub(crate) tracing: bool,
}

impl Features {
    /// This build. A part without a Cargo feature of its own does not exist yet.
    pub(crate) const BUILT: Features = Features {
        otlp_http: cfg!(feature = "otlp-http"),
        otlp_grpc: cfg!(feature = "otlp-grpc"),
        http_json: cfg!(feature = "otlp-http"),
        jaeger: cfg!(feature = "jaeger"),
        opentelemetry_jaeger: cfg!(feature = "opentelemetry-jaeger"),
        remote_sampler: cfg!(feature = "remote-sampler"),
        tls: cfg!(feature = "tls"),
        gzip: cfg!(feature = "gzip"),
        log: cfg!(feature = "log"),
        tracing: cfg!(feature = "tracing"),
    };
}
