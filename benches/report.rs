//! The tables, as Markdown.

use std::fmt::Write;

use crate::figures::Summary;
use crate::options::Options;
use crate::results::{Case, Results};
use crate::subject::{self, FLOOR, OURS, PLAIN, Subject};
use crate::workload::Workload;

/// The whole report.
pub(crate) fn markdown(
    results: &Results,
    options: &Options,
    subjects: &[&'static dyn Subject],
) -> String {
    let mut text = String::from("# The 4-span trace\n\n");
    let _ = writeln!(
        text,
        "{}, {} rounds of {} traces. Medians (lowest – highest round).\n",
        machine(),
        options.rounds,
        options.traces
    );
    text += &times(results);
    text += &workloads(results);
    text += &sizes(results);
    text += &small_calls(results);
    text += &budgets(results);
    text += &versions(subjects);
    text += &voids(results);
    text
}

fn times(results: &Results) -> String {
    let mut text = String::from(
        "## Time per trace, ns\n\n\
         | | foreground net | ours / it | CPU, null exporter | CPU, OTLP | ours / it |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    let (null, otlp) = (Case::TIME_NULL, Case::TIME_OTLP);
    for name in results.traced() {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} |",
            spread(results.net(name, null, "foreground_ns"), 0),
            middle(results.net_ratio(OURS, name, null, "foreground_ns"), 2),
            spread(results.summary(name, null, "cpu_ns"), 0),
            spread(results.summary(name, otlp, "cpu_ns"), 0),
            middle(results.ratio(OURS, name, otlp, "cpu_ns"), 2),
        );
    }
    let plain = results.summary(PLAIN, null, "foreground_ns");
    let _ = writeln!(text, "\nThe untraced code: {} ns.\n", spread(plain, 1));
    text
}

fn workloads(results: &Results) -> String {
    let names: Vec<_> = results.traced().collect();
    let mut text = format!(
        "## Other workloads\n\nForeground net per trace in ns; allocations on the request thread; \
         ours / it.\n\n| | {} |\n|---|{}\n",
        names.join(" | "),
        "---:|".repeat(names.len())
    );
    for workload in Workload::ALL.into_iter().skip(1) {
        let case = Case::workload(workload);
        let _ = write!(text, "| {} |", workload.name());
        for name in &names {
            let time = middle(results.net(name, case, "foreground_ns"), 0);
            let allocations = middle(results.net(name, case, "request_thread"), 0);
            let ratio = results.net_ratio(OURS, name, case, "foreground_ns");
            let _ = write!(text, " {time}; {allocations}");
            if *name != OURS {
                let _ = write!(text, "; {}", middle(ratio, 2));
            }
            text += " |";
        }
        text.push('\n');
    }
    text += "\n*Half dropped*: ours in `with_on_end`, the SDK and tracing in a span processor, \
             fastrace in its reporter. fastrace records errors only by hand, as is done here.\n\n";
    text
}

fn sizes(results: &Results) -> String {
    let mut text = String::from(
        "## Allocations and memory\n\n\
         | | allocations per trace, request thread | whole process, null | whole process, OTLP \
         | bytes per buffered span | peak of the process, OTLP, MiB | future of the root, bytes |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for name in results.recording() {
        let future = subject::find(name).map_or(0, Subject::future_size);
        let peak = results.summary(name, Case::TIME_OTLP, "peak_rss_bytes");
        let mebibytes = peak.map(|summary| summary.scaled(1.0 / (1024.0 * 1024.0)));
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {future} |",
            middle(
                results.summary(name, Case::ALLOCATIONS_NULL, "request_thread"),
                2
            ),
            middle(results.summary(name, Case::ALLOCATIONS_NULL, "process"), 2),
            middle(results.summary(name, Case::ALLOCATIONS_OTLP, "process"), 2),
            middle(results.summary(name, Case::MEMORY, "bytes_per_span"), 0),
            middle(mebibytes, 1),
        );
    }
    let plain = subject::find(PLAIN).map_or(0, Subject::future_size);
    let _ = writeln!(
        text,
        "\nBuffered: 30,000 spans of the workload behind an exporter that waits, everything \
         the pipeline allocates included. The future of the untraced root has {plain} bytes.\n"
    );
    text
}

fn small_calls(results: &Results) -> String {
    let mut text = String::from(
        "## Calls that record nothing, and several threads\n\n\
         | | unsampled child, ns over the plain call | disabled span, ns over the plain call \
         | spans/s, one thread | two threads / one | four / one |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    for name in results.traced() {
        let threads = Case::THREADS;
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} |",
            spread(results.net(name, Case::UNSAMPLED, "call_ns"), 1),
            spread(results.net(name, Case::DISABLED, "call_ns"), 1),
            middle(results.summary(name, threads, "one_thread"), 0),
            spread(
                results.within(name, threads, "two_threads", "one_thread"),
                2
            ),
            spread(
                results.within(name, threads, "four_threads_bursts", "one_thread_bursts"),
                2
            ),
        );
    }
    text.push('\n');
    text
}

/// A row of the budgets.
struct Budget {
    what: &'static str,
    sign: &'static str,
    aim: f64,
    found: Option<Summary>,
    /// The same figure of [`FLOOR`], where it has one.
    floor: Option<Summary>,
}

/// Budgets are shown, never asserted: machines differ.
fn budgets(results: &Results) -> String {
    if !results.traced().any(|name| name == OURS) {
        return String::new();
    }
    let foreground = |what, peer: &str, aim| {
        let over = |name| results.net_ratio(name, peer, Case::TIME_NULL, "foreground_ns");
        Budget::at_most(what, aim, over(OURS)).with_floor(over(FLOOR))
    };
    let cpu = |what, peer: &str, aim| {
        let over = |name| results.ratio(name, peer, Case::TIME_OTLP, "cpu_ns");
        Budget::at_most(what, aim, over(OURS)).with_floor(over(FLOOR))
    };
    let call = |what, case, aim| {
        let net = |name| results.net(name, case, "call_ns");
        Budget::at_most(what, aim, net(OURS)).with_floor(net(FLOOR))
    };
    let threads = results.within(OURS, Case::THREADS, "two_threads", "one_thread");
    let memory = results.summary(OURS, Case::MEMORY, "bytes_per_span");
    let rows = [
        foreground("foreground net / SDK", "SDK", 0.30),
        foreground("foreground net / fastrace", "fastrace", 0.45),
        foreground("foreground net / tracing", "tracing", 0.08),
        cpu("CPU, OTLP / SDK", "SDK", 0.18),
        cpu("CPU, OTLP / SDK + code", "SDK + code", 0.13),
        cpu("CPU, OTLP / fastrace", "fastrace", 0.17),
        cpu("CPU, OTLP / tracing", "tracing", 0.08),
        call("unsampled child, ns", Case::UNSAMPLED, 4.0),
        call("disabled span, ns", Case::DISABLED, 1.0),
        Budget {
            sign: "≥",
            ..Budget::at_most("two threads / one thread", 1.9, threads)
        },
        Budget::at_most("bytes per buffered span", 96.0, memory),
    ];
    let mut text = String::from(
        "## Budgets\n\n| | aim | this run | | the floor |\n|---|---:|---:|---|---:|\n",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {} | {} |",
            row.what,
            row.sign,
            row.aim,
            spread(row.found, 2),
            judged(row.found, row.sign == "≤", row.aim),
            middle(row.floor, 2),
        );
    }
    text += "\nThe floor: a look at the current context, a span that is nothing but its ids in a context \
             that is attached and detached, and two readings of the clock; no recording. Over OTLP as \
             many bytes as ours, posted with one write and one read; no encoding, no other thread.\n\n";
    text
}

impl Budget {
    fn at_most(what: &'static str, aim: f64, found: Option<Summary>) -> Self {
        Self {
            what,
            sign: "≤",
            aim,
            found,
            floor: None,
        }
    }

    fn with_floor(self, floor: Option<Summary>) -> Self {
        Self { floor, ..self }
    }
}

fn judged(found: Option<Summary>, at_most: bool, aim: f64) -> &'static str {
    match found {
        None => "not measured",
        Some(summary) if (summary.median <= aim) == at_most => "met",
        Some(_) => "missed",
    }
}

fn versions(subjects: &[&'static dyn Subject]) -> String {
    let mut text = String::from("## Versions\n\n");
    for subject in subjects.iter().filter(|subject| subject.name() != PLAIN) {
        let crates: Vec<String> = subject
            .crates()
            .iter()
            .map(|name| format!("{name} {}", version(name)))
            .collect();
        let _ = writeln!(text, "- {}: {}", subject.name(), crates.join(", "));
    }
    text
}

/// The version in the lock file that this was built with: the last of several, as the lock file sorts
/// them and only the tests compare with older ones.
fn version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    lock.split("[[package]]")
        .filter(|package| package.contains(&format!("\nname = \"{name}\"\n")))
        .last()
        .and_then(|package| package.split_once("version = \""))
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("of an unknown version")
}

fn voids(results: &Results) -> String {
    let mut text = String::new();
    if !results.voids().is_empty() {
        text.push_str("\n## Void runs\n\nLeft out above, because spans were lost or wrong:\n\n");
        for void in results.voids() {
            let _ = writeln!(text, "- {void}");
        }
    }
    text
}

/// The processor's name and the number of cores this process may use.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

fn spread(summary: Option<Summary>, digits: usize) -> String {
    match summary {
        None => "–".to_owned(),
        Some(summary) => format!(
            "{:.digits$} ({:.digits$} – {:.digits$})",
            summary.median, summary.min, summary.max
        ),
    }
}

fn middle(summary: Option<Summary>, digits: usize) -> String {
    summary.map_or_else(
        || "–".to_owned(),
        |summary| format!("{:.digits$}", summary.median),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        assert!(version("fastrace").starts_with("0.7."));
        assert!(version("opentelemetry_sdk").starts_with("0.33."));
        assert_eq!(version("no-such-crate"), "of an unknown version");
    }

    #[test]
    fn budgets_judge_the_median() {
        let found = Summary::of(vec![0.2, 0.3, 0.9]);
        assert_eq!(judged(found, true, 0.30), "met");
        assert_eq!(judged(found, true, 0.29), "missed");
        assert_eq!(judged(found, false, 1.9), "missed");
        assert_eq!(judged(None, true, 1.0), "not measured");
    }
}
