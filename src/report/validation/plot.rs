//! The plot of an experiment: for each metric the distribution functions of both samples.

use super::Entry;
use crate::experiment::validation::MetricResult;
use crate::measure::failover::Unit;
use crate::measure::statistics::Sample;
use plotters::coord::Shift;
use plotters::prelude::*;

/// Size of one metric's panel in pixels.
const PANEL: (u32, u32) = (440, 280);
/// Panels side by side.
const COLUMNS: usize = 2;
/// Points of a curve at most: a sample of thousands looks the same with fewer.
const POINTS_MAX: usize = 250;

const MEASURED: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const SIMULATED: RGBColor = RGBColor(0x00, 0x72, 0xb2);

/// The plot as SVG.
///
/// # Errors
///
/// What the drawing library says.
pub fn svg(entry: &Entry) -> Result<String, String> {
    let metrics = &entry.result.metrics;
    let rows = metrics.len().div_ceil(COLUMNS).max(1);
    let columns = COLUMNS.min(metrics.len()).max(1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let size = (PANEL.0 * count(columns), PANEL.1 * count(rows));
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE).map_err(|error| error.to_string())?;
        for (area, metric) in root.split_evenly((rows, columns)).iter().zip(metrics) {
            panel(area, metric)?;
        }
        root.present().map_err(|error| error.to_string())?;
    }
    Ok(text)
}

fn panel(area: &DrawingArea<SVGBackend, Shift>, metric: &MetricResult) -> Result<(), String> {
    let unit = Scale::of(metric);
    let (low, high) = unit.range;
    let told = |error: DrawingAreaErrorKind<_>| error.to_string();
    let mut chart = ChartBuilder::on(area)
        .caption(&metric.measured.name, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(34)
        .y_label_area_size(38)
        .build_cartesian_2d(low..high, 0.0..1.02)
        .map_err(told)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&|x| trimmed(*x))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .x_desc(unit.name)
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(told)?;
    let mut curve = |sample: &Sample, colour: RGBColor, name: &str| -> Result<(), String> {
        let points = steps(sample, unit.factor, (low, high));
        let label = format!("{name} (n = {})", sample.count());
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))
            .map_err(told)?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        Ok(())
    };
    if let Some(simulated) = &metric.simulated {
        curve(simulated, SIMULATED, "simulated")?;
    }
    curve(&metric.measured.sample, MEASURED, "measured")?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(told)
}

/// The horizontal axis.
struct Scale {
    name: &'static str,
    factor: f64,
    range: (f64, f64),
}

impl Scale {
    /// From the least to the greatest measured value and the bulk of the simulated ones.
    fn of(metric: &MetricResult) -> Scale {
        let real = &metric.measured.sample;
        let ends = |sample: &Sample| (sample.quantile(0.002), sample.quantile(0.998));
        let (from, to) = metric.simulated.as_ref().map_or((real.min(), real.max()), ends);
        let (low, high) = (from.min(real.min()), to.max(real.max()));
        let (name, factor) = match metric.measured.unit {
            Unit::Count => ("count", 1.0),
            Unit::Duration if high >= 2_000.0 => ("seconds", 0.001),
            Unit::Duration => ("milliseconds", 1.0),
        };
        let margin = ((high - low) * 0.05).max(if factor < 1.0 { 10.0 } else { 0.5 });
        Scale { name, factor, range: ((low - margin) * factor, (high + margin) * factor) }
    }
}

/// The corners of an empirical distribution function within a range.
fn steps(sample: &Sample, factor: f64, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let values = sample.values();
    let every = values.len().div_ceil(POINTS_MAX);
    let mut points = vec![(low, 0.0)];
    let mut height = 0.0;
    let last = values.len() - 1;
    for (at, value) in values.iter().enumerate() {
        if at % every != every - 1 && at != last {
            continue;
        }
        let x = (value * factor).clamp(low, high);
        let reached = sample.ecdf(*value);
        points.push((x, height));
        points.push((x, reached));
        height = reached;
    }
    points.push((high, height));
    points
}

/// A number of an axis without zeros at the end.
fn trimmed(x: f64) -> String {
    let text = format!("{x:.2}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}
