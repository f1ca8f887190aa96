//! Random numbers by name: a draw is a function of who draws, what for and for the how-manieth
//! time, and of nothing else.
//!
//! So a new machine, or one more draw of an old one, leaves all other draws as they were, and two
//! variants of a study stay paired. There is no generator to carry about: numbers are computed
//! from their address by Philox4x32-10, a counter-based generator that passes `BigCrush` (Salmon,
//! Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC11).
//!
//! Absent on purpose: seeding from the environment, and any state that outlives a [`Draw`].

use std::convert::Infallible;

use rand::TryRng;

use super::time::Duration;

/// The name of who draws, as 64 well-mixed bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamName(u64);

impl StreamName {
    /// The stream of `name`, for example `cp1/etcd`. Different texts may in principle collide;
    /// among a thousand names the odds are one in 10¹³.
    pub const fn of(name: &str) -> StreamName {
        // FNV-1a (offset basis and prime of the 64-bit variant), finished by a better mixer.
        let bytes = name.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut index = 0;
        while index < bytes.len() {
            hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            index += 1;
        }
        StreamName(mix(hash))
    }

    /// The stream of part number `index` of this one.
    pub const fn part(self, index: u64) -> StreamName {
        StreamName(mix(self.0 ^ mix(index.wrapping_add(GOLDEN))))
    }
}

/// 2⁶⁴ divided by the golden ratio, odd: the increment of `SplitMix64`.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of `SplitMix64` (Steele, Lea and Flood 2014): a bijection in which every bit of the
/// input reaches every bit of the output.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// All randomness of one trial of a study.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    key: u64,
    base: u64,
}

impl Key {
    /// The randomness of trial number `trial` under `seed`. Trials of one seed never share it:
    /// what is kept is a bijection of the trial number.
    pub fn new(seed: u64, trial: u64) -> Key {
        let [base, key] = philox(u128::from(trial), seed);
        Key { key, base }
    }

    /// The randomness of one part of the trial: of an incident, named by a number of its own. Parts
    /// share nothing with each other, nor with the trial.
    #[must_use]
    pub fn part(self, number: u64) -> Key {
        let [base, key] = philox(u128::from(number) << 64 | u128::from(self.base), self.key);
        Key { key, base }
    }

    /// The draw of `name` for `purpose` that comes at number `occurrence`, which may be asked for
    /// in any order and as often as wanted.
    ///
    /// Each holds 131,072 numbers of 64 bits; beyond them it runs into the next occurrence.
    #[inline]
    pub fn draw(self, name: StreamName, purpose: u32, occurrence: u64) -> Draw {
        // The name is mixed already, so its multiples by purpose meet another's by chance only.
        let who = name.0.wrapping_add(u64::from(purpose).wrapping_mul(GOLDEN));
        // Occurrences beyond 48 bits (numbers of ticks before time zero are such) change the name.
        let far = (occurrence >> 48).wrapping_mul(GOLDEN);
        let high = (who ^ self.base).wrapping_add(far);
        Draw {
            counter: u128::from(high) << 64 | u128::from(occurrence << BLOCK_BITS),
            key: self.key,
            spare: 0,
            has_spare: false,
            quick: false,
        }
    }

    /// A draw of the same address, with other numbers, for samplers that want many and are asked often:
    /// `SplitMix64` (Steele, Lea and Flood 2014; it passes `BigCrush`) from a start that the address is
    /// mixed into. A number is two multiplications, where a block of [`Key::draw`] is twenty in ten
    /// rounds that wait for each other. It has no block to run out of.
    #[inline]
    pub fn quick_draw(self, name: StreamName, purpose: u32, occurrence: u64) -> Draw {
        let who = name.0.wrapping_add(u64::from(purpose).wrapping_mul(GOLDEN));
        let start = mix(self.key ^ mix(who.wrapping_add(occurrence.wrapping_mul(ODD))));
        Draw { counter: 0, key: self.base ^ start, spare: 0, has_spare: false, quick: true }
    }
}

/// Parts occurrences: odd, and unrelated to [`GOLDEN`], by whose multiples numbers and purposes go.
const ODD: u64 = 0xd605_bbb5_8c8a_bb17;

/// Bits of the counter that number the blocks of one draw.
const BLOCK_BITS: u32 = 16;

/// The numbers of one draw, as many as its sampler asks for. A [`rand::Rng`].
#[derive(Clone, Debug)]
pub struct Draw {
    counter: u128,
    key: u64,
    spare: u64,
    has_spare: bool,
    quick: bool,
}

impl Draw {
    /// The next 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        if self.quick {
            self.key = self.key.wrapping_add(GOLDEN);
            return mix(self.key);
        }
        self.bits_of_block()
    }

    fn bits_of_block(&mut self) -> u64 {
        if self.has_spare {
            self.has_spare = false;
            return self.spare;
        }
        let [first, second] = philox(self.counter, self.key);
        self.counter = self.counter.wrapping_add(1);
        self.spare = second;
        self.has_spare = true;
        first
    }

    /// The next four numbers, as [`Draw::bits`] would give them one by one.
    #[inline]
    pub fn four(&mut self) -> [u64; 4] {
        if self.has_spare || self.quick {
            return std::array::from_fn(|_| self.bits());
        }
        let [a, b] = philox(self.counter, self.key);
        let [c, d] = philox(self.counter.wrapping_add(1), self.key);
        self.counter = self.counter.wrapping_add(2);
        [a, b, c, d]
    }

    /// Uniform on [0, 1), a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        uniform_of(self.bits())
    }

    /// Uniform on the whole numbers below `n`, without bias (Lemire 2019: multiply, and reject the
    /// few products that would favour some numbers).
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "no number lies below 0");
        let product = u128::from(self.bits()) * u128::from(n);
        // The remainder is a division, and below n: most products need not know it.
        if low(product) < n { self.below_again(n, product) } else { high(product) }
    }

    #[cold]
    fn below_again(&mut self, n: u64, mut product: u128) -> u64 {
        let threshold = n.wrapping_neg() % n;
        while low(product) < threshold {
            product = u128::from(self.bits()) * u128::from(n);
        }
        high(product)
    }

    /// Uniform on the whole nanoseconds of [`lo`, `hi`); `lo` if the interval is empty.
    ///
    /// # Panics
    ///
    /// If `lo` exceeds `hi`.
    #[inline]
    pub fn uniform_duration(&mut self, lo: Duration, hi: Duration) -> Duration {
        let width = (hi - lo).as_nanos();
        if width == 0 { lo } else { lo + Duration::from_nanos(self.below(width)) }
    }
}

/// A number on [0, 1), a multiple of 2⁻⁵³, of 64 random bits.
#[inline]
pub(super) fn uniform_of(bits: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (bits >> 11) as f64 * STEP
}

impl TryRng for Draw {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(upper(self.bits()))
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.bits().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// Philox4x32 with ten rounds: the block of 128 bits at `counter` under `key`, as two words of 64.
#[inline]
fn philox(counter: u128, key: u64) -> [u64; 2] {
    let mut c =
        [lower(low(counter)), upper(low(counter)), lower(high(counter)), upper(high(counter))];
    let mut k = [lower(key), upper(key)];
    for _ in 0..10 {
        let (p0, p1) = (0xd251_1f53 * u64::from(c[0]), 0xcd9e_8d57 * u64::from(c[2]));
        c = [upper(p1) ^ c[1] ^ k[0], lower(p1), upper(p0) ^ c[3] ^ k[1], lower(p0)];
        k = [k[0].wrapping_add(0x9e37_79b9), k[1].wrapping_add(0xbb67_ae85)];
    }
    [u64::from(c[1]) << 32 | u64::from(c[0]), u64::from(c[3]) << 32 | u64::from(c[2])]
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low(bits: u128) -> u64 {
    bits as u64
}

const fn high(bits: u128) -> u64 {
    low(bits >> 64)
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn lower(bits: u64) -> u32 {
    bits as u32
}

const fn upper(bits: u64) -> u32 {
    lower(bits >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the generator is Philox4x32-10 as published, by the known answers of Random123.
    #[test]
    fn philox_gives_the_published_answers() {
        for (counter, key, answer) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
            let [c0, c1, c2, c3] = counter;
            let counter = u128::from(join(c2, c3)) << 64 | u128::from(join(c0, c1));
            let [a, b] = philox(counter, join(key[0], key[1]));
            assert_eq!([lower(a), upper(a), lower(b), upper(b)], answer);
        }
    }

    /// Law: a draw is a function of its address; asking for others before changes nothing.
    #[test]
    fn unrelated_draws_leave_a_draw_alone() {
        let key = Key::new(1, 2);
        let bits = |key: Key| key.draw(StreamName::of("cp1/etcd"), 3, 4).bits();
        let before = bits(key);
        for other in 0..100 {
            let _ = key.draw(StreamName::of("cp2/etcd"), 3, other).bits();
            let _ = key.draw(StreamName::of("cp1/etcd"), 4, other).bits();
        }
        assert_eq!(bits(key), before);
        assert_eq!(bits(Key::new(1, 2)), before);
    }

    /// Law: no two addresses share their numbers, whichever part of the address differs.
    #[test]
    fn every_part_of_the_address_counts() {
        let mut seen = std::collections::BTreeSet::new();
        let mut addresses = 0;
        for (seed, trial) in [(0, 0), (0, 1), (1, 0), (u64::MAX, 0), (0, u64::MAX)] {
            let key = Key::new(seed, trial);
            for name in ["", "a", "b", "ab", "ba"] {
                for name in [StreamName::of(name), StreamName::of(name).part(0)] {
                    for purpose in [0, 1, u32::MAX] {
                        for occurrence in [0, 1, 1 << 47, 1 << 48, u64::MAX] {
                            let mut draw = key.draw(name, purpose, occurrence);
                            seen.extend((0..4).map(|_| draw.bits()));
                            addresses += 4;
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), addresses);
    }

    /// Law: the bits of a draw belong to its address in every release; studies can be repeated.
    #[test]
    fn draws_are_pinned() {
        let mut draw = Key::new(42, 7).draw(StreamName::of("cp1/etcd"), 1, 0);
        let expected = [0x62c5_7fa7_86cd_1f34, 0xbfbf_3154_6e23_41a6, 0xc82a_e39b_736a_c426];
        assert_eq!([draw.bits(), draw.bits(), draw.bits()], expected);
    }

    /// Law: a quick draw is a function of its address as well, whose parts all count, and four numbers
    /// at once are the next four.
    #[test]
    fn quick_draws_belong_to_their_address() {
        let draw = |key: Key, name, purpose, occurrence| {
            key.quick_draw(StreamName::of(name), purpose, occurrence)
        };
        let key = Key::new(42, 7);
        let numbers: Vec<u64> = (0..4).scan(draw(key, "a", 1, 0), |d, _| Some(d.bits())).collect();
        assert_eq!(numbers[..], draw(key, "a", 1, 0).four());
        for mut other in [
            draw(Key::new(42, 8), "a", 1, 0),
            draw(key, "b", 1, 0),
            draw(key, "a", 2, 0),
            draw(key, "a", 1, 1),
            key.draw(StreamName::of("a"), 1, 0),
        ] {
            assert!(!numbers.contains(&other.bits()));
        }
    }

    /// Law: numbers of neighbouring addresses are uncorrelated and uniform, whichever part of the
    /// address moves; bounds are four standard errors.
    #[test]
    fn neighbouring_addresses_are_independent() {
        const N: u32 = 20_000;
        let name = StreamName::of("cp1");
        let later = |mut draw: Draw| {
            draw.bits();
            draw
        };
        let walks: [(&str, &dyn Fn(u64) -> Draw); 7] = [
            ("quick occurrence", &|n| Key::new(5, 5).quick_draw(name, 0, n)),
            ("later in a quick one", &|n| later(Key::new(5, 5).quick_draw(name, 0, n))),
            ("quick trial", &|n| Key::new(5, n).quick_draw(name, 0, 0)),
            ("trial", &|n| Key::new(5, n).draw(name, 0, 0)),
            ("seed", &|n| Key::new(n, 5).draw(name, 0, 0)),
            ("occurrence", &|n| Key::new(5, 5).draw(name, 0, n)),
            ("part", &|n| Key::new(5, 5).draw(name.part(n), 0, 0)),
        ];
        for (what, walk) in walks {
            let numbers: Vec<f64> = (0..=N).map(|n| walk(u64::from(n)).uniform() - 0.5).collect();
            let n = f64::from(N);
            let mean = numbers.iter().sum::<f64>() / n;
            assert!(mean.abs() < 4.0 * (1.0 / 12.0 / n).sqrt(), "{what}: mean {mean}");
            let products = numbers.windows(2).map(|pair| pair[0] * pair[1] * 12.0);
            let correlation = products.sum::<f64>() / n;
            assert!(correlation.abs() < 4.0 / n.sqrt(), "{what}: correlation {correlation}");
        }
    }

    /// Law: every number below the bound comes equally often, also where the bound is no power
    /// of two (chi-square of six classes, five degrees of freedom; one in 10⁴ exceeds 25.7).
    #[test]
    fn whole_numbers_are_unbiased() {
        const N: u32 = 60_000;
        let mut counts = [0_u32; 6];
        let mut draw = Key::new(1, 1).draw(StreamName::of("dice"), 0, 0);
        for _ in 0..N {
            counts[usize::try_from(draw.below(6)).unwrap()] += 1;
        }
        let expected = f64::from(N) / 6.0;
        let off = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
        let chi_square: f64 = counts.iter().map(off).sum();
        assert!(chi_square < 25.7, "{counts:?}");
        assert_eq!(draw.below(1), 0);
        assert!(draw.below(u64::MAX) < u64::MAX);
    }

    /// Law: a uniform span lies in its half-open interval, and an empty interval has one member.
    #[test]
    fn uniform_spans_keep_their_bounds() {
        let mut draw = Key::new(1, 1).draw(StreamName::of("span"), 0, 0);
        let (lo, hi) = (Duration::from_nanos(10), Duration::from_nanos(13));
        let mut seen = [false; 3];
        for _ in 0..100 {
            let span = draw.uniform_duration(lo, hi) - lo;
            seen[usize::try_from(span.as_nanos()).unwrap()] = true;
        }
        assert_eq!(seen, [true; 3]);
        assert_eq!(draw.uniform_duration(lo, lo), lo);
    }

    /// Law: four numbers at once are the four that would come one by one.
    #[test]
    fn four_are_four() {
        for skipped in 0..3 {
            let mut one = Key::new(3, 4).draw(StreamName::of("cp1"), 0, 9);
            (0..skipped).for_each(|_| {
                one.bits();
            });
            let mut four = one.clone();
            assert_eq!(four.four(), std::array::from_fn(|_| one.bits()));
            assert_eq!(four.bits(), one.bits());
        }
    }

    /// Law: a draw serves as any generator does; bytes are the words it would give.
    #[test]
    fn draws_are_generators() {
        use rand::Rng;
        let draw = Key::new(1, 1).draw(StreamName::of("bytes"), 0, 0);
        let (mut bytes, mut words) = ([0; 12], draw.clone());
        draw.clone().fill_bytes(&mut bytes);
        assert_eq!(bytes[..8], words.next_u64().to_le_bytes());
        assert_eq!(bytes[8..], words.next_u64().to_le_bytes()[..4]);
        assert_eq!(u64::from(draw.clone().next_u32()), draw.clone().bits() >> 32);
    }
}
