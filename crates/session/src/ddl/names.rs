//! Names that are made up for constraints, indexes and sequences, as PostgreSQL makes them.

use catalog::Image;
use types::Oid;

/// Bytes that a name may have.
const NAME_BYTES_MAX: usize = 63;

/// `first_second_label`, the longer of the two shortened until it fits.
pub fn joined(first: &str, second: &str, label: &str) -> String {
    let overhead = if second.is_empty() { 0 } else { 1 } + if label.is_empty() { 0 } else { label.len() + 1 };
    let (mut a, mut b) = (first.len(), second.len());
    while a + b + overhead > NAME_BYTES_MAX {
        if a > b { a -= 1 } else { b -= 1 }
    }
    let (first, second) = (&first[..first.floor_char_boundary(a)], &second[..second.floor_char_boundary(b)]);
    let mut name = first.to_owned();
    for part in [second, label].into_iter().filter(|p| !p.is_empty()) {
        name.push('_');
        name.push_str(part);
    }
    name
}

/// `name` with a number behind it, shortened until it fits.
pub fn joined_number(name: &str, number: u32) -> String {
    let number = number.to_string();
    format!("{}{number}", &name[..name.floor_char_boundary(NAME_BYTES_MAX - number.len())])
}

/// [`joined`] with a number behind the label, from 1, while `taken`.
pub fn chosen(first: &str, second: &str, label: &str, taken: impl Fn(&str) -> bool) -> String {
    let name = joined(first, second, label);
    if !taken(&name) {
        return name;
    }
    (1..).map(|n| joined(first, second, &format!("{label}{n}"))).find(|n| !taken(n)).unwrap_or(name)
}

/// A name for a relation of `namespace`.
pub fn for_relation(image: &Image, namespace: Oid, first: &str, second: &str, label: &str) -> String {
    chosen(first, second, label, |n| image.is_taken(namespace, n))
}

/// Column names for a made-up name, as many as fit.
pub fn columns(names: &[&str]) -> String {
    let mut all = names.join("_");
    all.truncate(all.floor_char_boundary(NAME_BYTES_MAX));
    all
}
