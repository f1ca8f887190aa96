//! Many trials in parallel, the same result whatever the number of threads.
//!
//! Trials are cut into blocks of fixed size; each block is folded in the order of its trials, and the
//! blocks are joined in their order. So even sums of floats do not depend on who computed what.
//!
//! A trial that panics (a bug of hasim) is left out and told, with what is needed to replay it; the
//! others stand.
//!
//! Absent on purpose: what a trial is.

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Trials in a block: few enough to share among threads, enough to make joining cheap. Part of the
/// result, as floating sums depend on it.
const BLOCK: u64 = 16;

/// Blocks whose results are held before they are joined.
const WAVE: u64 = 4_096;

/// Which trials, and on how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// The seed that all trials share.
    pub seed: u64,
    /// How many trials, numbered from 0.
    pub trials: u64,
    /// Threads to use; `None`: as many as the machine has cores.
    pub threads: Option<usize>,
}

/// A trial that ended in a panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its number.
    pub trial: u64,
    /// The seed.
    pub seed: u64,
    /// What the panic said.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { trial, seed, message } = self;
        write!(
            f,
            "trial {trial} panicked ({message}); replay it with --seed {seed} --trial {trial}"
        )
    }
}

/// What became of the trials.
#[derive(Clone, Debug)]
pub struct Folded<A> {
    /// The fold over all trials that ended well.
    pub total: A,
    /// The others, in order.
    pub failures: Vec<Failure>,
}

/// Threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {threads} threads: {reason}")]
pub struct NoThreads {
    threads: usize,
    reason: String,
}

/// How the results of trials become one.
pub trait Fold<T>: Send {
    /// Adds the next trial's result.
    fn add(&mut self, trial: u64, result: T);

    /// Adds what a later block has.
    fn absorb(&mut self, later: Self);
}

/// Results as they come, in order of trials.
impl<T: Send> Fold<T> for Vec<T> {
    fn add(&mut self, _trial: u64, result: T) {
        self.push(result);
    }

    fn absorb(&mut self, later: Self) {
        self.extend(later);
    }
}

/// Runs every trial and folds the results. `progress` hears, from any thread, of each trial that ended.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn fold<T, A: Fold<T> + Default>(
    sampling: &Sampling,
    run: impl Fn(u64) -> T + Sync,
    progress: &(dyn Fn() + Sync),
) -> Result<Folded<A>, NoThreads> {
    let threads = sampling.threads.unwrap_or(0);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| NoThreads { threads, reason: error.to_string() })?;
    let mut all = Folded { total: A::default(), failures: Vec::new() };
    let blocks = sampling.trials.div_ceil(BLOCK);
    let mut from = 0;
    while from < blocks {
        let wave = from..blocks.min(from + WAVE);
        from = wave.end;
        let block = |number: u64| block(sampling, number, &run, progress);
        let done: Vec<Folded<A>> = pool.install(|| wave.into_par_iter().map(block).collect());
        for later in done {
            all.total.absorb(later.total);
            all.failures.extend(later.failures);
        }
    }
    Ok(all)
}

fn block<T, A: Fold<T> + Default>(
    sampling: &Sampling,
    number: u64,
    run: &(impl Fn(u64) -> T + Sync),
    progress: &(dyn Fn() + Sync),
) -> Folded<A> {
    let mut folded = Folded { total: A::default(), failures: Vec::new() };
    for trial in trials_of(number, sampling.trials) {
        // A trial shares nothing with others but what it only reads.
        match catch_unwind(AssertUnwindSafe(|| run(trial))) {
            Ok(result) => folded.total.add(trial, result),
            Err(panic) => {
                let message = message(panic.as_ref());
                folded.failures.push(Failure { trial, seed: sampling.seed, message });
            }
        }
        progress();
    }
    folded
}

fn trials_of(block: u64, trials: u64) -> Range<u64> {
    block * BLOCK..trials.min((block + 1) * BLOCK)
}

/// What a panic said, on one line.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default, Debug, PartialEq)]
    struct Sum(f64, u64);

    impl Fold<f64> for Sum {
        fn add(&mut self, _trial: u64, result: f64) {
            self.0 += result;
            self.1 += 1;
        }

        fn absorb(&mut self, later: Self) {
            self.0 += later.0;
            self.1 += later.1;
        }
    }

    fn sampling(trials: u64, threads: usize) -> Sampling {
        Sampling { seed: 1, trials, threads: Some(threads) }
    }

    /// Law: the same bits for any number of threads, though floating sums depend on their order.
    #[test]
    fn threads_change_nothing() {
        let run = |trial: u64| 1.0 / (trial as f64 + 0.7);
        let sum = |threads| fold::<_, Sum>(&sampling(70_001, threads), run, &|| {}).unwrap().total;
        let one = sum(1);
        assert_eq!(one.1, 70_001);
        for threads in [2, 3, 7] {
            assert_eq!(sum(threads).0.to_bits(), one.0.to_bits(), "{threads}");
        }
    }

    /// Law: results come in the order of trials, each once, and progress hears of each.
    #[test]
    fn results_are_in_order() {
        let heard = AtomicU64::new(0);
        let hear = || {
            heard.fetch_add(1, Ordering::Relaxed);
        };
        let found: Folded<Vec<u64>> = fold(&sampling(1_000, 3), |trial| trial, &hear).unwrap();
        assert_eq!(found.total, (0..1_000).collect::<Vec<_>>());
        assert_eq!(heard.load(Ordering::Relaxed), 1_000);
    }

    /// Law: a panic costs its own trial only, and says how to replay it.
    #[test]
    fn a_panic_is_told_and_costs_one_trial() {
        let run = |trial: u64| {
            assert!(trial != 33, "two leaders\nin term 4");
            trial
        };
        let found: Folded<Vec<u64>> = fold(&sampling(40, 2), run, &|| {}).unwrap();
        assert_eq!(found.total.len(), 39);
        assert_eq!(
            found.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["trial 33 panicked (two leaders in term 4); replay it with --seed 1 --trial 33"]
        );
    }
}
