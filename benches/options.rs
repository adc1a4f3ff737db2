//! The command line of the benchmark.

use std::path::PathBuf;

/// What `cargo bench -p benches -- --help` prints.
pub(crate) const USAGE: &str = "\
usage: cargo bench -p benches -- [OPTIONS]

  --rounds N       rounds over all subjects, 11 by default
  --traces N       timed traces per process, 20480 by default, in bursts of 2048
  --quick          3 rounds of 8192 traces, for CI
  --only A,B       only these subjects (the untraced code always runs)
  --output FILE    where the Markdown goes, `target/tmp/trace-bench.md` by default
  --svg FILE       where the plot goes; none by default";

/// What to run and where to write it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) traces: u64,
    pub(crate) only: Option<Vec<String>>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) svg: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments; an error says what is wrong with them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            rounds: 11,
            traces: 20_480,
            only: None,
            output: None,
            svg: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("`{argument}` needs a value"))
            };
            match argument.as_str() {
                // Cargo passes this to every benchmark.
                "--bench" => {}
                "--quick" => (options.rounds, options.traces) = (3, 8_192),
                "--rounds" => options.rounds = positive(argument, value()?)?,
                "--traces" => options.traces = positive(argument, value()?)?,
                "--only" => {
                    options.only = Some(value()?.split(',').map(str::to_owned).collect());
                }
                "--output" => options.output = Some(value()?.into()),
                "--svg" => options.svg = Some(value()?.into()),
                _ => return Err(format!("unknown option `{argument}`")),
            }
        }
        Ok(options)
    }
}

fn positive<N: std::str::FromStr + PartialOrd + Default>(
    name: &str,
    value: &str,
) -> Result<N, String> {
    value
        .parse()
        .ok()
        .filter(|number| *number > N::default())
        .ok_or_else(|| format!("`{name}` is `{value}`; expected a positive number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn later_options_win() {
        let options = parse("--bench --quick --rounds 5 --only SDK,tracing").unwrap();
        assert_eq!((options.rounds, options.traces), (5, 8_192));
        assert_eq!(options.only, Some(vec!["SDK".into(), "tracing".into()]));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse("--fast").unwrap_err(), "unknown option `--fast`");
        assert_eq!(parse("--rounds").unwrap_err(), "`--rounds` needs a value");
        let zero = parse("--rounds 0").unwrap_err();
        assert_eq!(zero, "`--rounds` is `0`; expected a positive number");
    }
}
