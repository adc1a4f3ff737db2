//! The Cargo features that are on.

macro_rules! built {
    ($($feature:literal),* $(,)?) => {
        /// The names of the features of this build, in alphabetical order.
        pub(super) fn built() -> Vec<&'static str> {
            let all = [$(($feature, cfg!(feature = $feature))),*];
            all.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
        }

        #[cfg(test)]
        const ALL: &[&str] = &[$($feature),*];
    };
}

built![
    "axum",
    "chrono",
    "gzip",
    "http",
    "jaeger",
    "log",
    "messaging",
    "metrics",
    "off",
    "opentelemetry-jaeger",
    "otlp-grpc",
    "otlp-http",
    "remote-sampler",
    "reqwest",
    "sdk-exporter",
    "stream",
    "testing",
    "time",
    "tls",
    "tokio",
    "tonic",
    "tower",
    "tracing",
    "url",
    "uuid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_of_the_manifest_is_known() {
        let manifest = include_str!("../../Cargo.toml");
        let features = manifest
            .split_once("[features]")
            .and_then(|(_, rest)| rest.split_once("\n["))
            .map(|(features, _)| features)
            .unwrap_or_default();
        let mut declared: Vec<_> = features
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
            .filter(|name| *name != "default")
            .collect();
        declared.sort_unstable();
        assert_eq!(declared, ALL);
        assert!(built().iter().all(|name| ALL.contains(name)));
    }
}
