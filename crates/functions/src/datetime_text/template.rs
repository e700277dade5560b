//! The templates of `to_char` and its kin, taken apart.

/// What a field shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    Era,
    Meridiem,
    Century,
    DayName,
    DayShort,
    DayOfYear,
    IsoDayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfWeek,
    /// Digits of the second's fraction.
    Fraction(u8),
    Exact,
    Hour24,
    Hour12,
    IsoWeek,
    IsoYear(u8),
    Julian,
    Minute,
    Month,
    MonthName,
    MonthShort,
    Milliseconds,
    Microseconds,
    Offset,
    Quarter,
    Roman,
    SecondOfDay,
    Second,
    ZoneHours,
    ZoneMinutes,
    Zone,
    Week,
    WeekOfMonth,
    YearComma,
    Year(u8),
}

/// How letters are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    Upper,
    Lower,
    Capital,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub key: Key,
    /// The keyword as written.
    pub name: &'static str,
    pub case: Case,
    /// `FM`: no padding.
    pub fill: bool,
    /// `TM`: names without padding.
    pub localized: bool,
    /// `TH` or `th`.
    pub ordinal: Option<Case>,
}

#[derive(Clone, Debug)]
pub enum Node {
    Field(Field),
    /// Text to copy: quoted, or letters that are no keyword.
    Char(char),
    Separator(char),
    Space(char),
}

macro_rules! keys {
    ($($upper:literal $lower:literal $key:expr;)*) => {
        &[$(($upper, Case::Upper, $key), ($lower, Case::Lower, $key)),*]
    };
}

const KEYS: &[(&str, Case, Key)] = keys! {
    "A.D." "a.d." Key::Era; "AD" "ad" Key::Era; "B.C." "b.c." Key::Era; "BC" "bc" Key::Era;
    "A.M." "a.m." Key::Meridiem; "AM" "am" Key::Meridiem; "P.M." "p.m." Key::Meridiem; "PM" "pm" Key::Meridiem;
    "CC" "cc" Key::Century; "DAY" "day" Key::DayName; "DDD" "ddd" Key::DayOfYear; "DD" "dd" Key::DayOfMonth;
    "DY" "dy" Key::DayShort; "D" "d" Key::DayOfWeek; "FF1" "ff1" Key::Fraction(1); "FF2" "ff2" Key::Fraction(2);
    "FF3" "ff3" Key::Fraction(3); "FF4" "ff4" Key::Fraction(4); "FF5" "ff5" Key::Fraction(5);
    "FF6" "ff6" Key::Fraction(6); "FX" "fx" Key::Exact; "HH24" "hh24" Key::Hour24; "HH12" "hh12" Key::Hour12;
    "HH" "hh" Key::Hour12; "IDDD" "iddd" Key::IsoDayOfYear; "ID" "id" Key::IsoDayOfWeek; "IW" "iw" Key::IsoWeek;
    "IYYY" "iyyy" Key::IsoYear(4); "IYY" "iyy" Key::IsoYear(3); "IY" "iy" Key::IsoYear(2); "I" "i" Key::IsoYear(1);
    "J" "j" Key::Julian; "MI" "mi" Key::Minute; "MM" "mm" Key::Month; "MONTH" "month" Key::MonthName;
    "MON" "mon" Key::MonthShort; "MS" "ms" Key::Milliseconds; "OF" "of" Key::Offset; "Q" "q" Key::Quarter;
    "RM" "rm" Key::Roman; "SSSSS" "sssss" Key::SecondOfDay; "SSSS" "ssss" Key::SecondOfDay; "SS" "ss" Key::Second;
    "TZH" "tzh" Key::ZoneHours; "TZM" "tzm" Key::ZoneMinutes; "TZ" "tz" Key::Zone; "US" "us" Key::Microseconds;
    "WW" "ww" Key::Week; "W" "w" Key::WeekOfMonth; "Y,YYY" "y,yyy" Key::YearComma; "YYYY" "yyyy" Key::Year(4);
    "YYY" "yyy" Key::Year(3); "YY" "yy" Key::Year(2); "Y" "y" Key::Year(1);
};

const CAPITAL: &[(&str, Case, Key)] = &[
    ("Day", Case::Capital, Key::DayName),
    ("Dy", Case::Capital, Key::DayShort),
    ("Month", Case::Capital, Key::MonthName),
    ("Mon", Case::Capital, Key::MonthShort),
];

/// The characters of a quoted part of a template, whose quote was read, and what is behind it. A backslash takes what follows as it is.
pub fn quoted(rest: &str) -> (Vec<char>, &str) {
    let mut text = Vec::new();
    let mut chars = rest.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return (text, &rest[i + 1..]),
            '\\' => text.extend(chars.next().map(|(_, c)| c)),
            c => text.push(c),
        }
    }
    (text, "")
}

/// The longest keyword that `s` begins with.
fn keyword(s: &str) -> Option<(&'static str, Case, Key)> {
    KEYS.iter().chain(CAPITAL).filter(|(name, ..)| s.starts_with(name)).max_by_key(|(name, ..)| name.len()).copied()
}

/// Whether a character separates fields.
pub fn is_separator(c: char) -> bool {
    c.is_ascii_graphic() && !c.is_ascii_alphanumeric()
}

pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Takes a template apart.
pub fn parse(template: &str) -> Vec<Node> {
    let mut stray = None;
    parse_noting(template, &mut stray)
}

/// The first character outside of quotes that is no field and that the SQL standard does not know as a separator.
pub fn stray(template: &str) -> Option<char> {
    let mut stray = None;
    parse_noting(template, &mut stray);
    stray
}

fn parse_noting(template: &str, stray: &mut Option<char>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let (mut fill, mut localized, mut at) = (false, false, rest);
        loop {
            if let Some(more) = at.strip_prefix("FM").or_else(|| at.strip_prefix("fm")) {
                fill = true;
                at = more;
            } else if let Some(more) = at.strip_prefix("TM").or_else(|| at.strip_prefix("tm")) {
                localized = true;
                at = more;
            } else {
                break;
            }
        }
        if let Some((name, case, key)) = keyword(at) {
            at = &at[name.len()..];
            let mut ordinal = None;
            for (suffix, case) in [("TH", Case::Upper), ("th", Case::Lower)] {
                if let Some(more) = at.strip_prefix(suffix) {
                    ordinal = Some(case);
                    at = more;
                    break;
                }
            }
            nodes.push(Node::Field(Field { key, name, case, fill, localized, ordinal }));
            rest = at;
            continue;
        }
        if fill || localized {
            // A prefix of nothing.
            rest = at;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if !"-./,':; \"".contains(c) {
            stray.get_or_insert(c);
        }
        match c {
            '"' => {
                let (text, after) = quoted(rest);
                nodes.extend(text.into_iter().map(Node::Char));
                rest = after;
            }
            '\\' if rest.starts_with('"') => {
                nodes.push(Node::Char('"'));
                rest = &rest[1..];
            }
            c if is_separator(c) => nodes.push(Node::Separator(c)),
            c if is_space(c) => nodes.push(Node::Space(c)),
            c => nodes.push(Node::Char(c)),
        }
    }
    nodes
}

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
