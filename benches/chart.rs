//! The plot: foreground and CPU time per trace as bars.

use std::fmt::Write;

use crate::results::{Case, Results};

const LEFT: f64 = 110.0;
const WIDTH: f64 = 720.0;
const BAR: f64 = 20.0;
const GAP: f64 = 6.0;

/// The plot as an SVG document, readable on light and dark pages.
pub(crate) fn svg(results: &Results) -> String {
    let foreground: Vec<_> = results
        .recording()
        .filter_map(|name| {
            let time = results.net(name, Case::TIME_NULL, "foreground_ns")?;
            Some((name, time.median))
        })
        .collect();
    let cpu: Vec<_> = results
        .recording()
        .filter_map(|name| {
            let time = results.summary(name, Case::TIME_OTLP, "cpu_ns")?;
            Some((name, time.median))
        })
        .collect();
    let mut body = String::new();
    let mut y = 10.0;
    bars(
        &mut body,
        &mut y,
        "On the request thread, ns per 4-span trace",
        &foreground,
    );
    bars(
        &mut body,
        &mut y,
        "CPU of the process, OTLP over HTTP, ns per 4-span trace",
        &cpu,
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n{body}</svg>\n"
    )
}

fn bars(body: &mut String, y: &mut f64, title: &str, values: &[(&str, f64)]) {
    let longest = values.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let room = WIDTH - LEFT - 80.0;
    *y += BAR;
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"{y}\" font-weight=\"bold\" fill=\"gray\">{title}</text>"
    );
    *y += GAP * 2.0;
    for (name, value) in values {
        let length = value / longest * room;
        let text = *y + BAR - GAP;
        let _ = writeln!(
            body,
            "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\" fill=\"gray\">{name}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"steelblue\"/>\
             <text x=\"{:.1}\" y=\"{text}\" fill=\"gray\">{value:.0}</text>",
            LEFT - GAP,
            LEFT + length + GAP,
        );
        *y += BAR + GAP;
    }
    *y += GAP;
}
