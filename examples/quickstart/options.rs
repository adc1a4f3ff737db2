//! The command line.

const USAGE: &str = "usage: quickstart [--serve] [--jaeger-ui URL]";

pub(crate) struct Options {
    /// Keep the services running until ctrl-c or SIGTERM.
    pub(crate) serve: bool,
    /// Where people look at Jaeger.
    pub(crate) jaeger_ui: String,
}

impl Options {
    pub(crate) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let mut options = Self {
            serve: false,
            jaeger_ui: "http://localhost:16686".to_owned(),
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--serve" => options.serve = true,
                "--jaeger-ui" => {
                    let url = arguments.next().ok_or("`--jaeger-ui` needs a URL")?;
                    options.jaeger_ui = url.trim_end_matches('/').to_owned();
                }
                _ => return Err(format!("unknown argument `{argument}`; {USAGE}")),
            }
        }
        Ok(options)
    }
}
