//! `Acl`: who may do what with an object, as `aclitem[]` columns keep it: `role=letters/grantor`, a star behind what may be granted on.

use types::{Datum, IoSettings, oid};

/// All letters, in the order in which they are printed.
pub const LETTERS: &str = "arwdDxtXUCTcsAm";

/// What SQL calls the privilege of a letter.
pub fn word(letter: char) -> &'static str {
    match letter {
        'a' => "INSERT",
        'r' => "SELECT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'm' => "MAINTAIN",
        'U' => "USAGE",
        'C' => "CREATE",
        'T' => "TEMPORARY",
        'c' => "CONNECT",
        'X' => "EXECUTE",
        's' => "SET",
        _ => "ALTER SYSTEM",
    }
}

/// The letter of a privilege that SQL calls `word`, in any case.
pub fn letter(word: &str) -> Option<char> {
    let upper = word.to_uppercase();
    if upper == "TEMP" {
        return Some('T');
    }
    LETTERS.chars().find(|&l| self::word(l) == upper)
}

/// What one role may do, by the grace of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Who; empty for PUBLIC.
    pub grantee: String,
    /// Who gave it.
    pub grantor: String,
    /// Letters, each with whether it may be granted on.
    pub rights: Vec<(char, bool)>,
}

/// Who may do what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acl(pub Vec<Item>);

/// A role's name at the start of `text`, and what follows.
fn name(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = &rest[1..];
            while let Some(c) = rest.chars().next() {
                rest = &rest[c.len_utf8()..];
                if c == '"' {
                    if !rest.starts_with('"') {
                        break;
                    }
                    rest = &rest[1..];
                }
                out.push(c);
            }
        } else if c.is_alphanumeric() || c == '_' || !c.is_ascii() {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            break;
        }
    }
    (out, rest)
}

fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

impl Item {
    fn parse(text: &str) -> Option<Item> {
        let (grantee, rest) = name(text);
        let (letters, rest) = rest.strip_prefix('=')?.split_once('/')?;
        let mut rights: Vec<(char, bool)> = Vec::new();
        for c in letters.chars() {
            match c {
                '*' => rights.last_mut()?.1 = true,
                c => rights.push((c, false)),
            }
        }
        Some(Item { grantee, grantor: name(rest).0, rights })
    }

    fn shown(&self) -> String {
        let mut letters = String::new();
        for l in LETTERS.chars() {
            if let Some((_, option)) = self.rights.iter().find(|r| r.0 == l) {
                letters.push(l);
                letters.push_str(if *option { "*" } else { "" });
            }
        }
        format!("{}={letters}/{}", quoted(&self.grantee), quoted(&self.grantor))
    }
}

impl Acl {
    /// What nobody has granted anything of: all for the owner, and what PUBLIC has of itself.
    pub fn default_of(owner: &str, all: &str, public: &str) -> Acl {
        let item = |grantee: &str, letters: &str| Item {
            grantee: grantee.to_owned(),
            grantor: owner.to_owned(),
            rights: letters.chars().map(|c| (c, false)).collect(),
        };
        let mut items = Vec::new();
        if !public.is_empty() {
            items.push(item("", public));
        }
        if !all.is_empty() {
            items.push(item(owner, all));
        }
        Acl(items)
    }

    /// What an `aclitem[]` says.
    pub fn of(datum: &Datum) -> Option<Acl> {
        let bytes = datum.as_bytes()?;
        let view = types::array::ArrayView::new(bytes);
        Some(Acl(view.iter().filter_map(|d| Item::parse(d.as_str()?)).collect()))
    }

    /// As an `aclitem[]`.
    pub fn to_datum(&self) -> Datum {
        let escaped = |i: &Item| i.shown().replace('\\', "\\\\").replace('"', "\\\"");
        let text: Vec<String> = self.0.iter().map(|i| format!("\"{}\"", escaped(i))).collect();
        let text = format!("{{{}}}", text.join(","));
        types::io::text_in(oid::ACLITEM_ARRAY, -1, &text, &IoSettings::default()).unwrap_or_default()
    }

    /// Gives `grantee` rights.
    pub fn grant(&mut self, grantee: &str, grantor: &str, letters: &str, option: bool) {
        let found = self.0.iter().position(|i| i.grantee == grantee && i.grantor == grantor);
        let index = found.unwrap_or_else(|| {
            self.0.push(Item { grantee: grantee.to_owned(), grantor: grantor.to_owned(), rights: Vec::new() });
            self.0.len() - 1
        });
        for letter in letters.chars() {
            match self.0[index].rights.iter_mut().find(|r| r.0 == letter) {
                Some(right) => right.1 |= option,
                None => self.0[index].rights.push((letter, option)),
            }
        }
    }

    /// Takes rights, or only the right to grant them on, from `grantee`, and from those who have them from it if `cascade`; false when
    /// there are such, and not.
    #[must_use]
    pub fn revoke(&mut self, grantee: &str, grantor: &str, letters: &str, option_only: bool, cascade: bool) -> bool {
        let mut lost = String::new();
        for item in self.0.iter_mut().filter(|i| i.grantee == grantee && i.grantor == grantor) {
            for letter in letters.chars() {
                if let Some(at) = item.rights.iter().position(|r| r.0 == letter) {
                    if item.rights[at].1 {
                        lost.push(letter);
                    }
                    if option_only {
                        item.rights[at].1 = false;
                    } else {
                        item.rights.remove(at);
                    }
                }
            }
        }
        self.0.retain(|i| !i.rights.is_empty());
        for letter in lost.chars() {
            let still = self.0.iter().any(|i| i.grantee == grantee && i.rights.contains(&(letter, true)));
            let heirs: Vec<String> = self
                .0
                .iter()
                .filter(|i| i.grantor == grantee && i.grantee != grantee && i.rights.iter().any(|r| r.0 == letter))
                .map(|i| i.grantee.clone())
                .collect();
            if still || heirs.is_empty() {
                continue;
            }
            if !cascade {
                return false;
            }
            for heir in heirs {
                if !self.revoke(&heir, grantee, &letter.to_string(), false, true) {
                    return false;
                }
            }
        }
        true
    }

    /// Whether one of `roles`, or PUBLIC, has the right of `letter`.
    pub fn allows(&self, roles: &[String], letter: char) -> bool {
        self.0
            .iter()
            .any(|i| (i.grantee.is_empty() || roles.contains(&i.grantee)) && i.rights.iter().any(|r| r.0 == letter))
    }

    /// The rights among `letters` that one of `roles` may grant on.
    pub fn grantable(&self, roles: &[String], letters: &str) -> String {
        let may = |l: &char| self.0.iter().any(|i| roles.contains(&i.grantee) && i.rights.contains(&(*l, true)));
        letters.chars().filter(may).collect()
    }

    /// Whether `role` is named anywhere.
    pub fn names(&self, role: &str) -> bool {
        self.0.iter().any(|i| i.grantee == role || i.grantor == role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_print_as_they_were_read() {
        let text = ["{postgres=arwdDxtm/postgres,ga=a*rw*/postgres,=r/ga}", r#"{"\"we ird\"=r/postgres"}"#, "{}"];
        for text in text {
            let datum = types::io::text_in(oid::ACLITEM_ARRAY, -1, text, &IoSettings::default()).unwrap();
            let acl = Acl::of(&datum).unwrap();
            let back = types::io::to_text(oid::ACLITEM_ARRAY, &acl.to_datum(), &IoSettings::default()).unwrap();
            assert_eq!(back, text);
        }
    }

    #[test]
    fn what_was_granted_on_goes_with_its_grant() {
        let mut acl = Acl::default_of("o", "r", "");
        acl.grant("a", "o", "r", true);
        acl.grant("b", "a", "r", false);
        assert!(!acl.clone().revoke("a", "o", "r", false, false));
        assert!(acl.revoke("a", "o", "r", false, true));
        assert!(!acl.names("b") && acl.allows(&["o".to_owned()], 'r'));
    }
}
