//! The exact answer as text and as JSON.

use super::layout::{WIDTH, columns, wrap};
use super::style::{Styled, Tone};
use crate::analytic::answer::{Answer, ServiceAnswer};
use crate::analytic::importance::Importance;
use crate::plan::Plan;
use serde_json::{Value, json};

/// Most parts in the table of importance.
const PARTS_SHOWN: usize = 12;

/// The answer for people.
pub fn text(plan: &Plan, answer: &Answer, important: &[Importance]) -> Vec<Styled> {
    let mut lines = vec![Styled::of(plan.name.clone(), Tone::Heading)];
    lines.extend(wrap(&plan.description, WIDTH).into_iter().map(Styled::plain));
    let about = format!(
        "Exact solution of a Markov chain of {} states and {} rates",
        answer.states, answer.rates
    );
    lines.push(Styled::of(about, Tone::Dim));
    lines.push(Styled::default());
    let long_run: Vec<Vec<String>> = answer.services.iter().map(long_run).collect();
    let head = ["SERVICE", "AVAILABILITY", "NINES", "MIN/YEAR", "OUTAGES/YEAR", "MEAN OUTAGE"];
    lines.push(Styled::of("In the long run", Tone::Heading));
    lines.extend(columns(&head, &long_run).into_iter().map(Styled::plain));
    lines.push(Styled::default());
    let first: Vec<Vec<String>> = answer.services.iter().map(first_year).collect();
    let head = ["SERVICE", "FIRST OUTAGE AFTER", "IN FIRST YEAR", "DOWN, FIRST YEAR"];
    lines.push(Styled::of("From the start, everything up and new", Tone::Heading));
    lines.extend(columns(&head, &first).into_iter().map(Styled::plain));
    if !important.is_empty() {
        lines.push(Styled::default());
        lines.push(Styled::of(
            "What api-write hangs on (parts taken as independent)",
            Tone::Heading,
        ));
        let head = ["PART", "BIRNBAUM", "FUSSELL-VESELY", "RAW", "RRW"];
        let mut sorted: Vec<&Importance> = important.iter().collect();
        sorted.sort_by(|one, other| other.fussell_vesely.total_cmp(&one.fussell_vesely));
        let rows: Vec<Vec<String>> =
            sorted.iter().take(PARTS_SHOWN).map(|part| part_row(part)).collect();
        lines.extend(columns(&head, &rows).into_iter().map(Styled::plain));
    }
    if let Some(requests) = &answer.requests {
        lines.push(Styled::default());
        let lost = format!(
            "Requests sent once to a server in rotation: {:.6e} are lost in the long run, {:.6e} in the first year",
            requests.loss, requests.first_year_loss
        );
        lines.extend(wrap(&lost, WIDTH).into_iter().map(Styled::plain));
    }
    lines
}

fn part_row(part: &Importance) -> Vec<String> {
    let number = |value: f64| if value.is_finite() { short(value) } else { "∞".to_owned() };
    vec![
        part.part.clone(),
        number(part.birnbaum),
        number(part.fussell_vesely),
        number(part.raw),
        number(part.rrw),
    ]
}

fn long_run(service: &ServiceAnswer) -> Vec<String> {
    vec![
        service.measured.name().to_owned(),
        percent(service.unavailability),
        if service.unavailability > 0.0 {
            format!("{:.2}", service.nines())
        } else {
            "∞".to_owned()
        },
        short(service.minutes_per_year()),
        short(service.outages_per_year),
        service.mean_outage_hours.map_or_else(|| "–".to_owned(), span),
    ]
}

fn first_year(service: &ServiceAnswer) -> Vec<String> {
    vec![
        service.measured.name().to_owned(),
        service.mttf_hours.map_or_else(|| "never".to_owned(), span),
        service
            .first_year_outage
            .map_or_else(|| "–".to_owned(), |p| format!("{} %", short(p * 100.0))),
        span(service.first_year_down * crate::analytic::answer::YEAR_HOURS),
    ]
}

/// An availability with as many digits as tell it from 100 %.
fn percent(unavailability: f64) -> String {
    if unavailability <= 0.0 {
        return "100 %".to_owned();
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 3 and 15 by the clamp"
    )]
    let digits = (1.0 - libm::log10(unavailability)).clamp(3.0, 15.0) as usize;
    format!("{:.digits$} %", 100.0 * (1.0 - unavailability))
}

/// Four significant digits.
fn short(value: f64) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    let size = libm::floor(libm::log10(value));
    if !(-4.0..7.0).contains(&size) {
        return format!("{value:.3e}");
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 7 by the check above"
    )]
    let digits = (3.0 - size).clamp(0.0, 7.0) as usize;
    format!("{value:.digits$}")
}

/// Hours in a unit that suits them.
fn span(hours: f64) -> String {
    let secs = hours * 3_600.0;
    match secs {
        secs if secs < 0.001 => format!("{} ms", short(secs * 1e3)),
        secs if secs < 120.0 => format!("{} s", short(secs)),
        secs if secs < 7_200.0 => format!("{} min", short(secs / 60.0)),
        _ if hours < 48.0 => format!("{} h", short(hours)),
        _ if hours < 17_520.0 => format!("{} d", short(hours / 24.0)),
        _ => format!("{} years", short(hours / 8_760.0)),
    }
}

/// The answer for programs. Times are in hours, shares from 0 to 1.
pub fn result(
    plan: &Plan,
    answer: &Answer,
    cuts: &[Vec<String>],
    important: &[Importance],
) -> Value {
    let services = answer.services.iter();
    let services: serde_json::Map<String, Value> = services
        .map(|service| (service.measured.name().to_owned(), service_value(service)))
        .collect();
    let mut value = json!({
        "scenario": plan.name,
        "method": "Markov chain, lumped by symmetry; elimination without subtraction",
        "states": answer.states,
        "rates": answer.rates,
        "yearHours": crate::analytic::answer::YEAR_HOURS,
        "services": services,
    });
    let parts = important.iter().map(|part| {
        json!({
            "part": part.part,
            "unavailability": part.unavailability,
            "birnbaum": part.birnbaum,
            "fussellVesely": part.fussell_vesely,
            "riskAchievementWorth": part.raw,
            "riskReductionWorth": part.rrw.is_finite().then_some(part.rrw),
        })
    });
    value["apiWrite"] = json!({ "cutSets": cuts, "importance": parts.collect::<Vec<_>>() });
    if let Some(requests) = &answer.requests {
        value["requests"] = json!({
            "success": requests.success,
            "loss": requests.loss,
            "firstYearLoss": requests.first_year_loss,
        });
    }
    value
}

fn service_value(service: &ServiceAnswer) -> Value {
    json!({
        "availability": service.availability,
        "unavailability": service.unavailability,
        "nines": (service.unavailability > 0.0).then(|| service.nines()),
        "minutesPerYear": service.minutes_per_year(),
        "outagesPerYear": service.outages_per_year,
        "meanOutageHours": service.mean_outage_hours,
        "mttfHours": service.mttf_hours,
        "firstYearUp": service.first_year_up,
        "firstYearDown": service.first_year_down,
        "firstYearOutageProbability": service.first_year_outage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: numbers keep four digits, and availabilities as many nines as they have.
    #[test]
    fn numbers_are_short_but_not_wrong() {
        assert_eq!(short(0.207_737_17), "0.2077");
        assert_eq!(short(12_345.6), "12346");
        assert_eq!(short(1.25e-12), "1.250e-12");
        assert_eq!(percent(4.749e-5), "99.99525 %");
        assert_eq!(span(42_500.0), "4.852 years");
        assert_eq!(span(0.5), "30.00 min");
    }
}
