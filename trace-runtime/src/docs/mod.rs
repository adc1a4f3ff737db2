//! Pages that belong to no item: [how we compare](comparison) with other attributes.

#[doc = include_str!("comparison.md")]
pub mod comparison {}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every claim names its test: it must be there.
    #[test]
    fn the_tests_that_are_named_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = include_str!("comparison.md");
        let quoted = page.split('`').skip(1).step_by(2);
        let named: Vec<_> = quoted
            .filter(|text| text.starts_with("tests/") || text.starts_with("ui-tests/"))
            .collect();
        assert!(named.len() > 20, "only {named:?}");
        for path in named {
            // Up to the star, if it stands for many.
            let (folder, _) = path.split_once('*').map_or((path, ""), |(start, end)| {
                (start.rsplit_once('/').map_or("", |(folder, _)| folder), end)
            });
            assert!(root.join(folder).exists(), "{path} is not there");
        }
    }
}
