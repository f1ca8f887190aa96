//! The model without time: which parts there are, how often each is down, and the state in which
//! some of them are.

use super::model::Model;

impl Model {
    /// Everything that fails, with the share of time for which it is down by itself: parts, then
    /// outages.
    pub(super) fn failing(&self) -> Vec<(String, f64)> {
        let of_part = |part: &super::model::PartModel| {
            let rate: f64 = part.clocks.iter().map(|clock| 1.0 / clock.phases.mean()).sum();
            let down = part
                .clocks
                .iter()
                .map(|clock| part.repairs[clock.repair].phases.mean() / clock.phases.mean());
            let down: f64 = down.sum::<f64>() / rate.max(f64::MIN_POSITIVE);
            (part.name.clone(), down * rate / (1.0 + down * rate))
        };
        let outages = self.outages.iter().map(|outage| {
            let (up, down) = (outage.failure.mean(), outage.repair.mean());
            (outage.name.clone(), down / (up + down))
        });
        self.parts.iter().map(of_part).chain(outages).collect()
    }

    /// The same model with timers that take no time.
    pub(super) fn without_timers(&self) -> Model {
        let mut model = self.clone();
        model.vip = None;
        model.election = None;
        model.manager = None;
        model.scheduler = None;
        model
    }

    /// The state in which these of [`Model::failing`] are down and all else is up.
    pub(super) fn with_down(&self, set: &[usize]) -> Vec<u16> {
        let mut state = vec![0; self.width];
        for at in set {
            if let Some(part) = self.parts.get(*at) {
                state[part.slot] = part.ups();
                continue;
            }
            let outage = &self.outages[*at - self.parts.len()];
            state[outage.slot] = super::model::narrow(outage.failure.len());
            let machines = outage.hosts.iter().filter_map(|host| self.hosts[*host].machine);
            for machine in machines.filter(|_| outage.crash) {
                state[self.parts[machine].slot] = self.parts[machine].waiting();
            }
        }
        state
    }
}
