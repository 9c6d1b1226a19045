//! The pages of `docs/guide`, as documentation of modules that nobody sees: each snippet in them is
//! compiled and run with the other examples. A page joins by its line below.

macro_rules! guide {
    ($($module:ident: $page:literal),* $(,)?) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../docs/guide/", $page))]
            mod $module {}
        )*

        #[cfg(test)]
        const PAGES: &[&str] = &[$($page),*];
    };
}

guide! {
    cancellation: "cancellation.md",
    changing_code: "changing-code.md",
    children: "children.md",
    determinism: "determinism.md",
    errors: "errors.md",
    steps: "steps.md",
    testing: "testing.md",
    time: "time.md",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::PAGES;

    #[test]
    fn the_snippets_of_every_page_are_run() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide");
        let written: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|page| page.unwrap().file_name().into_string().unwrap())
            .filter(|page| Path::new(page).extension().is_some_and(|kind| kind == "md"))
            .collect();
        let run = PAGES.iter().map(|page| (*page).to_owned()).collect();
        assert_eq!(written, run, "name the page in crates/rewake/src/guide.rs");
    }
}
