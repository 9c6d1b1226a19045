//! The pages of `src/docs`: every example in them is one that these tests drive.

const PAGES: [(&str, &str); 2] = [
    (
        "resume_hook.md",
        include_str!("../../src/docs/resume_hook.md"),
    ),
    (
        "resume_webhook.md",
        include_str!("../../src/docs/resume_webhook.md"),
    ),
];

const DRIVEN: [&str; 9] = [
    include_str!("action.rs"),
    include_str!("answers.rs"),
    include_str!("forward.rs"),
    include_str!("proxy.rs"),
    include_str!("receive.rs"),
    include_str!("repeat.rs"),
    include_str!("route.rs"),
    include_str!("shortest.rs"),
    include_str!("typed.rs"),
];

/// The code blocks of a page as its readers see them, without the hidden lines.
fn examples(page: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    let shown = |block: &str| {
        let lines = block.lines().skip(1);
        let lines = lines.filter(|line| *line != "#" && !line.starts_with("# "));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    };
    blocks.map(shown).collect()
}

/// Who may see an item is the module's business, not the example's.
fn public(source: &str) -> String {
    source.replace("pub(crate) ", "")
}

#[test]
fn every_example_is_driven_as_it_stands() {
    for (name, page) in PAGES {
        for example in examples(page) {
            let mut driven = DRIVEN.iter().map(|source| public(source));
            assert!(
                driven.any(|source| source.contains(&example)),
                "{name} has an example that no module of tests/seeds begins with:\n{example}"
            );
        }
    }
}

#[test]
fn every_module_begins_with_an_example() {
    let all: Vec<String> = PAGES.iter().flat_map(|(_, page)| examples(page)).collect();
    assert_eq!(all.len(), DRIVEN.len());
    for source in DRIVEN {
        let (purpose, code) = source.split_once("\n\n").unwrap();
        let code = public(code);
        assert!(
            all.iter().any(|example| code.starts_with(example)),
            "no page has the example of `{purpose}`"
        );
    }
}
