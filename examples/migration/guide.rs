//! What MIGRATION.md shows is what the steps do.

use std::collections::BTreeSet;

const GUIDE: &str = include_str!("../../MIGRATION.md");

fn source(name: &str) -> &'static str {
    match name {
        "before/main.rs" => include_str!("before/main.rs"),
        "step-1/main.rs" => include_str!("step-1/main.rs"),
        "step-2/main.rs" => include_str!("step-2/main.rs"),
        "step-3/main.rs" => include_str!("step-3/main.rs"),
        "after/main.rs" => include_str!("after/main.rs"),
        other => panic!("`{other}` is no step"),
    }
}

#[test]
fn every_line_of_a_difference_stands_where_the_guide_says() {
    let mut pairs = BTreeSet::new();
    let blocks = GUIDE.split("```diff\n").skip(1);
    for block in blocks.filter_map(|text| text.split("```").next()) {
        let mut lines = block.lines();
        let mut name = |mark| lines.next().and_then(|line| line.strip_prefix(mark));
        let (old, new) = (name("--- "), name("+++ "));
        let (old, new) = (old.expect("the old file"), new.expect("the new file"));
        pairs.insert((old, new));
        for line in lines {
            let has = |name| source(name).lines().any(|known| known == &line[1..]);
            let (in_old, in_new) = match &line[..1] {
                "-" => (true, false),
                "+" => (false, true),
                _ => (true, true),
            };
            assert!(!in_old || has(old), "{old} has no line `{line}`");
            assert!(!in_new || has(new), "{new} has no line `{line}`");
        }
    }
    assert_eq!(pairs.len(), 4, "each step has a difference");
}

#[test]
fn the_shape_is_the_one_that_is_tested() {
    let shape = include_str!("shape.rs");
    let block = GUIDE.split("```text\n").nth(1).expect("the shape");
    let block = block.split("```").next().expect("its end");
    assert!(shape.contains(block), "{block}");
}
