//! The numbers of a chain: long-run shares, rates of outages, time to the first outage, the first
//! year.

use super::chain::Chain;
use super::eliminate::Elimination;
use super::number::{Complex, Scalar};

/// A question about a chain with a start after its last state: what is earned from there until
/// leaving for good. States that are not kept are cut off.
fn from_start<T: Scalar>(
    chain: &Chain,
    leave: impl Fn(usize) -> T,
    earned: &dyn Fn(usize) -> Vec<T>,
    keep: &dyn Fn(usize) -> bool,
) -> Option<Vec<T>> {
    let place = &chain.places;
    let count = chain.len();
    let mut rows: Vec<Vec<(usize, T)>> = vec![Vec::new(); count + 1];
    let mut leaves = vec![T::ZERO; count + 1];
    let mut earns = vec![Vec::new(); count + 1];
    for (state, rates) in chain.rates.iter().enumerate() {
        let at = place[state];
        earns[at] = earned(state);
        if keep(state) {
            let within = rates.iter().filter(|(to, _)| keep(*to));
            rows[at].extend(within.map(|(to, rate)| (place[*to], T::real(*rate))));
            leaves[at] = leave(state);
        } else {
            // It is cut off, but must be one that can be left.
            leaves[at] = T::real(1.0);
        }
    }
    earns[count] = vec![T::ZERO; earned(0).len()];
    let starts = chain.starts.iter().filter(|(at, _)| keep(*at));
    rows[count].extend(starts.map(|(at, share)| (place[*at], T::real(*share))));
    Elimination::of(&rows, leaves, earns)?.total_earned()
}

/// The stationary distribution; `None` if the chain does not come back to its first start.
pub(super) fn stationary(chain: &Chain) -> Option<Vec<f64>> {
    let count = chain.len();
    let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
    for (from, to, rate) in chain.entries() {
        rows[chain.places[from]].push((chain.places[to], rate));
    }
    let weights = Elimination::of(&rows, vec![0.0; count], vec![Vec::new(); count])?.stationary();
    Some((0..count).map(|state| weights[chain.places[state]]).collect())
}

/// The mean time, in hours, from the start to the first state that is not `up`; `None` if there is
/// none that can be reached.
pub(super) fn mean_time_to_first(chain: &Chain, up: &dyn Fn(usize) -> bool) -> Option<f64> {
    if chain.starts.iter().any(|(at, _)| !up(*at)) {
        return Some(0.0);
    }
    let sums = from_start(chain, |at| flow_out(chain, at, up), &|_| vec![1.0], up)?;
    sums.first().copied()
}

/// The rate from a state to states that are not `up`.
fn flow_out(chain: &Chain, at: usize, up: &dyn Fn(usize) -> bool) -> f64 {
    chain.rates[at].iter().filter(|(to, _)| !up(*to)).map(|(_, rate)| rate).sum()
}

/// Most steps times rates for which steps are counted one by one.
const UNIFORM_WORK: f64 = 2e7;

/// For each kind of earnings the expected sum over the first `hours`.
pub(super) fn earned_until(
    chain: &Chain,
    hours: f64,
    earned: &dyn Fn(usize) -> Vec<f64>,
) -> Vec<f64> {
    let fastest = chain.rates.iter().map(|row| row.iter().map(|(_, rate)| rate).sum::<f64>());
    let fastest = fastest.fold(0.0, f64::max);
    let entries = chain.entries().count() + chain.len();
    if fastest * hours * entries as f64 <= UNIFORM_WORK {
        return by_steps(chain, hours, fastest, earned);
    }
    by_contour(chain, hours, earned, |_| 0.0, &|_| true)
}

/// The probability that within `hours` a state that is not `up` is reached.
pub(super) fn reached_by(chain: &Chain, hours: f64, up: &dyn Fn(usize) -> bool) -> f64 {
    let earned = |at: usize| vec![flow_out(chain, at, up)];
    by_contour(chain, hours, &earned, |at| flow_out(chain, at, up), up)[0]
}

/// Uniformisation: the chain is looked at in the instants of a Poisson process that is faster than
/// every state; all terms are positive.
pub(super) fn by_steps(
    chain: &Chain,
    hours: f64,
    fastest: f64,
    earned: &dyn Fn(usize) -> Vec<f64>,
) -> Vec<f64> {
    let rate = fastest * 1.02 + f64::MIN_POSITIVE;
    let mean = rate * hours;
    let earns: Vec<Vec<f64>> = (0..chain.len()).map(earned).collect();
    let mut now = vec![0.0; chain.len()];
    for (at, share) in &chain.starts {
        now[*at] = *share;
    }
    let stay: Vec<f64> = chain
        .rates
        .iter()
        .map(|row| 1.0 - row.iter().map(|(_, rate)| rate).sum::<f64>() / rate)
        .collect();
    let mut sums = vec![0.0; earns.first().map_or(0, Vec::len)];
    for more in poisson_tails(mean) {
        for (share, earns) in now.iter().zip(&earns) {
            for (sum, earn) in sums.iter_mut().zip(earns) {
                *sum += more / rate * share * earn;
            }
        }
        let mut next: Vec<f64> = now.iter().zip(&stay).map(|(share, stay)| share * stay).collect();
        for (from, row) in chain.rates.iter().enumerate() {
            for (to, speed) in row {
                next[*to] += now[from] * speed / rate;
            }
        }
        now = next;
    }
    sums
}

/// For each k from 0 the probability that a Poisson number of this mean exceeds k, as far as it
/// matters.
fn poisson_tails(mean: f64) -> Vec<f64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some millions at most, by the limit on steps"
    )]
    let last = (mean + 12.0 * mean.sqrt() + 60.0) as usize;
    let log = |k: usize| k as f64 * libm::log(mean) - mean - libm::lgamma(k as f64 + 1.0);
    let mut tails = vec![0.0; last + 1];
    let mut sum = 0.0;
    for k in (0..=last).rev() {
        tails[k] = sum;
        sum += libm::exp(log(k));
    }
    for tail in &mut tails {
        *tail /= sum;
    }
    tails
}

/// Numbers of points of the contour, from few to many: more see oscillations of longer memory, and
/// lose a few of the last digits.
const POINTS: [u32; 5] = [14, 18, 24, 30, 36];
/// How well two numbers of points have to agree.
const AGREED: f64 = 2e-11;

/// By the inverse Laplace transform along a hyperbola (Weideman and Trefethen 2007): a few linear
/// systems with a complex rate of leaving, whatever the span is and however stiff the chain.
pub(super) fn by_contour(
    chain: &Chain,
    hours: f64,
    earned: &dyn Fn(usize) -> Vec<f64>,
    leave: impl Fn(usize) -> f64,
    keep: &dyn Fn(usize) -> bool,
) -> Vec<f64> {
    let mut best: Vec<f64> = Vec::new();
    let mut closest = f64::INFINITY;
    let mut last: Vec<f64> = Vec::new();
    for points in POINTS {
        let found = contour(chain, hours, points, earned, &leave, keep);
        let apart = found.iter().zip(&last).map(|(new, old)| (new - old).abs() / new.abs());
        let apart = apart.filter(|apart| apart.is_finite()).fold(0.0, f64::max);
        if !last.is_empty() && apart < closest {
            closest = apart;
            best.clone_from(&found);
        }
        if !last.is_empty() && apart < AGREED {
            break;
        }
        last = found;
    }
    best
}

fn contour(
    chain: &Chain,
    hours: f64,
    points: u32,
    earned: &dyn Fn(usize) -> Vec<f64>,
    leave: &impl Fn(usize) -> f64,
    keep: &dyn Fn(usize) -> bool,
) -> Vec<f64> {
    let count = f64::from(points);
    let step = 1.081_792_140 / count;
    let scale = 4.492_075_287 * count / hours;
    let angle = 1.172_104_229_f64;
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let mut sums: Vec<f64> = vec![0.0; earned(0).len()];
    for k in 0..points {
        let u = (f64::from(k) + 0.5) * step;
        let (sinh, cosh) = (libm::sinh(u), libm::cosh(u));
        let at = Complex { re: scale * (1.0 - sin * cosh), im: scale * cos * sinh };
        let slope = Complex { re: -scale * sin * sinh, im: scale * cos * cosh };
        let leaving = |state: usize| at + Complex::real(leave(state));
        let earns = |state: usize| earned(state).into_iter().map(Complex::real).collect();
        let solved = from_start(chain, leaving, &earns, keep).unwrap_or_default();
        let size = libm::exp(at.re * hours);
        let turn =
            Complex { re: size * libm::cos(at.im * hours), im: size * libm::sin(at.im * hours) };
        for (sum, value) in sums.iter_mut().zip(solved) {
            *sum += (turn * slope * value / at).im;
        }
    }
    sums.iter().map(|sum| sum * step / std::f64::consts::PI).collect()
}
