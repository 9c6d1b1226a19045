//! Reads a span of time written as text: `30s`, `1m 30s`.

/// The units, and how many milliseconds each has.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Returns the milliseconds that the text says.
///
/// # Errors
///
/// A sentence that says what to write instead.
pub(crate) fn milliseconds(text: &str) -> Result<u64, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("no time is written: write a number and a unit, such as `30s`".to_owned());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        let part = part(number, unit, after)?;
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| too_long(text))?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// One number with its unit, in milliseconds, or nothing where 64 bits do not hold them.
fn part(number: &str, unit: &str, after: &str) -> Result<Option<u64>, String> {
    if number.is_empty() {
        return Err("a time is a number and a unit: write it such as `30s` or `1m 30s`".to_owned());
    }
    if unit.is_empty() && after.starts_with(['.', ',']) {
        return Err(
            "times are whole numbers: take a smaller unit, such as `1500ms` for 1.5 seconds"
                .to_owned(),
        );
    }
    if unit.is_empty() {
        return Err(format!(
            "`{number}` has no unit: write ms, s, m, h or d after it, such as `{number}s`"
        ));
    }
    let Some((_, each)) = UNITS.into_iter().find(|(known, _)| *known == unit) else {
        return Err(format!(
            "`{unit}` is no unit of time: write ms, s, m, h or d, such as `{number}s`"
        ));
    };
    let number: Option<u64> = number.parse().ok();
    Ok(number.and_then(|number| number.checked_mul(each)))
}

fn too_long(what: &str) -> String {
    format!("`{what}` adds up to more milliseconds than 64 bits hold: write a shorter time")
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        let read = ["250ms", "30s", "5m", "2h", "7d"].map(milliseconds);
        assert_eq!(read, [250, 30_000, 300_000, 7_200_000, 604_800_000].map(Ok));
    }

    #[test]
    fn parts_add_up_with_and_without_blanks() {
        assert_eq!(milliseconds("1m 30s"), Ok(90_000));
        assert_eq!(milliseconds(" 1m30s "), Ok(90_000));
        assert_eq!(milliseconds("1 d 1 ms"), Ok(86_400_001));
    }

    #[test]
    fn what_cannot_be_read_says_what_to_write() {
        let refused = |text| milliseconds(text).expect_err("it must be refused");
        assert_eq!(
            [
                "30 parsecs",
                "30",
                "1m 30",
                "1.5s",
                "-1s",
                " ",
                "999999999999999999999d"
            ]
            .map(refused),
            [
                "`parsecs` is no unit of time: write ms, s, m, h or d, such as `30s`",
                "`30` has no unit: write ms, s, m, h or d after it, such as `30s`",
                "`30` has no unit: write ms, s, m, h or d after it, such as `30s`",
                "times are whole numbers: take a smaller unit, such as `1500ms` for 1.5 seconds",
                "a time is a number and a unit: write it such as `30s` or `1m 30s`",
                "no time is written: write a number and a unit, such as `30s`",
                "`999999999999999999999d` adds up to more milliseconds than 64 bits hold: write a \
                 shorter time",
            ]
        );
    }
}
