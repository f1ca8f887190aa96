//! Which parts matter: minimal cut sets, and the importance of each part to a service.
//!
//! Parts are taken as independent here, each down for its own share of time, and timers as taking no
//! time: what counts is which combinations of failed parts take the service down.

use std::collections::BTreeSet;

/// Most parts for which every combination is looked at.
const WHOLE_MAX: usize = 14;
/// Most parts that are down at once in a combination, where there are more parts than that.
const ORDER_MAX: usize = 4;

/// How much a part matters to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The part's name.
    pub part: String,
    /// Its own unavailability.
    pub unavailability: f64,
    /// Birnbaum: the probability that the service hangs on it.
    pub birnbaum: f64,
    /// Fussell and Vesely: the share of the service's downtime in which it has a part.
    pub fussell_vesely: f64,
    /// Risk achievement worth: how many times the downtime if it were always down.
    pub raw: f64,
    /// Risk reduction worth: by how many times the downtime falls if it were never down. Infinite if
    /// nothing would be left of it.
    pub rrw: f64,
}

/// Each combination of parts that are down, few first, as far as they are looked at.
fn combinations(count: usize) -> Vec<Vec<usize>> {
    let most = if count <= WHOLE_MAX { count } else { ORDER_MAX };
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..most {
        let to = found.len();
        for at in from..to {
            let next = found[at].last().map_or(0, |last| last + 1);
            for part in next..count {
                let mut more = found[at].clone();
                more.push(part);
                found.push(more);
            }
        }
        from = to;
    }
    found
}

/// The minimal cut sets and the importance of each part. `down` tells whether the service is down
/// when these parts are.
pub(super) fn importance(
    parts: &[(String, f64)],
    down: &dyn Fn(&[usize]) -> bool,
) -> (Vec<Vec<usize>>, Vec<Importance>) {
    let failing: Vec<Vec<usize>> =
        combinations(parts.len()).into_iter().filter(|set| down(set)).collect();
    let mut cuts: Vec<BTreeSet<usize>> = Vec::new();
    for set in &failing {
        let set: BTreeSet<usize> = set.iter().copied().collect();
        if !cuts.iter().any(|cut| cut.is_subset(&set)) {
            cuts.push(set);
        }
    }
    // With one part's unavailability replaced, none of it but its own factor changes.
    let total = |fixed: Option<(usize, f64)>| -> f64 {
        let share = |at: usize| match fixed {
            Some((part, share)) if part == at => share,
            _ => parts[at].1,
        };
        let probability = |set: &Vec<usize>| -> f64 {
            (0..parts.len())
                .map(|at| if set.contains(&at) { share(at) } else { 1.0 - share(at) })
                .product()
        };
        failing.iter().map(probability).sum()
    };
    let base = total(None);
    let of = |at: usize| {
        let (without, with) = (total(Some((at, 0.0))), total(Some((at, 1.0))));
        let (part, unavailability) = parts[at].clone();
        Importance {
            part,
            unavailability,
            birnbaum: with - without,
            fussell_vesely: unavailability * (with - without) / base,
            raw: with / base,
            rrw: base / without,
        }
    };
    let cuts = cuts.into_iter().map(|cut| cut.into_iter().collect()).collect();
    (cuts, (0..parts.len()).map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the members of a majority of equals matter as the closed forms say: of three with
    /// availability 0.99 2 p (1 − p), of five 6 p² (1 − p)².
    #[test]
    fn majorities_have_their_birnbaum_importance() {
        for (count, least, expected) in [(3_usize, 2_usize, 0.0198), (5, 3, 5.8806e-4)] {
            let parts: Vec<(String, f64)> = (0..count).map(|at| (at.to_string(), 0.01)).collect();
            let (cuts, found) = importance(&parts, &|set| set.len() >= least);
            assert!((found[0].birnbaum / expected - 1.0).abs() < 1e-12, "{:?}", found[0]);
            assert!(cuts.iter().all(|cut| cut.len() == least));
            let ways = if count == 3 { 3 } else { 10 };
            assert_eq!(cuts.len(), ways);
        }
    }

    /// Law: what alone takes everything down has all of the downtime.
    #[test]
    fn a_single_point_of_failure_has_all_of_it() {
        let parts = vec![("lb1".to_owned(), 1e-3), ("cp1".to_owned(), 1e-2)];
        let (cuts, found) = importance(&parts, &|set| set.contains(&0));
        assert_eq!(cuts, [vec![0]]);
        assert!((found[0].fussell_vesely - 1.0).abs() < 1e-12 && found[0].rrw.is_infinite());
        assert!(found[1].fussell_vesely.abs() < 1e-12 && (found[1].raw - 1.0).abs() < 1e-12);
    }
}
