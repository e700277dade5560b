//! The words of date and interval input. PostgreSQL manual, appendix B.3 and section 8.5.

/// A word in a date or time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    Month(i32),
    Weekday,
    Now,
    Today,
    Yesterday,
    Tomorrow,
    Epoch,
    Infinity,
    NegInfinity,
    AllBalls,
    Am,
    Pm,
    Bc,
    Ad,
    /// `dst`: the zone before it is an hour ahead.
    Dst,
    Noise,
    /// `t`: a time follows.
    TimePrefix,
    /// `j`, `jd`, `julian`: a Julian day follows.
    Julian,
    /// A field name that has no meaning in input.
    Unit,
}

/// Only this many letters count.
const SIGNIFICANT: usize = 10;

fn significant(word: &str) -> &str {
    word.get(..SIGNIFICANT).unwrap_or(word)
}

/// Looks up a word of date and time input, in lower case.
pub(crate) fn word(text: &str) -> Option<Word> {
    Some(match significant(text) {
        "jan" | "january" => Word::Month(1),
        "feb" | "february" => Word::Month(2),
        "mar" | "march" => Word::Month(3),
        "apr" | "april" => Word::Month(4),
        "may" => Word::Month(5),
        "jun" | "june" => Word::Month(6),
        "jul" | "july" => Word::Month(7),
        "aug" | "august" => Word::Month(8),
        "sep" | "sept" | "september" => Word::Month(9),
        "oct" | "october" => Word::Month(10),
        "nov" | "november" => Word::Month(11),
        "dec" | "december" => Word::Month(12),
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "weds" | "wednesday" | "thu"
        | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat" | "saturday" => Word::Weekday,
        "now" => Word::Now,
        "today" => Word::Today,
        "yesterday" => Word::Yesterday,
        "tomorrow" => Word::Tomorrow,
        "epoch" => Word::Epoch,
        "infinity" | "+infinity" => Word::Infinity,
        "-infinity" => Word::NegInfinity,
        "allballs" => Word::AllBalls,
        "am" => Word::Am,
        "pm" => Word::Pm,
        "bc" => Word::Bc,
        "ad" => Word::Ad,
        "dst" => Word::Dst,
        "at" | "on" => Word::Noise,
        "t" => Word::TimePrefix,
        "j" | "jd" | "julian" => Word::Julian,
        "d" | "dow" | "doy" | "h" | "isodow" | "isoyear" | "m" | "mm" | "s" | "y" => Word::Unit,
        _ => return None,
    })
}

/// A unit of interval input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Ago,
    Noise,
    Infinity,
    NegInfinity,
    /// A zone field: a word, but no unit of intervals.
    Zone,
}

/// Looks up a unit, in lower case.
pub(crate) fn unit(text: &str) -> Option<Unit> {
    Some(match significant(text) {
        "us" | "usec" | "usecond" | "useconds" | "usecs" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecond" | "mseconds" | "msecs" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "second" | "seconds" | "secs" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "qtr" | "quarter" => Unit::Quarter,
        "y" | "year" | "years" | "yr" | "yrs" => Unit::Year,
        "dec" | "decade" | "decades" | "decs" => Unit::Decade,
        "c" | "cent" | "centuries" | "century" => Unit::Century,
        "mil" | "mils" | "millennia" | "millennium" => Unit::Millennium,
        "ago" => Unit::Ago,
        "@" => Unit::Noise,
        "infinity" | "+infinity" => Unit::Infinity,
        "-infinity" => Unit::NegInfinity,
        "timezone" | "timezone_h" | "timezone_m" => Unit::Zone,
        _ => return None,
    })
}
