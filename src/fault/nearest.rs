//! The nearest valid name to one that is not, for messages.

/// Names less alike than this are no help (Jaro-Winkler, 1 is equal).
const ALIKE: f64 = 0.75;

/// The candidate most like `name`, if one is alike enough.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&lower, &candidate.to_lowercase());
        if likeness >= ALIKE && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a slip of the pen finds its word, and another word finds nothing.
    #[test]
    fn slips_are_found() {
        let verbs = ["stop", "powerOff", "partition"];
        assert_eq!(nearest("poweroff", verbs), Some("powerOff"));
        assert_eq!(nearest("patition", verbs), Some("partition"));
        assert_eq!(nearest("xyz", verbs), None);
    }
}
