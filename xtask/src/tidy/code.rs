//! Source text as code: comments and literals blanked out, so that a word in a string or in prose
//! is not taken for a use of it. A reader of tokens, not of grammar.

/// Returns the text with the same lines, in which comments and literals are spaces.
pub(super) fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_word = code.chars().next_back().is_some_and(is_word);
        let inert = inert_length(rest, in_word);
        if inert == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (skipped, after) = rest.split_at(inert);
            code.extend(skipped.chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// Returns the length in bytes of the comment or literal that `rest` begins with, or 0.
fn inert_length(rest: &str, in_word: bool) -> usize {
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        until_unescaped(rest, '"')
    } else if rest.starts_with('\'') {
        character(rest)
    } else if in_word {
        0
    } else {
        raw_string(rest)
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn until_unescaped(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A quote begins a character or a lifetime; only the former is closed right after one character.
fn character(rest: &str) -> usize {
    let mut following = rest.char_indices().skip(1);
    match (following.next(), following.next()) {
        (Some((_, '\\')), _) => until_unescaped(rest, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

fn raw_string(rest: &str) -> usize {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix);
        after.is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    });
    let Some(prefix) = prefix else { return 0 };
    let hashes = rest[prefix.len()..]
        .bytes()
        .take_while(|&b| b == b'#')
        .count();
    let opening = prefix.len() + hashes + 1;
    let closing = format!("\"{}", "#".repeat(hashes));
    rest[opening..]
        .find(&closing)
        .map_or(rest.len(), |at| opening + at + closing.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns where `code` uses `word`: standing alone, or, for a path such as `time::sleep`, also
/// inside a group such as `time::{Duration, sleep}`.
pub(super) fn uses(code: &str, word: &str) -> Vec<usize> {
    let mut found = standing_alone(code, word);
    if let Some((head, tail)) = word.rsplit_once("::") {
        let opening = format!("{head}::{{");
        for at in standing_alone(code, &opening) {
            let begin = at + opening.len();
            let group = &code[begin..begin + group_length(&code[begin..])];
            found.extend(
                standing_alone(group, tail)
                    .iter()
                    .map(|inside| begin + inside),
            );
        }
    }
    found.sort_unstable();
    found
}

fn standing_alone(code: &str, word: &str) -> Vec<usize> {
    let touches = |edge: Option<char>, neighbour: Option<char>| {
        edge.is_some_and(is_word) && neighbour.is_some_and(is_word)
    };
    code.match_indices(word)
        .filter(|(at, word)| {
            let before = code[..*at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !touches(word.chars().next(), before) && !touches(word.chars().next_back(), after)
        })
        .map(|(at, _)| at)
        .collect()
}

fn group_length(inside: &str) -> usize {
    let mut depth = 1_u32;
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    inside.len()
}

/// Returns the line, counted from 1, that holds the byte at `at`.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        for (text, kept) in [
            ("a // b\nc", "a\nc"),
            ("a /* b /* c */ d */ e", "a e"),
            ("a /* b\nc */ d", "a\n d"),
            (r#"a("b \" c") d"#, "a( ) d"),
            ("a(r#\"b \" c\"#) d", "a( ) d"),
            ("a(br\"b\\\") d", "a( ) d"),
            ("a('\"') b", "a( ) b"),
            (r"a('\'') b", "a( ) b"),
            ("a::<'b>('c')", "a::<'b>( )"),
            ("r#type /* b */ c", "r#type c"),
            ("\"unclosed b", ""),
        ] {
            let code = blank(text);
            assert_eq!(
                code.matches('\n').count(),
                text.matches('\n').count(),
                "{text}"
            );
            assert_eq!(squeezed(&code), squeezed(kept), "{text}");
        }
    }

    fn squeezed(text: &str) -> String {
        text.chars().filter(|c| *c != ' ').collect()
    }

    #[test]
    fn words_are_found_alone_and_in_groups() {
        assert_eq!(uses("use a::HashMap;", "HashMap"), [7]);
        assert_eq!(uses("MyHashMap HashMaps", "HashMap"), [0; 0]);
        assert_eq!(
            uses("use tokio::time::{Duration, sleep};", "time::sleep"),
            [28]
        );
        assert_eq!(
            uses(
                "use tokio::time::{Duration, sleeps}; sleep(1)",
                "time::sleep"
            ),
            [0; 0]
        );
        assert_eq!(uses("use std::{io::{A, B}, fs};", "std::fs"), [22]);
        assert_eq!(uses("time::sleep(d); rewake::sleep(d)", "time::sleep"), [0]);
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_at("a\nb\nc", 0), 1);
        assert_eq!(line_at("a\nb\nc", 4), 3);
    }
}
