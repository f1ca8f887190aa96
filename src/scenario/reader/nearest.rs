//! The valid word that a misspelled one was most likely meant to be.

/// The nearest of the valid words; `None` if none is near enough to have been meant.
///
/// Words that differ only in case or separators (`lease_duration`, `leaseDuration`) are the same
/// word in another software's spelling; otherwise about a third of the letters may be wrong.
pub fn nearest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = bare(word);
    let distance = |candidate: &&str| strsim::damerau_levenshtein(&wanted, &bare(candidate));
    let best = valid.into_iter().min_by_key(distance)?;
    let far = bare(best).chars().count().max(wanted.chars().count()) / 3;
    (distance(&best) <= far).then_some(best)
}

/// Without case and separators. Long words are cut: what is compared must stay cheap.
fn bare(word: &str) -> String {
    const COMPARED_MAX: usize = 64;
    let letters = word.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' '));
    letters.flat_map(char::to_lowercase).take(COMPARED_MAX).collect()
}

/// Words as a message lists them: `a`, `b` and `c`.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>, and: &str) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {and} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: slips and other spellings find their word; words that were not meant are not offered.
    #[test]
    fn slips_find_their_word() {
        let valid = ["leaseDuration", "renewDeadline", "retryPeriod", "at", "for", "pre-vote"];
        for (word, meant) in [
            ("leaseDuraton", Some("leaseDuration")),
            ("lease-duration", Some("leaseDuration")),
            ("LEASE_DURATION", Some("leaseDuration")),
            ("renewDaedline", Some("renewDeadline")),
            ("fro", Some("for")),
            ("preVote", Some("pre-vote")),
            ("colour", None),
            ("by", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, valid), meant, "{word}");
        }
        assert_eq!(nearest("x", []), None);
    }

    /// Law: lists read as sentences do.
    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(["a"], "or"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(listed([], "or"), "none");
    }
}
