//! COPY readers and writers against recordings of PostgreSQL 18.6, at every chunk size, and against each other.

use bytes::BytesMut;
use proptest::prelude::*;
use types::SqlError;

use super::recorded::{RECORDED, WRITTEN};
use super::{BinaryReader, BinaryWriter, Field, Header, Options, Progress, Row, RowReader, RowWriter};

/// The options of one recorded case.
fn options(sql: &str) -> Options {
    let mut options = if sql.starts_with("csv") { Options::csv() } else { Options::text() };
    for option in sql.split(", ").skip(1) {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        let value = value.trim_matches('\'');
        let byte = value.bytes().next().unwrap_or(b'\'');
        match (name, options.csv.as_mut()) {
            ("escape", Some(csv)) => csv.escape = byte,
            ("quote", Some(csv)) => (csv.quote, csv.escape) = (byte, byte),
            ("force_null", Some(csv)) => csv.force_null = vec![true],
            ("force_not_null", Some(csv)) => csv.force_not_null = vec![true],
            ("force_quote", Some(csv)) => csv.force_quote = vec![true; 2],
            ("delimiter", _) => options.delimiter = byte,
            ("null", _) => options.null = value.into(),
            ("default", _) => options.default = Some(value.into()),
            ("header", _) if value == "match" => options.header = Header::Match(vec!["a".into()]),
            ("header", _) => options.header = Header::Yes,
            other => panic!("{other:?}"),
        }
    }
    options
}

type Rows = Vec<Option<Vec<u8>>>;

fn owned(row: &Row, rows: &mut Rows) {
    assert_eq!(row.len(), 1);
    rows.push(match row.get(0) {
        Some(Field::Bytes(b)) => Some(b.to_vec()),
        Some(Field::Default) => Some(b"dflt".to_vec()),
        _ => None,
    });
}

fn read_text(options: Options, data: &[u8], chunk_bytes: usize) -> Result<Rows, (SqlError, String)> {
    let mut reader = RowReader::new(options, Some(1));
    let (mut row, mut rows) = (Row::default(), Rows::new());
    let mut chunks = data.chunks(chunk_bytes);
    loop {
        match reader.next_row(&mut row) {
            Ok(Progress::Row) => owned(&row, &mut rows),
            Ok(Progress::NeedMore) => match chunks.next() {
                Some(chunk) => reader.feed(chunk),
                None => reader.finish(),
            },
            Ok(Progress::Done) => return Ok(rows),
            Err(e) => {
                let mut context = format!("COPY t, line {}", reader.line_number());
                if let Some(line) = reader.line() {
                    context += &format!(": \"{}\"", String::from_utf8_lossy(line));
                }
                return Err((e, context));
            }
        }
    }
}

fn read_binary(data: &[u8], chunk_bytes: usize) -> Result<Rows, (SqlError, String)> {
    let mut reader = BinaryReader::new(1);
    let (mut row, mut rows) = (Row::default(), Rows::new());
    let mut chunks = data.chunks(chunk_bytes);
    loop {
        match reader.next_row(&mut row) {
            Ok(Progress::Row) => owned(&row, &mut rows),
            Ok(Progress::NeedMore) => match chunks.next() {
                Some(chunk) => reader.feed(chunk),
                None => reader.finish(),
            },
            Ok(Progress::Done) => return Ok(rows),
            Err(e) => {
                let context = match (reader.line_number(), reader.column()) {
                    (0, _) => String::new(),
                    (line, None) => format!("COPY t, line {line}"),
                    (line, Some(_)) => format!("COPY t, line {line}, column a"),
                };
                return Err((e, context));
            }
        }
    }
}

#[test]
fn reads_as_postgresql() {
    let mut failures = Vec::new();
    for &(sql, data, ref expected) in RECORDED {
        for chunk_bytes in [1, 2, 3, 5, 1000] {
            let got = if sql == "binary" {
                read_binary(data, chunk_bytes)
            } else {
                read_text(options(sql), data, chunk_bytes)
            };
            let got = got.map_err(|(e, context)| {
                assert_eq!(e.state().as_str(), "22P04");
                (e.message().to_owned(), e.fields().hint.clone().unwrap_or_default(), context)
            });
            let expected = match expected {
                Ok(rows) => Ok(rows.iter().map(|r| r.map(<[u8]>::to_vec)).collect()),
                Err((m, h, c)) => Err(((*m).to_owned(), (*h).to_owned(), (*c).to_owned())),
            };
            if got != expected {
                let data = String::from_utf8_lossy(data);
                failures.push(format!("{sql} {data:?} by {chunk_bytes}:\n  got {got:?}\n  not {expected:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The rows `WRITTEN` was recorded from.
const ROWS: [[Option<&[u8]>; 2]; 6] = [
    [Some(b"a\tb\\c\nd\re\x08f\x0cg\x0bh\x01"), None],
    [Some(b""), Some(b"\\.")],
    [Some(b"x,y"), Some(b"q\"r")],
    [Some(b"\\N"), Some(b"NULL")],
    [Some(b" sp "), Some(b"e's")],
    [Some(b"a|b;c"), Some("é".as_bytes())],
];

#[test]
fn writes_as_postgresql() {
    for &(sql, expected) in WRITTEN {
        let mut buf = BytesMut::new();
        if sql == "binary" {
            BinaryWriter::header(&mut buf);
            for row in ROWS {
                BinaryWriter::begin_row(&mut buf, 2);
                row.into_iter().for_each(|v| BinaryWriter::field(&mut buf, v));
            }
            BinaryWriter::trailer(&mut buf);
        } else if let Some(sql) = sql.strip_prefix("one column, ") {
            let mut writer = RowWriter::new(options(sql), 1);
            ROWS.iter().for_each(|row| writer.row(&mut buf, [row[1]]));
        } else {
            let mut writer = RowWriter::new(options(sql), 2);
            if sql.contains("header") {
                writer.header(&mut buf, ["a", "b"]);
            }
            ROWS.iter().for_each(|row| writer.row(&mut buf, *row));
        }
        assert_eq!(String::from_utf8_lossy(&buf), String::from_utf8_lossy(expected), "{sql}");
        assert_eq!(&buf[..], expected, "{sql}");
    }
}

/// Bytes that mean something to a format, often.
fn spicy() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"\t,|\"'\\\n\r.Nx0178\x08\x0b\x0c".to_vec()),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn round_trips(
        rows in prop::collection::vec(prop::collection::vec(prop::option::of(spicy()), 3), 0..5),
        csv in any::<bool>(),
        escape in prop::sample::select(vec![b'"', b'\\']),
        chunk_bytes in 1usize..20,
    ) {
        let mut options = if csv { Options::csv() } else { Options::text() };
        if let Some(csv) = &mut options.csv {
            csv.escape = escape;
        }
        let mut writer = RowWriter::new(options.clone(), 3);
        let mut buf = BytesMut::new();
        for row in &rows {
            writer.row(&mut buf, row.iter().map(Option::as_deref));
        }
        let mut reader = RowReader::new(options, Some(3));
        let (mut row, mut got) = (Row::default(), Vec::new());
        let mut chunks = buf.chunks(chunk_bytes);
        loop {
            match reader.next_row(&mut row).expect("what we wrote can be read") {
                Progress::Row => got.push(row.iter().map(|f| f.bytes().map(<[u8]>::to_vec)).collect::<Vec<_>>()),
                Progress::Done => break,
                Progress::NeedMore => match chunks.next() {
                    Some(chunk) => reader.feed(chunk),
                    None => reader.finish(),
                },
            }
        }
        prop_assert_eq!(got, rows);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_bytes_end_without_panic(data in prop::collection::vec(spicy(), 0..8), csv in any::<bool>(), chunk in 1usize..9) {
        let data = data.concat();
        let whole = read_any(&data, csv, data.len().max(1));
        prop_assert_eq!(read_any(&data, csv, chunk), whole);
        let _ = read_binary(&data, chunk);
        let _ = read_binary(&[&b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01"[..], &data].concat(), chunk);
    }
}

/// Rows and the error, if any: the same however the data are cut.
fn read_any(data: &[u8], csv: bool, chunk_bytes: usize) -> (Vec<String>, Option<String>) {
    let mut reader = RowReader::new(if csv { Options::csv() } else { Options::text() }, None);
    let (mut row, mut rows) = (Row::default(), Vec::new());
    let mut chunks = data.chunks(chunk_bytes);
    loop {
        match reader.next_row(&mut row) {
            Ok(Progress::Row) => rows.push(format!("{:?}", row.iter().collect::<Vec<_>>())),
            Ok(Progress::Done) => return (rows, None),
            Ok(Progress::NeedMore) => match chunks.next() {
                Some(chunk) => reader.feed(chunk),
                None => reader.finish(),
            },
            Err(e) => return (rows, Some(e.to_string())),
        }
    }
}
