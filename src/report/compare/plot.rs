//! The plot of a chapter: bars of minutes by reason, or distribution functions of failover times.

use super::Told;
use super::page::{Chapter, Study, by_reason};
use crate::experiment::compare::{RunComparison, YearComparison};
use crate::measure::statistics::Sample;
use crate::reliability::ideal::Measure;
use plotters::coord::Shift;
use plotters::prelude::*;

/// Size of a panel in pixels.
const PANEL: (u32, u32) = (440, 280);
/// Points of a curve at most.
const POINTS_MAX: usize = 250;
/// One for each side, told apart by everybody (Okabe and Ito).
const COLOURS: [RGBColor; 4] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
];
/// What is drawn of runs, where it happened.
const METRICS: [&str; 4] =
    ["api.write_outage", "api.read_outage", "etcd.election", "scheduler.failover"];

type Area<'a, 'b> = &'a DrawingArea<SVGBackend<'b>, Shift>;

/// The plot as SVG.
///
/// # Errors
///
/// What the drawing library says.
pub fn svg(chapter: &Chapter) -> Result<String, String> {
    match &chapter.study {
        Study::Years(study) => drawn((2, 1), |at, area| {
            bars(area, study, [Measure::ApiWrite, Measure::ApiReadCached][at])
        }),
        Study::Runs(study) => {
            let happened = |metric: &&str| {
                (0..study.about.sides.len()).any(|side| !study.values(side, metric).is_empty())
            };
            let metrics: Vec<&str> = METRICS.iter().copied().filter(happened).collect();
            let rows = metrics.len().div_ceil(2).max(1);
            drawn((2, rows), |at, area| match metrics.get(at) {
                Some(metric) => curves(area, study, metric),
                None => Ok(()),
            })
        }
    }
}

fn drawn(
    (columns, rows): (usize, usize),
    panel: impl Fn(usize, Area) -> Result<(), String>,
) -> Result<String, String> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let size = (PANEL.0 * count(columns), PANEL.1 * count(rows));
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE).map_err(|error| error.to_string())?;
        for (at, area) in root.split_evenly((rows, columns)).iter().enumerate() {
            panel(at, area)?;
        }
        root.present().map_err(|error| error.to_string())?;
    }
    Ok(text)
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn told<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> String {
    error.to_string()
}

/// Minutes down a year by reason, a bar a side.
fn bars(area: Area, study: &YearComparison, measure: Measure) -> Result<(), String> {
    let (names, rows) = (study.names(), by_reason(study, measure));
    let top = rows.iter().flat_map(|(_, minutes)| minutes).fold(0.0_f64, |a, b| a.max(*b));
    let width = rows.len().max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}: minutes down a year", measure.name()), ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(38)
        // The legend lies over the highest quarter, where no bar may reach.
        .build_cartesian_2d(0.0..width, 0.0..(top * 1.4).max(1.0))
        .map_err(told)?;
    let reasons: Vec<&str> = rows.iter().map(|(reason, _)| *reason).collect();
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(5)
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(told)?;
    for (at, reason) in reasons.iter().enumerate() {
        let label =
            Text::new((*reason).to_owned(), (at as f64 + 0.1, -0.03 * top), ("sans-serif", 11));
        chart.plotting_area().draw(&label).map_err(told)?;
    }
    let share = 0.8 / names.len() as f64;
    for (side, name) in names.iter().enumerate() {
        let colour = COLOURS[side % COLOURS.len()];
        let bar = |(at, (_, minutes)): (usize, &(&str, Vec<f64>))| {
            let left = at as f64 + 0.1 + share * side as f64;
            Rectangle::new([(left, 0.0), (left + share * 0.9, minutes[side])], colour.filled())
        };
        chart
            .draw_series(rows.iter().enumerate().map(bar))
            .map_err(told)?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], colour.filled()));
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// The distribution functions of a metric, a curve a side.
fn curves(area: Area, study: &RunComparison, metric: &str) -> Result<(), String> {
    let names = study.names();
    let samples: Vec<Option<Sample>> =
        (0..names.len()).map(|side| Sample::new(study.values(side, metric))).collect();
    let ends = samples.iter().flatten().map(|sample| (sample.min(), sample.quantile(0.998)));
    let (low, high) = ends.fold((f64::MAX, 0.0_f64), |(a, b), (c, d)| (a.min(c), b.max(d)));
    let margin = (high - low).max(1.0) * 0.05;
    let (low, high) = ((low - margin).max(0.0) / 1e3, (high + margin) / 1e3);
    let mut chart = ChartBuilder::on(area)
        .caption(metric, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(34)
        .y_label_area_size(38)
        .build_cartesian_2d(low..high, 0.0..1.02)
        .map_err(told)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&|x| format!("{x:.1}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .x_desc("seconds")
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(told)?;
    for (side, (name, sample)) in names.iter().zip(&samples).enumerate() {
        let Some(sample) = sample else { continue };
        let colour = COLOURS[side % COLOURS.len()];
        chart
            .draw_series(LineSeries::new(steps(sample, (low, high)), colour.stroke_width(2)))
            .map_err(told)?
            .label(format!("{name} (n = {})", sample.count()))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

fn legend<'b, X: Ranged<ValueType = f64> + 'b, Y: Ranged<ValueType = f64> + 'b>(
    chart: &mut ChartContext<'b, SVGBackend<'b>, Cartesian2d<X, Y>>,
    position: SeriesLabelPosition,
) -> Result<(), String> {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(told)
}

/// The corners of an empirical distribution function, in seconds.
fn steps(sample: &Sample, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let values = sample.values();
    let every = values.len().div_ceil(POINTS_MAX);
    let (mut points, mut height) = (vec![(low, 0.0)], 0.0);
    for (at, value) in values.iter().enumerate() {
        if at % every != every - 1 && at + 1 != values.len() {
            continue;
        }
        let (x, reached) = ((value / 1e3).clamp(low, high), sample.ecdf(*value));
        points.extend([(x, height), (x, reached)]);
        height = reached;
    }
    points.push((high, height));
    points
}
