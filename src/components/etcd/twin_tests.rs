//! Laziness is unobservable: a cluster that takes every tick and sends every heartbeat has the same
//! history, to the nanosecond, as one that computes them.

use super::testing::{Act, Lab, Setup, Shown};
use crate::component::fact::Resource;
use crate::component::lever::Lever;
use crate::component::mail::{Op, Outcome};
use crate::kernel::time::{Duration, Time};
use proptest::prelude::*;

/// What is done to a cluster, and when, in microseconds from the last.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) setup: Setup,
    pub(super) acts: Vec<(u64, Act)>,
}

pub(super) fn one(members: usize) -> impl Strategy<Value = Act> {
    let member = 0..members;
    let lever = prop_oneof![
        3 => Just(Lever::Kill),
        1 => Just(Lever::PowerLoss),
        2 => Just(Lever::Pause),
        3 => Just(Lever::Resume),
        1 => Just(Lever::Stop),
        1 => Just(Lever::StallDisk),
        1 => Just(Lever::FreeDisk),
    ];
    let pair = (0..members, 1..members.max(2)).prop_map(move |(a, step)| (a, (a + step) % members));
    let lag = (0..2_000_000u64).prop_map(Duration::from_micros);
    prop_oneof![
        5 => (member.clone(), lever).prop_map(|(i, lever)| Act::Lever(i, lever)),
        4 => member.clone().prop_map(Act::Start),
        3 => pair.clone().prop_map(|(a, b)| if a == b { Act::Start(a) } else { Act::Cut(a, b) }),
        3 => (pair, lag, any::<bool>()).prop_map(|((a, b), lag, bridged)| {
            if a == b { Act::Start(a) } else { Act::Heal(a, b, lag, bridged) }
        }),
        2 => (member, any::<bool>()).prop_map(|(i, read)| {
            Act::Call(i, 0, if read { Op::Read(Resource::Objects) } else { Op::Write(Resource::Objects) })
        }),
    ]
}

fn histories() -> impl Strategy<Value = History> {
    let shape = (1..=5usize, prop_oneof![Just(4u16), Just(6u16)], any::<u64>(), 1..20_000_000u64);
    shape.prop_flat_map(|(members, minor, seed, nanos)| {
        let gap = prop_oneof![3 => 1..3_000_000u64, 1 => 1..300_000u64, 1 => 1..12_000_000u64];
        proptest::collection::vec((gap, one(members)), 1..14).prop_map(move |acts| History {
            setup: Setup {
                seed,
                delay: Duration::from_nanos(nanos),
                leader: usize::try_from(seed % members as u64).unwrap(),
                ..Setup::new(members, minor)
            },
            acts,
        })
    })
}

/// What a history showed: changes of the members, and what requests got.
pub(super) type Seen = (Vec<(Time, usize, Shown)>, Vec<(Time, u64, Outcome)>);

pub(super) fn play(history: &History, eager: bool) -> (Seen, u64) {
    let mut lab = Lab::new(&Setup { eager, ..history.setup.clone() });
    // The eager members begin with nothing on its way.
    let mut when = Time::at(Duration::from_millis(200));
    for (call, (gap, act)) in history.acts.iter().enumerate() {
        when += Duration::from_nanos(gap * 1000 + 137);
        let act = match act {
            Act::Call(i, _, op) => Act::Call(*i, call as u64, *op),
            act => act.clone(),
        };
        lab.act(when, act);
    }
    lab.run_until(when + Duration::from_secs(20));
    ((lab.trace, lab.replies), lab.steps)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Law: laziness is unobservable.
    #[test]
    fn laziness_is_unobservable(history in histories()) {
        let (lazy, _) = play(&history, false);
        let (eager, _) = play(&history, true);
        let differ = lazy.0.iter().zip(&eager.0).position(|(a, b)| a != b);
        prop_assert_eq!(differ.map(|i| (lazy.0[i], eager.0[i])), None);
        prop_assert_eq!(lazy, eager);
    }
}
