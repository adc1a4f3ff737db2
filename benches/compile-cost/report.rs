//! The table and the budgets.

use crate::meter::Meter;
use crate::project::VARIANTS;

/// Cost of one crate's attributes over that of another's, and what we are after (design.md, §6).
const BUDGETS: [(&str, &str, f64); 3] = [
    ("ours", "fastrace", 1.4),
    ("ours", "tracing", 0.2),
    ("ours-skip-all", "tracing-skip-all", 0.2),
];

/// Prints what was found; whether every budget is kept.
pub(crate) fn print(costs: &[Vec<f64>], functions: usize, meter: Meter) -> bool {
    let costs: Vec<f64> = costs.iter().map(|rounds| median(rounds)).collect();
    let plain = costs[0];
    let over = |name: &str| {
        let at = VARIANTS.iter().position(|variant| variant.name == name);
        costs[at.expect("a variant")] - plain
    };
    println!(
        "{:38}{:>10}{:>12}{:>15}",
        "", "whole", "over plain", "per function"
    );
    for (variant, cost) in VARIANTS.iter().zip(&costs) {
        let extra = cost - plain;
        let each = extra / functions as f64;
        println!("{:38}{cost:>10.1}{extra:>12.1}{each:>15.3}", variant.title);
    }
    println!("\n{:38}{:>10}{:>12}", "over plain", "found", "budget");
    let mut kept = true;
    for (ours, peer, budget) in BUDGETS {
        let found = over(ours) / over(peer);
        let missed = if found <= budget { "" } else { "  missed" };
        kept &= missed.is_empty();
        println!(
            "{:38}{found:>10.2}{budget:>12.2}{missed}",
            format!("{ours} / {peer}")
        );
    }
    if meter == Meter::Time {
        println!("\nCPU time varies by some percent from run to run: only a guide.");
    }
    kept
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}
