//! Erlang's loss formula: how often a request finds no seat free.

/// The share of Poisson arrivals that find all `seats` taken, where `load` would be taken on average
/// if there were no limit, whatever the law of the time for which one is kept (Erlang B; A. K. Erlang
/// 1917, insensitivity: Sevastyanov 1957). By the recursion `B(s) = a·B(s−1) / (s + a·B(s−1))`.
pub fn erlang_b(seats: u32, load: f64) -> f64 {
    // Seats beyond ten thousand are not told apart: a load that fits there fits.
    (1..=seats.min(10_000)).fold(1.0, |blocked, seat| {
        load * blocked / (f64::from(seat) + load * blocked)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the formula's table values (Erlang B at a load of 1 and of 2, and its limit at no seats).
    #[test]
    fn table_values() {
        assert!((erlang_b(1, 1.0) - 0.5).abs() < 1e-12);
        assert!((erlang_b(2, 1.0) - 0.2).abs() < 1e-12);
        assert!((erlang_b(3, 2.0) - 4.0 / 19.0).abs() < 1e-12);
        assert!((erlang_b(0, 5.0) - 1.0).abs() < 1e-12);
        assert!(erlang_b(400, 200.0) < 1e-9);
    }
}
