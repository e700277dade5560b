//! Time zones: names, abbreviations, offsets.

use std::sync::OnceLock;

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::abbreviation::{ABBREVIATIONS, Abbreviation};
use super::{MICROS_PER_DAY, MICROS_PER_SEC, UNIX_EPOCH_DAYS, civil_from_days};

/// The IANA database built into the binary, so that all databases in a process agree on every machine.
fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

/// The zone called `name` in any case: an IANA name or a POSIX rule such as `EST5EDT` or `<+03>-3`.
pub fn find(name: &str) -> Option<TimeZone> {
    if name.is_empty() || name.len() > 255 {
        return None;
    }
    if let Ok(zone) = database().get(name) {
        return Some(zone);
    }
    if !name.is_ascii() || !name.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(zone) = named_offset(name) {
        return Some(zone);
    }
    // PostgreSQL gives a POSIX name with a daylight part the United States' rules.
    let upper = name.to_ascii_uppercase();
    TimeZone::posix(&upper).or_else(|_| TimeZone::posix(&format!("{upper},M3.2.0,M11.1.0"))).ok()
}

/// `<+05:30>-05:30`: a POSIX name for an offset with minutes in it, counted westward.
fn named_offset(name: &str) -> Option<TimeZone> {
    let (label, offset) = name.strip_prefix('<')?.split_once('>')?;
    if !label.contains(':') {
        return None;
    }
    let (west, digits) = match offset.strip_prefix('-') {
        Some(rest) => (false, rest),
        None => (true, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let mut seconds = 0;
    for (part, unit) in digits.split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<u16>().ok().map(i32::from)? * unit;
    }
    fixed(if west { -seconds } else { seconds })
}

/// The names of all zones, in order.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = database().available().map(|n| n.as_str().to_owned()).collect();
    names.sort();
    names
}

/// The zone that `name` means where SQL asks for one: an abbreviation, a name, or a POSIX rule, which may lack its name (`+03`).
pub fn named(name: &str, session: &TimeZone) -> Option<TimeZone> {
    match find_abbreviation(&name.to_ascii_lowercase(), session) {
        Some(Meaning::Fixed(east, _)) => fixed(east),
        Some(Meaning::Dynamic(zone)) => Some(zone),
        None if name.starts_with(['+', '-']) => TimeZone::posix(&format!("<UTC>{name}")).ok(),
        None => find(name),
    }
}

/// A zone of constant offset.
pub fn fixed(east_secs: i32) -> Option<TimeZone> {
    Some(TimeZone::fixed(Offset::from_seconds(east_secs).ok()?))
}

/// What a zone says at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// Seconds east of UTC.
    pub east_secs: i32,
    /// Whether it is daylight saving time.
    pub is_dst: bool,
    /// The abbreviation in use.
    pub abbreviation: String,
}

/// Four centuries: the Gregorian calendar, and with it every rule of a zone, repeats.
const CYCLE_DAYS: i64 = 146_097;

/// Days shifted by whole cycles into the years jiff knows, which end with 9999.
fn folded(days: i64) -> i64 {
    let last = super::days_from_civil(9990, 1, 1);
    if days < last {
        days.max(super::DATE_MIN as i64 - 366)
    } else {
        last - CYCLE_DAYS + (days - last).rem_euclid(CYCLE_DAYS)
    }
}

fn instant(micros: i64) -> jiff::Timestamp {
    let days = folded(micros.div_euclid(MICROS_PER_DAY));
    let unix = (days + UNIX_EPOCH_DAYS) * MICROS_PER_DAY + micros.rem_euclid(MICROS_PER_DAY);
    jiff::Timestamp::from_microsecond(unix).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// Seconds east of UTC at a UTC instant (microseconds since 2000).
pub fn offset_at(zone: &TimeZone, micros: i64) -> i32 {
    zone.to_offset(instant(micros)).seconds()
}

/// All a zone says at a UTC instant (microseconds since 2000).
pub fn at(zone: &TimeZone, micros: i64) -> At {
    let info = zone.to_offset_info(instant(micros));
    At { east_secs: info.offset().seconds(), is_dst: info.dst().is_dst(), abbreviation: info.abbreviation().to_owned() }
}

/// Seconds east of UTC at a local date and time. In a gap the offset before it counts, in an overlap the one after.
pub fn offset_of_local(zone: &TimeZone, days: i64, time_micros: i64) -> i32 {
    let days = folded(days + time_micros.div_euclid(MICROS_PER_DAY));
    let t = time_micros.rem_euclid(MICROS_PER_DAY);
    let (y, m, d) = civil_from_days(days);
    let secs = (t / MICROS_PER_SEC) as i32;
    let local = civil::DateTime::new(
        y as i16,
        m as i8,
        d as i8,
        (secs / 3600) as i8,
        (secs / 60 % 60) as i8,
        (secs % 60) as i8,
        (t % MICROS_PER_SEC * 1000) as i32,
    );
    let Ok(local) = local else { return 0 };
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
        AmbiguousOffset::Gap { before, .. } => before.seconds(),
        AmbiguousOffset::Fold { after, .. } => after.seconds(),
    }
}

/// A local time (microseconds since 2000) in `zone` as a UTC instant; none when out of 64 bits.
pub fn local_to_utc(zone: &TimeZone, local: i64) -> Option<i64> {
    let east = offset_of_local(zone, local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY));
    local.checked_sub(i64::from(east) * MICROS_PER_SEC)
}

/// A UTC instant as local time in `zone`; none when out of 64 bits.
pub fn utc_to_local(zone: &TimeZone, utc: i64) -> Option<i64> {
    utc.checked_add(i64::from(offset_at(zone, utc)) * MICROS_PER_SEC)
}

/// The offset, in seconds east, of a zone that never had another.
pub fn constant_offset(zone: &TimeZone) -> Option<i32> {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let east = zone.to_offset(now);
    let same = zone.to_offset(jiff::Timestamp::MIN) == east
        && zone.preceding(now).all(|t| t.offset() == east)
        && zone.following(now).take(400).all(|t| t.offset() == east);
    same.then(|| east.seconds())
}

/// What an abbreviation means, before a date is known.
pub(crate) enum Meaning {
    /// Seconds east, and whether daylight saving.
    Fixed(i32, bool),
    /// What this zone makes of it, see [`abbreviation_offset`].
    Dynamic(TimeZone),
}

/// Looks `word` (lower case) up: first among the abbreviations the session's zone has used, then in the default set.
pub(crate) fn find_abbreviation(word: &str, session: &TimeZone) -> Option<Meaning> {
    if word.len() > 10 {
        return None;
    }
    if uses(session, word) {
        return Some(Meaning::Dynamic(session.clone()));
    }
    let i = ABBREVIATIONS.binary_search_by(|(name, _)| (*name).cmp(word)).ok()?;
    match ABBREVIATIONS[i].1 {
        Abbreviation::Fixed(east, dst) => Some(Meaning::Fixed(east, dst)),
        Abbreviation::Zone(name) => Some(Meaning::Dynamic(find(name)?)),
    }
}

/// Whether `zone` ever used the abbreviation.
fn uses(zone: &TimeZone, word: &str) -> bool {
    let now = jiff::Timestamp::UNIX_EPOCH;
    zone.to_offset_info(now).abbreviation().eq_ignore_ascii_case(word)
        || zone.to_offset_info(jiff::Timestamp::MIN).abbreviation().eq_ignore_ascii_case(word)
        || zone.preceding(now).any(|t| t.abbreviation().eq_ignore_ascii_case(word))
        || zone.following(now).take(400).any(|t| t.abbreviation().eq_ignore_ascii_case(word))
}

/// Seconds east that the abbreviation stands for around a local time: its latest use by then, else its first use; else
/// the zone's own offset.
pub(crate) fn abbreviation_offset(zone: &TimeZone, word: &str, days: i64, time_micros: i64) -> i32 {
    let here = offset_of_local(zone, days, time_micros);
    let utc = super::micros_from_parts(days, time_micros).unwrap_or(0).saturating_sub(i64::from(here) * MICROS_PER_SEC);
    let t = instant(utc);
    let info = zone.to_offset_info(t);
    if info.abbreviation().eq_ignore_ascii_case(word) {
        return info.offset().seconds();
    }
    let mut before = zone.preceding(t);
    if let Some(used) = before.find(|t| t.abbreviation().eq_ignore_ascii_case(word)) {
        return used.offset().seconds();
    }
    let first = zone.to_offset_info(jiff::Timestamp::MIN);
    if first.abbreviation().eq_ignore_ascii_case(word) {
        return first.offset().seconds();
    }
    let mut after = zone.following(t).take(400);
    after.find(|t| t.abbreviation().eq_ignore_ascii_case(word)).map_or(here, |t| t.offset().seconds())
}
