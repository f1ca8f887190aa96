//! Random numbers by name: a draw is a function of who draws, what for and for the how-manieth
//! time, and of nothing else.
//!
//! So a new machine, or one more draw of an old one, leaves all other draws as they were, and two
//! variants of a study stay paired. There is no generator to carry about: numbers are computed
//! from their address by Philox4x32-10, a counter-based generator that passes BigCrush (Salmon,
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

/// 2⁶⁴ divided by the golden ratio, odd: the increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection in which every bit of the
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

    /// The draw of `name` for `purpose` that comes at number `occurrence`, which may be asked for
    /// in any order and as often as wanted.
    ///
    /// Each holds 131,072 numbers of 64 bits; beyond them it runs into the next occurrence.
    #[inline]
    pub fn draw(self, name: StreamName, purpose: u32, occurrence: u64) -> Draw {
        let who = mix(name.0.wrapping_add(u64::from(purpose).wrapping_mul(GOLDEN)));
        // Occurrences beyond 48 bits (numbers of ticks before time zero are such) change the name.
        let far = (occurrence >> 48).wrapping_mul(GOLDEN);
        let high = (who ^ self.base).wrapping_add(far);
        Draw {
            counter: u128::from(high) << 64 | u128::from(occurrence << BLOCK_BITS),
            key: self.key,
            spare: 0,
            has_spare: false,
        }
    }
}

/// Bits of the counter that number the blocks of one draw.
const BLOCK_BITS: u32 = 16;

/// The numbers of one draw, as many as its sampler asks for. A [`rand::Rng`].
#[derive(Clone, Debug)]
pub struct Draw {
    counter: u128,
    key: u64,
    spare: u64,
    has_spare: bool,
}

impl Draw {
    /// The next 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
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

    /// Uniform on [0, 1), a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.bits() >> 11) as f64 * STEP
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
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            if low(product) >= threshold {
                return high(product);
            }
        }
    }

    /// Uniform on the whole nanoseconds of [`lo`, `hi`); `lo` if the interval is empty.
    ///
    /// # Panics
    ///
    /// If `lo` exceeds `hi`.
    pub fn uniform_duration(&mut self, lo: Duration, hi: Duration) -> Duration {
        let width = (hi - lo).as_nanos();
        if width == 0 { lo } else { lo + Duration::from_nanos(self.below(width)) }
    }
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
