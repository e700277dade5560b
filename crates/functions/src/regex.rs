//! Regular expressions.

mod translate;

use std::cell::RefCell;

use ext::Call;
use fancy_regex::{Captures, Regex};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input, MatchKind};
use types::array::Array;
use types::{Datum, Result, SqlError, SqlState, oid};

use self::translate::{Flags, bad, translate};
use crate::text::{characters, offset};

/// A compiled pattern, kept from row to row.
struct Compiled {
    pattern: String,
    flags: Flags,
    regex: Regex,
    longest: Option<Longest>,
}

/// Finds the longest match at a place, where alternatives may differ in length; the pattern then matches that length exactly.
struct Longest {
    dfa: DFA,
    cache: RefCell<Cache>,
    exact: Regex,
}

impl Longest {
    /// None where it would change nothing, or cannot be built: lookaround, back references, lazy quantifiers.
    fn of(translated: &str) -> Option<Longest> {
        if !translated.contains('|') || ["*?", "+?", "??", "}?"].iter().any(|lazy| translated.contains(lazy)) {
            return None;
        }
        let config = DFA::config().match_kind(MatchKind::All).skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build(translated).ok()?;
        let cache = RefCell::new(dfa.create_cache());
        let (flags, rest) = match translated.strip_prefix("(?").and_then(|t| t.split_once(')')) {
            Some((f, rest)) if f.bytes().all(|b| b.is_ascii_lowercase()) => (format!("(?{f})"), rest),
            _ => (String::new(), translated),
        };
        let exact = Regex::new(&format!("{flags}(?:{rest})\\z")).ok()?;
        Some(Longest { dfa, cache, exact })
    }

    fn end(&self, s: &str, start: usize) -> Option<usize> {
        let input = Input::new(s).span(start..s.len()).anchored(Anchored::Yes);
        let found = self.dfa.try_search_fwd(&mut self.cache.borrow_mut(), &input).ok()?;
        found.map(|m| m.offset())
    }
}

fn compile(pattern: &str, flags: Flags) -> Result<Compiled> {
    let translated = translate(pattern, flags)?;
    let regex = Regex::new(&translated).map_err(|e| bad(&e.to_string()))?;
    Ok(Compiled { pattern: pattern.to_owned(), flags, regex, longest: Longest::of(&translated) })
}

impl Compiled {
    /// The first match from byte `at` on, as long as it can be.
    fn captures_from<'s>(&self, s: &'s str, at: usize) -> Result<Option<Captures<'s>>> {
        let Some(m) = self.regex.captures_from_pos(s, at).map_err(failed)? else { return Ok(None) };
        let (Some(longest), Some(whole)) = (&self.longest, m.get(0)) else { return Ok(Some(m)) };
        match longest.end(s, whole.start()) {
            Some(end) if end > whole.end() => {
                let exact = longest.exact.captures_from_pos(&s[..end], whole.start()).map_err(failed)?;
                Ok(Some(exact.unwrap_or(m)))
            }
            _ => Ok(Some(m)),
        }
    }
}

/// A pattern that texts are tested against outside of SQL.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a regular expression of PostgreSQL's.
    ///
    /// # Errors
    /// `2201B`.
    pub fn new(pattern: &str) -> Result<Pattern> {
        matcher(pattern, "").map(Pattern)
    }

    /// Whether there is a match anywhere in `text`. One that takes too long is none.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text).unwrap_or(false)
    }
}

/// A pattern that is only tested, with flags as of `regexp_like`.
pub(crate) fn matcher(pattern: &str, flags: &str) -> Result<Regex> {
    Ok(compile(pattern, Flags::parse(flags)?)?.regex)
}

/// The pattern of this call, compiled once.
fn compiled<'c>(call: &'c mut Call<'_>, pattern: &str, flags: Flags) -> Result<&'c Compiled> {
    let flags = flags.of_pattern();
    Ok(call.memo(|c: &Compiled| c.flags == flags && c.pattern == pattern, || compile(pattern, flags))?)
}

fn failed(e: fancy_regex::Error) -> SqlError {
    SqlError::new(SqlState::INVALID_REGULAR_EXPRESSION, format!("regular expression failed: {e}"))
}

fn test(call: &mut Call<'_>, s: &str, pattern: &str, flags: Flags) -> Result<bool> {
    compiled(call, pattern, flags)?.regex.is_match(s).map_err(failed)
}

/// Whether a `~` of this sign.
fn without_global(flags: &str, function: &str) -> Result<Flags> {
    let f = Flags::parse(flags)?;
    if f.global {
        let message = format!("{function} does not support the \"global\" option");
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    Ok(f)
}

/// Where to look on after a match: one character further when it was empty.
fn after(s: &str, start: usize, end: usize) -> usize {
    if start < end { end } else { end + s[end..].chars().next().map_or(1, char::len_utf8) }
}

/// Every match from byte `from` on.
fn matches<'s>(regex: &Compiled, s: &'s str, from: usize, limit: usize) -> Result<Vec<Captures<'s>>> {
    let (mut found, mut at) = (Vec::new(), from);
    while at <= s.len() && found.len() < limit {
        let Some(m) = regex.captures_from(s, at)? else { break };
        let Some(whole) = m.get(0) else { break };
        at = after(s, whole.start(), whole.end());
        found.push(m);
    }
    Ok(found)
}

/// What a match gives: its groups, or the whole when it has none.
fn groups(m: &Captures<'_>) -> Array {
    let value = |i: usize| m.get(i).map_or(Datum::Null, |g| Datum::text(g.as_str()));
    let values = if m.len() == 1 { vec![value(0)] } else { (1..m.len()).map(value).collect() };
    Array::one_dimensional(oid::TEXT, values)
}

/// Appends `template` with `\1` ... `\9`, `\&` and `\\` replaced.
fn expand(out: &mut String, template: &str, m: &Captures<'_>) {
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\');
            return;
        };
        match c {
            '1'..='9' => out.push_str(m.get(c as usize - '0' as usize).map_or("", |g| g.as_str())),
            '&' => out.push_str(m.get(0).map_or("", |g| g.as_str())),
            '\\' => out.push('\\'),
            _ => {
                out.push('\\');
                continue;
            }
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push_str(rest);
}

/// Replaces the `n`th match from byte `from` on, or all when `n` is 0.
fn replaced(regex: &Compiled, s: &str, by: &str, from: usize, n: usize) -> Result<String> {
    let (mut out, mut done, mut at, mut seen) = (String::with_capacity(s.len()), 0, from, 0);
    while at <= s.len() {
        let Some(m) = regex.captures_from(s, at)? else { break };
        let Some(whole) = m.get(0) else { break };
        seen += 1;
        at = after(s, whole.start(), whole.end());
        if n > 0 && seen < n {
            continue;
        }
        out.push_str(&s[done..whole.start()]);
        expand(&mut out, by, &m);
        done = whole.end();
        if n > 0 {
            break;
        }
    }
    out.push_str(&s[done..]);
    Ok(out)
}

/// The pieces between matches; empty matches at the ends, and right after another, split nothing.
fn split(regex: &Compiled, s: &str) -> Result<Vec<String>> {
    let (mut parts, mut done) = (Vec::new(), 0);
    for m in matches(regex, s, 0, usize::MAX)? {
        let Some(whole) = m.get(0) else { break };
        if whole.start() >= s.len() || whole.end() <= done {
            continue;
        }
        parts.push(s[done..whole.start()].to_owned());
        done = whole.end();
    }
    parts.push(s[done..].to_owned());
    Ok(parts)
}

fn check(name: &str, value: i32, least: i32, most: i32) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let message = format!("invalid value for parameter \"{name}\": {value}");
    Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

fn start_at(s: &str, start: i32) -> Result<usize> {
    check("start", start, 1, i32::MAX)?;
    let n = start as usize - 1;
    // Beyond the end there is no match, not even an empty one.
    Ok(if n > characters(s) { s.len() + 1 } else { offset(s, n) })
}

fn text_array(parts: Vec<String>) -> Array {
    Array::one_dimensional(oid::TEXT, parts.into_iter().map(Datum::from).collect())
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = [79, 1254])]
    pub fn equal(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default())
    }

    #[ext::function(oid = [1252, 1256])]
    pub fn not_equal(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default()).map(|m| !m)
    }

    #[ext::function(oid = [1238, 1240])]
    pub fn equal_ignoring_case(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default().ignoring_case())
    }

    #[ext::function(oid = [1239, 1241])]
    pub fn not_equal_ignoring_case(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default().ignoring_case()).map(|m| !m)
    }

    #[ext::function(oid = 1658)]
    pub fn bpchar_equal(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default())
    }

    #[ext::function(oid = 1659)]
    pub fn bpchar_not_equal(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default()).map(|m| !m)
    }

    #[ext::function(oid = 1656)]
    pub fn bpchar_equal_ignoring_case(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default().ignoring_case())
    }

    #[ext::function(oid = 1657)]
    pub fn bpchar_not_equal_ignoring_case(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default().ignoring_case()).map(|m| !m)
    }

    fn first_part(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Option<String>> {
        let regex = compiled(call, pattern, Flags::default())?;
        let found = regex.captures_from(s, 0)?;
        Ok(found.and_then(|m| m.get(usize::from(m.len() > 1)).map(|g| g.as_str().to_owned())))
    }

    #[ext::function(oid = 2073)]
    pub fn substring(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Option<String>> {
        first_part(call, s, pattern)
    }

    #[ext::function(oid = 2074)]
    pub fn substring_similar(call: &mut Call<'_>, s: &str, pattern: &str, escape: &str) -> Result<Option<String>> {
        first_part(call, s, &crate::pattern::similar(pattern, Some(escape))?)
    }

    #[ext::function(oid = 2284)]
    pub fn replace(call: &mut Call<'_>, s: &str, pattern: &str, by: &str) -> Result<String> {
        replaced(compiled(call, pattern, Flags::default())?, s, by, 0, 1)
    }

    #[ext::function(oid = 2285)]
    pub fn replace_flags(call: &mut Call<'_>, s: &str, pattern: &str, by: &str, flags: &str) -> Result<String> {
        if flags.starts_with(|c: char| c.is_ascii_digit()) {
            let message = format!("invalid regular expression option: \"{}\"", &flags[..1]);
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message).hint(
                "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer \
                 explicitly.",
            ));
        }
        let flags = Flags::parse(flags)?;
        replaced(compiled(call, pattern, flags)?, s, by, 0, usize::from(!flags.global))
    }

    #[ext::function(oid = 6253)]
    pub fn replace_from(call: &mut Call<'_>, s: &str, pattern: &str, by: &str, start: i32) -> Result<String> {
        replace_nth(call, s, pattern, by, start, 1)
    }

    #[ext::function(oid = 6252)]
    pub fn replace_nth(call: &mut Call<'_>, s: &str, pattern: &str, by: &str, start: i32, n: i32) -> Result<String> {
        let from = start_at(s, start)?;
        check("n", n, 0, i32::MAX)?;
        replaced(compiled(call, pattern, Flags::default())?, s, by, from, n as usize)
    }

    #[ext::function(oid = 6251)]
    pub fn replace_nth_flags(
        call: &mut Call<'_>,
        s: &str,
        pattern: &str,
        by: &str,
        start: i32,
        n: i32,
        flags: &str,
    ) -> Result<String> {
        let from = start_at(s, start)?;
        check("n", n, 0, i32::MAX)?;
        // Which match is said by `n`, not by the flag.
        let flags = Flags::parse(flags)?;
        replaced(compiled(call, pattern, flags)?, s, by, from, n as usize)
    }

    #[ext::function(oid = 3396)]
    pub fn first_match(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Option<Array>> {
        let regex = compiled(call, pattern, Flags::default())?;
        Ok(regex.captures_from(s, 0)?.map(|m| groups(&m)))
    }

    #[ext::function(oid = 3397)]
    pub fn first_match_flags(call: &mut Call<'_>, s: &str, pattern: &str, flags: &str) -> Result<Option<Array>> {
        let flags = without_global(flags, "regexp_match()").map_err(|e| {
            if e.message().contains("global") { e.hint("Use the regexp_matches function instead.") } else { e }
        })?;
        let regex = compiled(call, pattern, flags)?;
        Ok(regex.captures_from(s, 0)?.map(|m| groups(&m)))
    }

    #[ext::set_function(oid = 2763)]
    pub fn all_matches(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Vec<Array>> {
        let regex = compiled(call, pattern, Flags::default())?;
        Ok(matches(regex, s, 0, 1)?.iter().map(groups).collect())
    }

    #[ext::set_function(oid = 2764)]
    pub fn all_matches_flags(call: &mut Call<'_>, s: &str, pattern: &str, flags: &str) -> Result<Vec<Array>> {
        let flags = Flags::parse(flags)?;
        let regex = compiled(call, pattern, flags)?;
        Ok(matches(regex, s, 0, if flags.global { usize::MAX } else { 1 })?.iter().map(groups).collect())
    }

    #[ext::function(oid = 2767)]
    pub fn split_to_array(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Array> {
        Ok(text_array(split(compiled(call, pattern, Flags::default())?, s)?))
    }

    #[ext::function(oid = 2768)]
    pub fn split_to_array_flags(call: &mut Call<'_>, s: &str, pattern: &str, flags: &str) -> Result<Array> {
        let flags = without_global(flags, "regexp_split_to_array()")?;
        Ok(text_array(split(compiled(call, pattern, flags)?, s)?))
    }

    #[ext::set_function(oid = 2765)]
    pub fn split_to_table(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Vec<String>> {
        split(compiled(call, pattern, Flags::default())?, s)
    }

    #[ext::set_function(oid = 2766)]
    pub fn split_to_table_flags(call: &mut Call<'_>, s: &str, pattern: &str, flags: &str) -> Result<Vec<String>> {
        let flags = without_global(flags, "regexp_split_to_table()")?;
        split(compiled(call, pattern, flags)?, s)
    }

    #[ext::function(oid = 6254)]
    pub fn count(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<i32> {
        count_flags(call, s, pattern, 1, "")
    }

    #[ext::function(oid = 6255)]
    pub fn count_from(call: &mut Call<'_>, s: &str, pattern: &str, start: i32) -> Result<i32> {
        count_flags(call, s, pattern, start, "")
    }

    #[ext::function(oid = 6256)]
    pub fn count_flags(call: &mut Call<'_>, s: &str, pattern: &str, start: i32, flags: &str) -> Result<i32> {
        check("start", start, 1, i32::MAX)?;
        let flags = without_global(flags, "regexp_count()")?;
        let from = start_at(s, start)?;
        Ok(matches(compiled(call, pattern, flags)?, s, from, usize::MAX)?.len() as i32)
    }

    #[ext::function(oid = 6257)]
    pub fn instr(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<i32> {
        instr_group(call, s, pattern, 1, 1, 0, "", 0)
    }

    #[ext::function(oid = 6258)]
    pub fn instr_from(call: &mut Call<'_>, s: &str, pattern: &str, start: i32) -> Result<i32> {
        instr_group(call, s, pattern, start, 1, 0, "", 0)
    }

    #[ext::function(oid = 6259)]
    pub fn instr_nth(call: &mut Call<'_>, s: &str, pattern: &str, start: i32, n: i32) -> Result<i32> {
        instr_group(call, s, pattern, start, n, 0, "", 0)
    }

    #[ext::function(oid = 6260)]
    pub fn instr_end(call: &mut Call<'_>, s: &str, pattern: &str, start: i32, n: i32, end: i32) -> Result<i32> {
        instr_group(call, s, pattern, start, n, end, "", 0)
    }

    #[ext::function(oid = 6261)]
    pub fn instr_flags(
        call: &mut Call<'_>,
        s: &str,
        pattern: &str,
        start: i32,
        n: i32,
        end: i32,
        flags: &str,
    ) -> Result<i32> {
        instr_group(call, s, pattern, start, n, end, flags, 0)
    }

    #[ext::function(oid = 6262)]
    #[allow(clippy::too_many_arguments, reason = "SQL's function has them")]
    pub fn instr_group(
        call: &mut Call<'_>,
        s: &str,
        pattern: &str,
        start: i32,
        n: i32,
        end: i32,
        flags: &str,
        group: i32,
    ) -> Result<i32> {
        check("start", start, 1, i32::MAX)?;
        check("n", n, 1, i32::MAX)?;
        check("endoption", end, 0, 1)?;
        check("subexpr", group, 0, i32::MAX)?;
        let flags = without_global(flags, "regexp_instr()")?;
        let from = start_at(s, start)?;
        let found = matches(compiled(call, pattern, flags)?, s, from, n as usize)?;
        let hit = found.get(n as usize - 1).and_then(|m| m.get(group as usize));
        Ok(hit.map_or(0, |g| characters(&s[..if end == 1 { g.end() } else { g.start() }]) as i32 + 1))
    }

    #[ext::function(oid = 6263)]
    pub fn is_like(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<bool> {
        test(call, s, pattern, Flags::default())
    }

    #[ext::function(oid = 6264)]
    pub fn is_like_flags(call: &mut Call<'_>, s: &str, pattern: &str, flags: &str) -> Result<bool> {
        let flags = without_global(flags, "regexp_like()")?;
        test(call, s, pattern, flags)
    }

    #[ext::function(oid = 6265)]
    pub fn substr(call: &mut Call<'_>, s: &str, pattern: &str) -> Result<Option<String>> {
        substr_group(call, s, pattern, 1, 1, "", 0)
    }

    #[ext::function(oid = 6266)]
    pub fn substr_from(call: &mut Call<'_>, s: &str, pattern: &str, start: i32) -> Result<Option<String>> {
        substr_group(call, s, pattern, start, 1, "", 0)
    }

    #[ext::function(oid = 6267)]
    pub fn substr_nth(call: &mut Call<'_>, s: &str, pattern: &str, start: i32, n: i32) -> Result<Option<String>> {
        substr_group(call, s, pattern, start, n, "", 0)
    }

    #[ext::function(oid = 6268)]
    pub fn substr_flags(
        call: &mut Call<'_>,
        s: &str,
        pattern: &str,
        start: i32,
        n: i32,
        flags: &str,
    ) -> Result<Option<String>> {
        substr_group(call, s, pattern, start, n, flags, 0)
    }

    #[ext::function(oid = 6269)]
    pub fn substr_group(
        call: &mut Call<'_>,
        s: &str,
        pattern: &str,
        start: i32,
        n: i32,
        flags: &str,
        group: i32,
    ) -> Result<Option<String>> {
        check("start", start, 1, i32::MAX)?;
        check("n", n, 1, i32::MAX)?;
        check("subexpr", group, 0, i32::MAX)?;
        let flags = without_global(flags, "regexp_substr()")?;
        let from = start_at(s, start)?;
        let found = matches(compiled(call, pattern, flags)?, s, from, n as usize)?;
        let hit = found.get(n as usize - 1).and_then(|m| m.get(group as usize));
        Ok(hit.map(|g| g.as_str().to_owned()))
    }
}
