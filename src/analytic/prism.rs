//! The chain in the language of the PRISM model checker, so that others can check it.
//!
//! Every state is a number: lumping has taken the names away.

use super::answer::Measured;
use super::chain::Chain;
use std::fmt::Write;

/// The chain as a PRISM model: labels for the services that are up, rewards for their downtime.
pub(super) fn text(chain: &Chain, title: &str, requests: bool) -> String {
    let mut out = format!("// {}\n// Time in hours.\nctmc\n", title.replace('\n', " "));
    let last = chain.len() - 1;
    let _ = writeln!(out, "module cluster\n  s : [0..{}];", last.max(1));
    for (from, row) in chain.rates.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        let targets: Vec<String> =
            row.iter().map(|(to, rate)| format!("{rate:e} : (s'={to})")).collect();
        let _ = writeln!(out, "  [] s={from} -> {};", targets.join(" + "));
    }
    out.push_str("endmodule\n");
    let starts: Vec<usize> = chain.starts.iter().map(|(at, _)| *at).collect();
    let _ = writeln!(out, "init {} endinit", any(starts.into_iter()));
    for (at, measured) in Measured::ALL.into_iter().enumerate() {
        let up = (0..chain.len()).filter(|state| chain.levels[*state].up[at]);
        let name = measured.name().replace('-', "_");
        let _ = writeln!(out, "label \"{name}\" = {};", any(up));
        let _ = writeln!(out, "rewards \"down_{name}\"\n  !\"{name}\" : 1;\nendrewards");
    }
    if requests {
        out.push_str("rewards \"request_loss\"\n");
        for (state, levels) in chain.levels.iter().enumerate() {
            let loss = 1.0 - levels.request_success;
            if loss > 0.0 {
                let _ = writeln!(out, "  s={state} : {loss:e};");
            }
        }
        out.push_str("endrewards\n");
    }
    out
}

/// That the state is one of these: runs of numbers as ranges.
fn any(states: impl Iterator<Item = usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for state in states {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == state => *last = state,
            _ => runs.push((state, state)),
        }
    }
    let text = |(from, to): &(usize, usize)| {
        if from == to { format!("s={from}") } else { format!("(s>={from} & s<={to})") }
    };
    if runs.is_empty() {
        return "false".to_owned();
    }
    runs.iter().map(text).collect::<Vec<_>>().join(" | ")
}
