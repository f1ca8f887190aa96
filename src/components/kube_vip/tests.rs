//! Laws of kube-vip's options. Its election is tested with `lease`, and in whole worlds.

use super::*;
use crate::component::param::Params;
use crate::component::versions::{Version, Versions};
use crate::components::lease::ClientGo;

fn at(minor: u16, major: u16) -> KubeVipParams {
    let versions = Versions { kube_vip: Version::new(major, minor), ..Versions::default() };
    KubeVipParams::defaults(&versions)
}

/// Law: defaults follow the release: 5, 3 and 1 s before 1.1, 15, 10 and 2 s since, with the client-go
/// that was built in.
#[test]
fn releases_differ() {
    let timers = |params: &KubeVipParams| {
        [params.lease_duration, params.renew_deadline, params.retry_period]
    };
    let (old, new) = (at(0, 1), at(1, 1));
    assert_eq!(timers(&old), [5, 3, 1].map(Duration::from_secs));
    assert_eq!(timers(&new), [15, 10, 2].map(Duration::from_secs));
    assert_eq!((old.client_go, new.client_go), (ClientGo::V0_30, ClientGo::V0_34));
    assert!(at(8, 0).announces_at_once && !old.announces_at_once);
    assert_eq!((at(4, 0).client_go, at(6, 0).client_go), (ClientGo::V0_21, ClientGo::V0_27));
}

/// Law: what client-go refuses is refused in the words of kube-vip's manifest.
#[test]
fn contradictions_name_the_options_of_the_manifest() {
    let params = KubeVipParams { lease_duration: Duration::from_secs(5), ..at(1, 1) };
    let problems = params.check();
    assert!(problems[0].fatal && problems[0].field == "vip_leaseduration", "{problems:?}");
    assert!(problems[0].message.contains("vip_renewdeadline"), "{problems:?}");
    assert!(at(1, 1).check().is_empty() && at(0, 1).check().is_empty());
}

/// Law: announcements more often than every 500 ms are made every 3 s.
#[test]
fn announcements_have_a_least_distance() {
    let every = |millis| {
        let arp_rate = Duration::from_millis(millis);
        KubeVipParams { arp_rate, ..at(1, 1) }.announces_every()
    };
    assert_eq!(every(499), Duration::from_secs(3));
    assert_eq!(every(500), Duration::from_millis(500));
}
