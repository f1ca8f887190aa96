//! What instruments make of an instant.
//!
//! A client's schedule is part of the simulation: it sees what its requests met, gaps in steps of its
//! interval. A mark in a log has the log's clock, so a simulated mark is rounded to it. What a watch
//! tells comes a little late, which cannot be undone by rounding; its resolution widens verdicts only.

use super::data::{Instrument, Measured};
use crate::measure::failover::Unit;

/// The value that the measurement's instrument would have told for a simulated one.
pub fn told(measured: &Measured, simulated: f64) -> f64 {
    let step = measured.resolution_ms;
    let rounds =
        measured.unit == Unit::Duration && measured.instrument == Instrument::Log && step > 0.0;
    if rounds { libm::round(simulated / step) * step } else { simulated }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::statistics::Sample;

    fn measured(instrument: Instrument, unit: Unit) -> Measured {
        let sample = Sample::new(vec![1.0]).unwrap();
        let name = "x.y".to_owned();
        Measured { name, unit, definition: String::new(), sample, instrument, resolution_ms: 2.0 }
    }

    /// Law: only spans between marks of a log are rounded, to the nearest step.
    #[test]
    fn marks_are_rounded() {
        let told = |instrument, unit| told(&measured(instrument, unit), 4_017.3);
        assert!((told(Instrument::Log, Unit::Duration) - 4_018.0).abs() < 1e-9);
        for (instrument, unit) in [
            (Instrument::Client, Unit::Duration),
            (Instrument::Watch, Unit::Duration),
            (Instrument::Log, Unit::Count),
        ] {
            assert!((told(instrument, unit) - 4_017.3).abs() < 1e-9);
        }
    }
}
