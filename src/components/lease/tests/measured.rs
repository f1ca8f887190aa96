//! Against measured failovers: kube-scheduler and kube-controller-manager 1.20.2, three of each, local
//! API servers, SIGKILL of both leaders at an instant that is random with respect to every timer.

use super::arena::{Arena, Layout};
use super::{ClientGo, DEFAULTS, election, seconds, since_start};
use crate::components::testing::two_samples;
use crate::kernel::time::Duration;

/// Fault to the next holder's visible update, in seconds: 55 trials of both programs, sorted.
const MEASURED: [f64; 110] = [
    13.9814, 14.1093, 14.1290, 14.2552, 14.3127, 14.5029, 14.5231, 14.5995, 14.7739, 14.7777,
    14.7793, 14.8996, 14.9687, 14.9783, 15.0825, 15.1139, 15.2405, 15.2492, 15.2697, 15.3157,
    15.3602, 15.3659, 15.4186, 15.4351, 15.4382, 15.4568, 15.5025, 15.5139, 15.5701, 15.5852,
    15.6062, 15.6253, 15.6646, 15.6772, 15.7392, 15.7994, 15.8135, 15.8143, 15.8414, 15.9285,
    15.9414, 15.9920, 16.1022, 16.1044, 16.1068, 16.1264, 16.1511, 16.1942, 16.2178, 16.2411,
    16.2936, 16.3072, 16.3311, 16.3372, 16.3479, 16.3705, 16.3830, 16.4285, 16.4563, 16.4895,
    16.5910, 16.6139, 16.6328, 16.6368, 16.6452, 16.6810, 16.9086, 16.9291, 16.9395, 16.9979,
    17.0086, 17.0236, 17.0834, 17.1111, 17.1453, 17.1615, 17.2362, 17.2605, 17.2629, 17.2659,
    17.2903, 17.3187, 17.3273, 17.3352, 17.3909, 17.4256, 17.4397, 17.4413, 17.4747, 17.5212,
    17.5281, 17.6826, 17.7436, 17.8170, 17.8368, 17.8503, 17.9553, 18.0374, 18.0419, 18.1949,
    18.2727, 18.3965, 18.5748, 18.9489, 19.1844, 19.2537, 19.2654, 19.3477, 19.5254, 21.6582,
];

/// Law: simulated failovers cannot be told from the measured ones (Kolmogorov-Smirnov, 1 %, 10,000
/// against 110). The laboratory's API took about 5 ms a read and 8 ms a write.
#[test]
fn failovers_are_as_measured() {
    let mut layout = Layout::of(election(DEFAULTS, ClientGo::V0_20), 3);
    layout.read = Duration::from_millis(5);
    layout.write = Duration::from_millis(8);
    let mut simulated: Vec<f64> = (0..10_000)
        .map(|trial| {
            let mut arena = Arena::new(&layout, trial);
            arena.kill(0);
            arena.run_while(seconds(30.0), |arena| arena.takeover().is_none());
            since_start(arena.takeover().unwrap().0)
        })
        .collect();
    let (distance, critical) = two_samples(&mut simulated, &mut MEASURED.to_vec());
    assert!(distance < critical, "distance {distance:.3}, critical {critical:.3}");
}
