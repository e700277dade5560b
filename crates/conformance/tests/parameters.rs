//! As many parameters as the protocol can count, one more, and numbers beyond: byte by byte, since drivers do not ask for that much.
//! What is expected is what PostgreSQL 18.6 answers.

use std::io::{Read, Write};
use std::net::TcpStream;

use conformance::Served;

/// What the server says to one round of messages, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// ParameterDescription: the count it can tell, and the bytes it is long.
    Parameters(u16, u32),
    /// The only value of a row.
    Value(String),
    /// SQLSTATE, message and position.
    Error(String, String, Option<String>),
}

struct Raw(TcpStream);

impl Raw {
    fn connect(served: &Served) -> Raw {
        let mut raw = Raw(TcpStream::connect(served.address()).expect("a connection"));
        let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
        raw.0.write_all(&(body.len() as u32 + 4).to_be_bytes()).expect("written");
        raw.0.write_all(body).expect("written");
        assert_eq!(raw.said(), []);
        raw
    }

    /// All up to ReadyForQuery.
    fn said(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head).expect("a message");
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            let mut body = vec![0; length as usize - 4];
            self.0.read_exact(&mut body).expect("its body");
            match head[0] {
                b'Z' => return said,
                b't' => said.push(Said::Parameters(u16::from_be_bytes([body[0], body[1]]), length)),
                b'D' => said.push(Said::Value(String::from_utf8_lossy(&body[6..]).into_owned())),
                b'E' => {
                    let text = String::from_utf8_lossy(&body).into_owned();
                    let field = |letter: char| text.split('\0').find_map(|f| f.strip_prefix(letter)).map(str::to_owned);
                    let (state, message) = (field('C').unwrap_or_default(), field('M').unwrap_or_default());
                    said.push(Said::Error(state, message, field('P')));
                }
                _ => {}
            }
        }
    }

    /// Parses `sql` with that many parameters of type integer, describes it, and runs it with values from 1 on, in binary.
    fn ask(&mut self, sql: &str, typed: u16, given: u16) -> Vec<Said> {
        let mut messages = Vec::new();
        let mut message = |letter: u8, body: &[u8]| {
            messages.push(letter);
            messages.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
            messages.extend_from_slice(body);
        };
        let mut parse = format!("\0{sql}\0").into_bytes();
        parse.extend_from_slice(&typed.to_be_bytes());
        parse.extend((0..typed).flat_map(|_| 23u32.to_be_bytes()));
        message(b'P', &parse);
        message(b'D', b"S\0");
        let mut bind = b"\0\0\0\x01\0\x01".to_vec();
        bind.extend_from_slice(&given.to_be_bytes());
        for value in 1..=u32::from(given) {
            bind.extend_from_slice(&4u32.to_be_bytes());
            bind.extend_from_slice(&value.to_be_bytes());
        }
        bind.extend_from_slice(b"\0\0");
        message(b'B', &bind);
        message(b'E', b"\0\0\0\0\0");
        message(b'S', b"");
        self.0.write_all(&messages).expect("written");
        self.said()
    }
}

/// Counts those of `count` parameters that are large.
fn list(count: usize) -> String {
    let parameters: Vec<String> = (1..=count).map(|n| format!("${n}::int")).collect();
    format!("SELECT count(*) FROM unnest(ARRAY[{}]) u WHERE u > 65000", parameters.join(","))
}

fn error(state: &str, message: &str, position: Option<&str>) -> Said {
    Said::Error(state.to_owned(), message.to_owned(), position.map(str::to_owned))
}

#[test]
fn parameters_are_counted_as_postgresql_counts_them() {
    let served = Served::start();
    let mut raw = Raw::connect(&served);
    let value = |text: &str| Said::Value(text.to_owned());
    let most = Said::Parameters(65_535, 262_146);
    assert_eq!(raw.ask(&list(65_535), 0, 65_535), [most, value("535")]);
    let most = Said::Parameters(65_535, 262_146);
    assert_eq!(raw.ask("SELECT $65535", 65_535, 65_535), [most, value("65535")]);
    let most = Said::Parameters(65_535, 262_146);
    let few = "bind message supplies 65534 parameters, but prepared statement \"\" requires 65535";
    assert_eq!(raw.ask(&list(65_535), 0, 65_534), [most, error("08P01", few, None)]);
    // One more can be parsed and described; but nobody can give so many values. Of the 65,536 types PostgreSQL sends all, under a count that has become
    // 0; ours are those that can be counted.
    for (given, text) in [(0, "0"), (65_535, "65535")] {
        let message = format!("bind message supplies {text} parameters, but prepared statement \"\" requires 65536");
        let said = raw.ask(&list(65_536), 0, given);
        assert_eq!(said, [Said::Parameters(65_535, 262_146), error("08P01", &message, None)]);
    }
    let none = Said::Parameters(0, 6);
    let many = "bind message supplies 65535 parameters, but prepared statement \"\" requires 0";
    assert_eq!(raw.ask("SELECT 1", 0, 65_535), [none, error("08P01", many, None)]);
    let first = error("42P18", "could not determine data type of parameter $1", None);
    assert_eq!(raw.ask("SELECT $65536::int", 0, 0), [first]);
    let large = error("42601", "parameter number too large at or near \"$2147483648\"", Some("8"));
    assert_eq!(raw.ask("SELECT $2147483648::int", 0, 0), [large]);
    assert_eq!(raw.ask("SELECT 1", 0, 0), [Said::Parameters(0, 6), value("1")]);
}
