//! Ways to spoil a statement, drawn from a seed.

use crate::draw::Draw;

const PIECES: [&str; 24] = [
    "(", ")", ",", "'", "\"", "$$", "SELECT", "FROM", "NULL", "::", "[", "]", "*", "1", "-", ".", "ü", "\\", "/*",
    "--", "$1", "'x'", "AS", "9e999",
];

/// One of many ways to spoil a statement.
pub fn spoiled(draw: &mut Draw, statement: &str, other: &str) -> String {
    let border = |draw: &mut Draw, text: &str| {
        let mut at = draw.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let at = border(draw, statement);
    let (head, tail) = statement.split_at(at);
    match draw.below(6) {
        0 => head.to_owned(),
        1 => tail.to_owned(),
        2 => format!("{head}{}{tail}", PIECES[draw.below(PIECES.len())]),
        3 => format!("{head}{}", &other[border(draw, other)..]),
        4 => {
            let from = border(draw, tail);
            format!("{head}{}", &tail[from..])
        }
        _ => {
            let words: Vec<&str> = statement.split(' ').collect();
            let (i, j) = (draw.below(words.len()), draw.below(words.len()));
            let mut swapped = words.clone();
            swapped.swap(i, j);
            swapped.join(" ")
        }
    }
}
