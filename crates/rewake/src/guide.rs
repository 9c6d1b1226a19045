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
    agents: "agents.md",
    cancellation: "cancellation.md",
    changing_code: "changing-code.md",
    children: "children.md",
    contents: "README.md",
    control_flow: "control-flow.md",
    determinism: "determinism.md",
    errors: "errors.md",
    hooks: "hooks.md",
    human_in_the_loop: "human-in-the-loop.md",
    idempotency: "idempotency.md",
    saga: "saga.md",
    serialization: "serialization.md",
    steps: "steps.md",
    testing: "testing.md",
    time: "time.md",
    webhooks: "webhooks.md",
    workflow_sdk: "workflow-sdk.md",
    workflows: "workflows.md",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::PAGES;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide")
    }

    fn page(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The lines outside of code.
    fn prose(page: &str) -> Vec<&str> {
        let mut code = false;
        let is_prose = |line: &&str| {
            let fence = line.starts_with("```");
            code ^= fence;
            !code && !fence
        };
        page.lines().filter(is_prose).collect()
    }

    /// How a heading is linked to.
    fn anchor(heading: &str) -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    }

    /// What stands under a heading; none where there is no such heading.
    fn section(page: &str, wanted: &str) -> Option<String> {
        let headings: BTreeSet<&str> = prose(page)
            .into_iter()
            .filter(|l| l.starts_with('#'))
            .collect();
        let depth = |line: &str| line.len() - line.trim_start_matches('#').len();
        let mut lines = page.lines();
        let heading = lines.find(|line| headings.contains(line) && anchor(line) == wanted)?;
        let ends = |line: &&str| headings.contains(line) && depth(line) <= depth(heading);
        Some(
            lines
                .take_while(|line| !ends(line))
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }

    /// The links of a text to files of this repository: path, and the heading if it names one.
    fn links(text: &str) -> Vec<(&str, Option<&str>)> {
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let own = targets.filter(|target| !target.contains("://"));
        own.map(|target| match target.split_once('#') {
            Some((path, heading)) => (path, Some(heading)),
            None => (target, None),
        })
        .collect()
    }

    /// What a link of a page leads to.
    fn linked(from: &str, (path, heading): (&str, Option<&str>)) -> String {
        let own = folder().join(from);
        let target = match own.parent() {
            Some(folder) if !path.is_empty() => page(&folder.join(path)),
            _ => page(&own),
        };
        let Some(heading) = heading else {
            return target;
        };
        section(&target, heading).unwrap_or_else(|| panic!("{from}: `{path}` has no `#{heading}`"))
    }

    #[test]
    fn the_snippets_of_every_page_are_run() {
        let written: BTreeSet<String> = fs::read_dir(folder())
            .unwrap()
            .map(|page| page.unwrap().file_name().into_string().unwrap())
            .filter(|page| Path::new(page).extension().is_some_and(|kind| kind == "md"))
            .collect();
        let run = PAGES.iter().map(|page| (*page).to_owned()).collect();
        assert_eq!(written, run, "name the page in crates/rewake/src/guide.rs");
    }

    #[test]
    fn every_link_of_the_guide_leads_somewhere() {
        for name in PAGES.iter().chain(&["../errors.md", "../../README.md"]) {
            let page = page(&folder().join(name));
            for line in prose(&page) {
                for link in links(line) {
                    linked(name, link);
                }
            }
        }
    }

    #[test]
    fn the_contents_name_every_page() {
        let contents = page(&folder().join("README.md"));
        for name in PAGES.iter().filter(|name| **name != "README.md") {
            assert!(
                links(&contents).contains(&(name, None)),
                "docs/guide/README.md lacks {name}"
            );
        }
    }

    #[test]
    fn each_twin_of_a_page_of_the_workflow_sdk_is_a_program_that_is_run() {
        let name = "workflow-sdk.md";
        let page = page(&folder().join(name));
        let tables = [
            "foundations",
            "cookbook",
            "ai-agents",
            "testing-and-operating",
        ];
        let mut twins = 0;
        for table in tables.map(|heading| section(&page, heading).unwrap()) {
            for row in table.lines().filter(|line| line.starts_with("| ")) {
                let here = row.split('|').nth(2).unwrap();
                for twin in links(here) {
                    let is_run = linked(name, twin).contains("```rust");
                    assert!(is_run, "no program is run at {twin:?}");
                    twins += 1;
                }
            }
        }
        assert!(twins > 30, "{twins}");
    }
}
