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

/// A cluster's shape, its delay in nanoseconds, its first leader, and what happens.
type Case = ((usize, u16), u64, (u64, usize), Vec<(u64, Act)>);

/// Law: laziness is unobservable where messages are under way just when things change. One history for
/// each thing that a member has to know of them.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of histories")]
fn laziness_is_unobservable_at_the_edges() {
    use Act::{Call, Cut, Heal, Lever as Pull, Start};
    let write = || Op::Write(Resource::Objects);
    let (none, us) = (Duration::ZERO, Duration::from_micros);
    let cases: Vec<(&str, Case)> = vec![
        (
            "the one word for a silent peer is lost on a stream that is being built",
            ((3, 6), 16_409_031, (11_962_562_749_468_833_378, 0), vec![
                (1, Cut(2, 0)),
                (539_658, Heal(1, 2, none, false)),
                (1_253_357, Cut(0, 1)),
                (1, Pull(0, Lever::StallDisk)),
                (931_636, Heal(0, 1, us(268_363), false)),
                (1, Heal(0, 1, none, false)),
                (639_148, Heal(2, 0, us(969_097), false)),
            ]),
        ),
        (
            "a heartbeat is on its way to a member that follows another leader by then",
            ((5, 4), 15_787_589, (5_325_439_015_765_523_751, 1), vec![
                (1_043_761, Cut(3, 1)),
                (431_984, Start(0)),
                (6_310_965, Start(0)),
                (2_216_718, Cut(4, 1)),
                (1_538_179, Start(0)),
                (1_432_453, Cut(1, 0)),
                (1, Heal(2, 3, none, false)),
            ]),
        ),
        (
            "a heartbeat is on its way to a member whose term an old append of its own raises",
            ((3, 4), 13_732_422, (17_445_058_980_063_188_475, 0), vec![
                (529_560, Cut(1, 2)),
                (327_069, Cut(1, 0)),
                (2_038_136, Cut(2, 0)),
                (2_781_801, Heal(2, 0, none, false)),
                (11_137_038, Heal(0, 1, us(261_152), true)),
            ]),
        ),
        (
            "an append arrives before the last heartbeat",
            ((3, 4), 9_131_537, (98_826_926_603_244_256, 1), vec![
                (204_399, Start(0)),
                (696_274, Start(0)),
                (2_644_410, Pull(0, Lever::Resume)),
                (1_776_694, Start(0)),
                (1_321_846, Pull(0, Lever::FreeDisk)),
                (2_903_541, Pull(0, Lever::Resume)),
                (91_333, Cut(0, 1)),
                (953_014, Call(0, 0, write())),
                (4_172_666, Heal(0, 2, none, false)),
                (1_170_160, Start(0)),
                (9_644_588, Heal(1, 0, us(4213), true)),
                (22_476, Cut(1, 2)),
            ]),
        ),
        (
            "the leader's word of a commit is lost to the member that was asked",
            ((4, 6), 19_993_269, (1_646_093_811_659_511_923, 3), vec![
                (1, Pull(0, Lever::Kill)),
                (1, Call(2, 0, write())),
                (40_987, Cut(2, 3)),
            ]),
        ),
        (
            "the member that was asked gets a committed entry from the next leader",
            ((3, 4), 16_252_935, (7_177_384_258_132_115_222, 2), vec![
                (16_753, Cut(0, 1)),
                (11_401, Cut(2, 0)),
                (5_803_578, Start(0)),
                (286_416, Pull(0, Lever::Resume)),
                (1_543_573, Heal(2, 0, us(433_927), false)),
                (1_617_345, Call(1, 0, write())),
                (165_494, Pull(0, Lever::Kill)),
            ]),
        ),
        (
            "ticks are skipped while the disk stalls",
            ((4, 4), 2_463_115, (9_688_518_019_133_337_538, 2), vec![
                (1_195_690, Cut(2, 0)),
                (1_258_082, Pull(1, Lever::Kill)),
                (1_468_147, Call(0, 0, write())),
                (189_280, Pull(0, Lever::Kill)),
                (2_993_244, Heal(0, 3, none, false)),
                (539_206, Start(0)),
                (1, Pull(0, Lever::StallDisk)),
                (1_509_583, Pull(0, Lever::StallDisk)),
                (11_519, Heal(0, 2, us(330_863), false)),
            ]),
        ),
        (
            "a peer that was cut off has been probed before the next entry",
            ((2, 4), 18_952_283, (3_681_925_911_977_421_922, 0), vec![
                (1_569_916, Heal(0, 1, none, false)),
                (1_363_950, Cut(0, 1)),
                (454_869, Heal(0, 1, none, false)),
                (925_842, Call(1, 0, write())),
                (57_857, Pull(0, Lever::Kill)),
            ]),
        ),
        (
            "an answer from before a cut arrives after it",
            ((2, 6), 13_711_941, (14_827_445_731_420_656_760, 0), vec![
                (1_880_735, Cut(0, 1)),
                (13_711, Call(0, 0, write())),
                (1, Heal(0, 1, none, true)),
            ]),
        ),
        (
            "the last word of a leader that died meets a paused follower",
            ((4, 4), 18_778_137, (8_483_937_498_707_583_053, 1), vec![
                (1_077_228, Heal(0, 1, none, false)),
                (149_959, Start(0)),
                (2_821_717, Pull(1, Lever::Kill)),
                (1, Pull(3, Lever::Pause)),
                (1, Heal(0, 1, none, false)),
                (286_903, Pull(3, Lever::Resume)),
            ]),
        ),
    ];
    for (name, ((members, minor), nanos, (seed, leader), acts)) in cases {
        let delay = Duration::from_nanos(nanos);
        let setup = Setup { delay, seed, leader, ..Setup::new(members, minor) };
        let history = History { setup, acts };
        assert_eq!(play(&history, false).0, play(&history, true).0, "{name}");
    }
}
