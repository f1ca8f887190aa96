//! Quorum mathematics: the probability that a majority of voters is up.
//!
//! Voters fail independently of each other; those of one zone also fail with it. Probabilities of
//! failure are sums of positive terms, never a difference from one, so that they keep their digits
//! however small they are.
//!
//! Absent on purpose: time. How long an outage lasts needs rates: see the chain.

/// Hours of a year: 365 days, as availabilities are commonly stated.
pub const HOURS_PER_YEAR: f64 = 8_760.0;

/// Most voters that the sums are made for; etcd advises no more than 7.
pub const MEMBERS_MAX: usize = 99;

/// One number of voters that are up, and how probable it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// How many are up.
    pub up: usize,
    /// How many choices of that many there are.
    pub ways: f64,
    /// The probability of exactly that many.
    pub probability: f64,
}

/// What a number of voters is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Votes {
    /// How many voters in each zone; one number where zones do not matter.
    pub zones: Vec<usize>,
    /// All of them.
    pub members: usize,
    /// How many make a majority.
    pub quorum: usize,
    /// How many may fail.
    pub tolerates: usize,
    /// Whether a majority is left after the loss of any one zone.
    pub survives_a_zone: bool,
    /// The probability that a majority is up.
    pub with_quorum: f64,
    /// The probability that none is.
    pub without_quorum: f64,
}

impl Votes {
    /// `members` voters, each up with probability `availability`.
    pub fn of(members: usize, availability: f64) -> Self {
        Self::in_zones(&[members], availability, 1.0)
    }

    /// Voters in zones, `zones[i]` of them in the i-th, each zone up with probability `zone`.
    pub fn in_zones(zones: &[usize], availability: f64, zone: f64) -> Self {
        let members = zones.iter().sum();
        let quorum = members / 2 + 1;
        let up = numbers_up(zones, availability, zone);
        Self {
            zones: zones.to_vec(),
            members,
            quorum,
            tolerates: members - quorum.min(members),
            survives_a_zone: zones.iter().all(|lost| members - lost >= quorum),
            with_quorum: up[quorum..].iter().rev().sum(),
            without_quorum: up[..quorum].iter().sum(),
        }
    }

    /// Hours a year without a quorum.
    pub fn hours_down(&self) -> f64 {
        self.without_quorum * HOURS_PER_YEAR
    }
}

/// Every number of voters that can be up, each with its probability: the terms of the sum.
pub fn terms(members: usize, availability: f64) -> Vec<Term> {
    let probabilities = binomial(members, availability);
    let term = |(up, probability)| Term { up, ways: choices(members, up), probability };
    probabilities.into_iter().enumerate().map(term).collect()
}

/// `members` spread over `zones` as evenly as possible, the fuller zones first.
pub fn evenly(members: usize, zones: usize) -> Vec<usize> {
    (0..zones).map(|zone| members / zones + usize::from(zone < members % zones)).collect()
}

/// The probability of each number of voters up, over all zones: the convolution of the zones.
fn numbers_up(zones: &[usize], availability: f64, zone: f64) -> Vec<f64> {
    zones.iter().fold(vec![1.0], |sum, members| {
        let mut one: Vec<f64> =
            binomial(*members, availability).into_iter().map(|p| p * zone).collect();
        one[0] += 1.0 - zone;
        convolved(&sum, &one)
    })
}

fn convolved(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            sum[i + j] += x * y;
        }
    }
    sum
}

/// The binomial law: the probability of each number from 0 to `members`.
fn binomial(members: usize, availability: f64) -> Vec<f64> {
    (0..members).fold(vec![1.0], |sum, _| convolved(&sum, &[1.0 - availability, availability]))
}

fn choices(of: usize, taken: usize) -> f64 {
    (0..taken).fold(1.0, |ways, i| ways * (of - i) as f64 / (i + 1) as f64).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64, digits: f64) {
        let error = (got / expected - 1.0).abs();
        assert!(error < digits, "{got} instead of {expected}: relative error {error}");
    }

    /// Law: the sum over minorities of the binomial law, to the digits published for it.
    #[test]
    fn unavailability_of_independent_members_is_the_binomial_tail() {
        let published = [
            (1, 0.99, 0.01),
            (2, 0.99, 0.0199),
            (3, 0.9, 0.028),
            (3, 0.99, 2.980e-4),
            (3, 0.9999, 2.9998e-8),
            (4, 0.99, 5.9203e-4),
            (4, 0.999, 5.992_003e-6),
            (5, 0.9, 0.00856),
            (5, 0.99, 9.8506e-6),
            (5, 0.999, 9.985_006e-9),
            (7, 0.99, 3.416_698e-7),
            (7, 0.9999, 3.49916e-15),
        ];
        for (members, availability, expected) in published {
            close(Votes::of(members, availability).without_quorum, expected, 2e-5);
        }
    }

    /// Law: two zones for three members are worse than one, three are far better (members up
    /// 0.999, zones 0.9995).
    #[test]
    fn two_zones_are_worse_than_one() {
        let published = [
            (vec![3], 5.030e-4),
            (vec![2, 1], 5.040e-4),
            (vec![1, 1, 1], 6.739e-6),
            (vec![3, 2], 5.015e-4),
            (vec![2, 2, 1], 3.757e-6),
            (vec![1; 5], 3.364e-8),
        ];
        for (zones, expected) in published {
            close(Votes::in_zones(&zones, 0.999, 0.9995).without_quorum, expected, 2e-4);
        }
        assert!(!Votes::in_zones(&[2, 1], 0.999, 0.9995).survives_a_zone);
        assert!(Votes::in_zones(&[1, 1, 1], 0.999, 0.9995).survives_a_zone);
    }

    /// Law: probabilities of all numbers sum to one, and a term counts its choices.
    #[test]
    fn the_terms_are_a_distribution() {
        for members in 1..=MEMBERS_MAX {
            let sum: f64 = terms(members, 0.9).iter().map(|term| term.probability).sum();
            close(sum, 1.0, 1e-13);
        }
        let ways: Vec<f64> = terms(5, 0.5).iter().map(|term| term.ways).collect();
        assert_eq!(ways, [1.0, 5.0, 10.0, 10.0, 5.0, 1.0]);
    }

    /// Law: an even spread leaves no zone with two members more than another.
    #[test]
    fn members_are_spread_evenly() {
        assert_eq!(evenly(3, 2), [2, 1]);
        assert_eq!(evenly(5, 3), [2, 2, 1]);
        assert_eq!(evenly(4, 1), [4]);
    }
}
