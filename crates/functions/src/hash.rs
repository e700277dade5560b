//! Hash functions that SQL can call: Bob Jenkins' lookup3 (public domain), with the start value PostgreSQL gives it, so that
//! values computed there and here agree.

use ext::{Date, Oid, Time, TimeTz, Timestamp, Timestamptz, Uuid};
use types::Result;
use types::datetime::Interval;

const START: u32 = 0x9e37_79b9u32.wrapping_add(3_923_095);

fn mix([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    for (x, y) in [(4, 6), (8, 16), (19, 4)] {
        // Six steps in pairs; the roles go round.
        a = a.wrapping_sub(c) ^ c.rotate_left(x);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(y);
        a = a.wrapping_add(c);
        (a, b, c) = (c, a, b);
    }
    // Three times a third of a turn is none.
    [a, b, c]
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    [a, b, c]
}

fn seeded(len: usize, seed: u64) -> [u32; 3] {
    let s = START.wrapping_add(len as u32);
    if seed == 0 {
        return [s; 3];
    }
    mix([s.wrapping_add((seed >> 32) as u32), s.wrapping_add(seed as u32), s])
}

/// All of the state after `bytes`.
fn state(bytes: &[u8], seed: u64) -> [u32; 3] {
    let mut s = seeded(bytes.len(), seed);
    let mut chunks = bytes.chunks_exact(12);
    for chunk in &mut chunks {
        for (i, word) in chunk.chunks_exact(4).enumerate() {
            s[i] = s[i].wrapping_add(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        }
        s = mix(s);
    }
    for (i, &b) in chunks.remainder().iter().enumerate() {
        // The lowest byte of the last word is left to the length.
        let (word, shift) = if i < 8 { (i / 4, i % 4) } else { (2, i - 8 + 1) };
        s[word] = s[word].wrapping_add(u32::from(b) << (8 * shift));
    }
    finish(s)
}

fn hash_bytes(bytes: &[u8]) -> i32 {
    state(bytes, 0)[2] as i32
}

fn hash_bytes_seeded(bytes: &[u8], seed: i64) -> i64 {
    let [_, b, c] = state(bytes, seed as u64);
    (u64::from(b) << 32 | u64::from(c)) as i64
}

fn hash_word(v: u32) -> i32 {
    let [a, b, c] = seeded(4, 0);
    finish([a.wrapping_add(v), b, c])[2] as i32
}

fn hash_word_seeded(v: u32, seed: i64) -> i64 {
    let [a, b, c] = seeded(4, seed as u64);
    let [_, b, c] = finish([a.wrapping_add(v), b, c]);
    (u64::from(b) << 32 | u64::from(c)) as i64
}

/// Wide integers hash as narrow ones of the same value do.
fn folded(v: i64) -> u32 {
    let (low, high) = (v as u32, (v >> 32) as u32);
    low ^ if v >= 0 { high } else { !high }
}

fn float_bytes(v: f64) -> Option<[u8; 8]> {
    if v == 0.0 {
        return None;
    }
    Some(if v.is_nan() { f64::NAN } else { v }.to_ne_bytes())
}

/// Values that hash as integers.
pub trait Word {
    /// The word that stands for it.
    fn word(self) -> u32;
}

macro_rules! words {
    ($($ty:ty: |$v:ident| $word:expr;)*) => {$(
        impl Word for $ty {
            fn word(self) -> u32 { let $v = self; $word }
        }
    )*};
}
words! {
    bool: |v| v.into();
    i8: |v| i32::from(v) as u32;
    i16: |v| i32::from(v) as u32;
    i32: |v| v as u32;
    i64: |v| folded(v);
    Oid: |v| v.0;
    Date: |v| v.0 as u32;
    Time: |v| folded(v.0);
    Timestamp: |v| folded(v.0);
    Timestamptz: |v| folded(v.0);
    Interval: |v| folded(v.span() as i64);
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(each(
        bool = 6417,
        i8 = 454,
        i16 = 449,
        i32 = 450,
        i64 = 949,
        Oid = 453,
        Date = 6415,
        Time = 1688,
        Timestamp = 2039,
        Timestamptz = 6425,
        Interval = 1697
    ))]
    pub fn of_word<T: Word>(v: T) -> i32 {
        hash_word(v.word())
    }

    #[ext::function(each(
        bool = 6418,
        i8 = 446,
        i16 = 441,
        i32 = 425,
        i64 = 442,
        Oid = 445,
        Date = 6416,
        Time = 3409,
        Timestamp = 3411,
        Timestamptz = 6426,
        Interval = 3418
    ))]
    pub fn of_word_seeded<T: Word>(v: T, seed: i64) -> i64 {
        hash_word_seeded(v.word(), seed)
    }

    #[ext::function(oid = [400, 455, 6413])]
    pub fn of_bytes(v: &[u8]) -> i32 {
        hash_bytes(v)
    }

    #[ext::function(oid = [448, 447, 6414])]
    pub fn of_bytes_seeded(v: &[u8], seed: i64) -> i64 {
        hash_bytes_seeded(v, seed)
    }

    #[ext::function(oid = 1080)]
    pub fn of_bpchar(v: &[u8]) -> i32 {
        hash_bytes(types::compare::trim_blanks(v))
    }

    #[ext::function(oid = 972)]
    pub fn of_bpchar_seeded(v: &[u8], seed: i64) -> i64 {
        hash_bytes_seeded(types::compare::trim_blanks(v), seed)
    }

    #[ext::function(each(f32 = 451, f64 = 452))]
    pub fn of_float<T: Into<f64>>(v: T) -> i32 {
        float_bytes(v.into()).map_or(0, |b| hash_bytes(&b))
    }

    #[ext::function(each(f32 = 443, f64 = 444))]
    pub fn of_float_seeded<T: Into<f64>>(v: T, seed: i64) -> i64 {
        float_bytes(v.into()).map_or(seed, |b| hash_bytes_seeded(&b, seed))
    }

    #[ext::function(oid = 2963)]
    pub fn of_uuid(v: Uuid) -> i32 {
        hash_bytes(&v.0)
    }

    #[ext::function(oid = 3412)]
    pub fn of_uuid_seeded(v: Uuid, seed: i64) -> i64 {
        hash_bytes_seeded(&v.0, seed)
    }

    #[ext::function(oid = 1696)]
    pub fn of_timetz(v: TimeTz) -> i32 {
        hash_word(folded(v.micros)) ^ hash_word(v.west as u32)
    }

    #[ext::function(oid = 3410)]
    pub fn of_timetz_seeded(v: TimeTz, seed: i64) -> Result<i64> {
        Ok(hash_word_seeded(folded(v.micros), seed) ^ hash_word_seeded(v.west as u32, seed))
    }
}
