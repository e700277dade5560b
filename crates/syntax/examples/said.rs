//! Says about each line of standard input what the parser says, in the format of testdata/*.out: for comparisons with a
//! real server (`testdata/compare.py`).

use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for line in std::io::stdin().lock().lines() {
        let sql = line?.replace('\u{23ce}', "\n");
        match syntax::parse(&sql) {
            Ok(_) => writeln!(out, "ok")?,
            Err(e) => {
                let f = e.fields();
                let position = f.position.map_or("-".to_owned(), |p| p.to_string());
                let text = format!("{} {position} {}", e.state(), f.message).replace('\n', "\u{23ce}");
                writeln!(out, "{text}")?;
            }
        }
    }
    Ok(())
}
