//! Models that combine features at random, in the words of the oracles.

use hasim::kernel::stream::{Draw, Key, StreamName};
use serde_json::{Value, json};

/// Draws a model.
pub(crate) struct Dice(Draw);

impl Dice {
    pub(crate) fn new(number: u64) -> Self {
        Self(Key::new(20, number).draw(StreamName::of("combinations"), 0, 0))
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    fn among<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[usize::try_from(self.0.below(N as u64)).expect("a small number")]
    }

    /// Between two numbers, evenly on a logarithmic scale, with three decimals.
    fn between(&mut self, low: f64, high: f64) -> Value {
        let drawn = low * libm::pow(high / low, self.0.uniform());
        json!((drawn * 1000.0).round() / 1000.0)
    }

    fn timer(&mut self) -> Value {
        let stages = self.among([1, 2]);
        let kind = if stages == 1 { "exponential" } else { "erlang" };
        json!({ "kind": kind, "stages": stages, "mean_s": self.between(1.0, 60.0) })
    }

    fn pairs(&mut self, count: usize) -> Value {
        let one =
            |_| json!({ "mtbf_h": self.between(100.0, 2000.0), "mttr_h": self.between(1.0, 20.0) });
        (0..count).map(one).collect()
    }

    fn nodes(&mut self, p: &mut Value, count: usize) {
        if p.get("zones").is_none() && self.one_in(5) {
            p["nodes"] = self.pairs(count);
            return;
        }
        if self.one_in(4) {
            let stages = self.among([2, 3]);
            let mean = self.between(100.0, 1000.0);
            p["node_failure"] = json!({ "kind": "erlang", "stages": stages, "mean_h": mean });
        } else {
            p["node_mtbf_h"] = self.between(100.0, 2000.0);
        }
        match self.0.below(5) {
            0 => {
                let mean = self.between(1.0, 20.0);
                p["node_repair"] = json!({ "kind": "erlang", "stages": 2, "mean_h": mean });
            }
            1 => {
                let (short, long) = (self.between(0.1, 1.0), self.between(2.0, 20.0));
                let branches = json!([[0.7, short], [0.3, long]]);
                p["node_repair"] = json!({ "kind": "hyperexponential", "branches": branches });
            }
            _ => p["node_mttr_h"] = self.between(1.0, 20.0),
        }
    }

    fn machines(&mut self, p: &mut Value) {
        let external = self.one_in(4);
        p["topology"] = json!(if external { "external" } else { "stacked" });
        let mut count = self.among([1, 2, 2, 3]);
        if !external && self.one_in(3) {
            let zones = self.among([&[1, 1][..], &[1, 2], &[1, 1, 1]]);
            count = zones.iter().sum();
            p["zones"] = json!(zones);
            p["zone_mtbf_h"] = self.between(500.0, 5000.0);
            p["zone_mttr_h"] = self.between(1.0, 20.0);
            p["zone_outage"] = json!(self.among(["overlay", "crash"]));
            if p["zone_outage"] == "crash" {
                p["zone_boot_mean_h"] = self.between(0.1, 1.0);
            }
        } else {
            p["control_plane_nodes"] = json!(count);
        }
        self.nodes(p, count);
        if external {
            p["etcd_nodes"] = json!(self.among([1, 2, 3]));
            p["etcd_mtbf_h"] = self.between(100.0, 2000.0);
            p["etcd_mttr_h"] = self.between(1.0, 20.0);
        } else if self.one_in(3) {
            p["apiserver_uses_only_local_etcd"] = json!(true);
        }
    }

    fn balancers(&mut self, p: &mut Value) {
        let count = self.among([0, 0, 1, 2]);
        p["load_balancers"] = json!(count);
        if count == 0 {
            if self.one_in(4) {
                let law = |mean: Value| json!({ "kind": "exponential", "mean_s": mean });
                let (fall, rise) = (self.between(1.0, 60.0), self.between(1.0, 60.0));
                p["lb_detection"] = json!({ "fall": law(fall), "rise": law(rise) });
            }
            return;
        }
        if self.one_in(4) {
            p["lbs"] = self.pairs(count);
        } else {
            p["lb_mtbf_h"] = self.between(100.0, 2000.0);
            p["lb_mttr_h"] = self.between(1.0, 20.0);
        }
        let zones = p["zones"].as_array().map_or(0, |zones| zones.len() as u64);
        if zones > 0 && !self.one_in(3) {
            p["lb_zones"] = (0..count).map(|_| json!(self.0.below(zones))).collect();
        }
        let instantaneous = json!({ "kind": "instantaneous" });
        p["vip_failover"] = if self.one_in(3) { instantaneous } else { self.timer() };
    }

    fn processes(&mut self, p: &mut Value) {
        if self.one_in(3) {
            p["api_process_mtbf_h"] = self.between(50.0, 500.0);
            p["api_process_mttr_h"] = self.between(0.01, 1.0);
            if self.one_in(2) {
                p["api_shock_mtbf_h"] = self.between(100.0, 1000.0);
            }
        }
        if self.one_in(4) {
            p["etcd_process_mtbf_h"] = self.between(50.0, 500.0);
            p["etcd_process_mttr_h"] = self.between(0.01, 1.0);
        }
    }

    fn rest(&mut self, p: &mut Value) {
        if self.one_in(3) {
            p["etcd_election"] = self.timer();
        }
        if self.one_in(4) {
            p["etcd_rejoin"] = json!({ "kind": "exponential", "mean_h": self.between(0.1, 2.0) });
        }
        if self.one_in(4) {
            let law = json!({ "kind": "exponential", "mean_s": self.between(5.0, 60.0) });
            p["controller_lease"] = json!({ "takeover": law });
        }
        let balanced = p["load_balancers"] != 0;
        match self.0.below(8) {
            0 | 1 => p["node_repair_crews"] = json!(self.among([1, 2])),
            2 => p["repair_crews"] = json!("1, FCFS"),
            3 if balanced => {
                p["repair_crews"] = json!("one for nodes and load balancers together, FCFS");
            }
            4 | 5 if p["topology"] == "external" => {
                p["repair_crews"] = json!(
                    "one crew for control plane and etcd together, pre-emptive priority to etcd"
                );
            }
            _ => p["repair_crews"] = json!("unlimited"),
        }
    }

    /// A model's parameters.
    pub(crate) fn model(&mut self) -> Value {
        let mut p = json!({});
        self.machines(&mut p);
        self.balancers(&mut p);
        self.processes(&mut p);
        self.rest(&mut p);
        p
    }
}
