//! Randomness: numbers and UUIDs.

use ext::{Call, Interval, Uuid, Void};
use types::Result;
use types::datetime::{MICROS_PER_DAY, UNIX_EPOCH_DAYS, arith};

use crate::system::invalid;

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 1598, volatile)]
    pub fn random(call: &mut Call<'_>) -> Result<f64> {
        call.host.random()
    }

    #[ext::function(oid = 1599, volatile)]
    pub fn setseed(call: &mut Call<'_>, seed: f64) -> Result<Void> {
        if !(-1.0..=1.0).contains(&seed) {
            let mut shown = Vec::new();
            types::io::float::format_f64(seed, 1, &mut shown);
            let shown = String::from_utf8_lossy(&shown).into_owned();
            return Err(invalid(format!("setseed parameter {shown} is out of allowed range [-1,1]")));
        }
        call.host.set_seed(seed).map(|()| Void)
    }

    #[ext::function(each(i32 = 6339, i64 = 6340), volatile)]
    pub fn random_between<T: Into<i64> + TryFrom<i64>>(call: &mut Call<'_>, low: T, high: T) -> Result<T> {
        let (low, high): (i64, i64) = (low.into(), high.into());
        if low > high {
            return Err(invalid("lower bound must be less than or equal to upper bound"));
        }
        let span = (high as i128 - low as i128 + 1) as u128;
        // The bias of 2^-64 per value is beyond notice.
        let step = (u128::from(call.host.random_bits()?) * span) >> 64;
        T::try_from((i128::from(low) + step as i128) as i64).map_err(|_| ext::Fail::BigintOutOfRange.into())
    }

    #[ext::function(oid = 6212, volatile)]
    pub fn random_normal(call: &mut Call<'_>, mean: f64, deviation: f64) -> Result<f64> {
        // Box and Muller.
        let u = 1.0 - call.host.random()?;
        let v = call.host.random()?;
        Ok((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos() * deviation + mean)
    }

    fn uuid(mut bytes: [u8; 16], version: u8) -> Uuid {
        bytes[6] = bytes[6] & 0x0f | version << 4;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Uuid(bytes)
    }

    #[ext::function(oid = [3432, 6428], volatile)]
    pub fn random_uuid(call: &mut Call<'_>) -> Result<Uuid> {
        let mut bytes = [0; 16];
        call.host.entropy(&mut bytes)?;
        Ok(uuid(bytes, 4))
    }

    fn uuid_at(call: &mut Call<'_>, micros: i64) -> Result<Uuid> {
        let unix = micros.saturating_add(UNIX_EPOCH_DAYS * MICROS_PER_DAY);
        let mut bytes = [0; 16];
        call.host.entropy(&mut bytes)?;
        bytes[..6].copy_from_slice(&(unix.div_euclid(1000) as u64).to_be_bytes()[2..]);
        // Twelve bits of a millisecond's fraction keep those of one millisecond in order.
        let fraction = (unix.rem_euclid(1000) * 4096 / 1000) as u16;
        bytes[6..8].copy_from_slice(&fraction.to_be_bytes());
        Ok(uuid(bytes, 7))
    }

    #[ext::function(oid = 6429, volatile)]
    pub fn uuid_v7(call: &mut Call<'_>) -> Result<Uuid> {
        let now = call.host.clock_timestamp();
        uuid_at(call, now)
    }

    #[ext::function(oid = 6430, volatile)]
    pub fn uuid_v7_shifted(call: &mut Call<'_>, by: Interval) -> Result<Uuid> {
        let now = call.host.clock_timestamp();
        let at = arith::add_to_timestamptz(now, by, &call.settings.time_zone)?;
        uuid_at(call, at)
    }
}
