//! Server messages: captures from PostgreSQL 18.6 read and written again; rows in place; arbitrary bytes.

use bytes::{BufMut, BytesMut};
use proptest::prelude::*;
use types::{SqlError, SqlState};

use super::captured::CAPTURED;
use super::{BackendDecoder, BackendMessage, DataRow};

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")).collect()
}

/// `bytes` without the fields F, L and R of errors, which name places in PostgreSQL's source.
fn without_places(bytes: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    for field in bytes[5..bytes.len() - 1].split_inclusive(|&b| b == 0).filter(|f| !b"FLR".contains(&f[0])) {
        fields.extend_from_slice(field);
    }
    fields.push(0);
    let mut all = vec![bytes[0]];
    all.put_i32(i32::try_from(fields.len() + 4).expect("short"));
    all.extend(fields);
    all
}

#[test]
fn captured_messages_are_written_as_postgresql_writes_them() {
    let mut kinds = std::collections::BTreeSet::new();
    for (name, hex) in CAPTURED {
        let mut buf = BytesMut::from(&unhex(hex)[..]);
        while !buf.is_empty() {
            let before = buf.clone();
            let message = BackendDecoder::default().decode(&mut buf).expect(name).expect(name);
            let original = &before[..before.len() - buf.len()];
            let mut again = BytesMut::new();
            message.encode(&mut again);
            let expected = match message {
                BackendMessage::ErrorResponse(_) | BackendMessage::NoticeResponse(_) => without_places(original),
                _ => original.to_vec(),
            };
            assert_eq!(&again[..], expected, "{name}: {message:?}");
            kinds.insert(original[0]);
        }
    }
    assert!(kinds.len() >= 18, "{kinds:?}");
}

#[test]
fn rows_are_written_in_place() {
    let mut buf = BytesMut::from(&b"x"[..]);
    let mut row = DataRow::begin(&mut buf, 3);
    row.null();
    row.bytes(b"ab");
    row.with(|b| b.put_slice(b"cde"));
    row.finish().expect("complete");
    assert_eq!(&buf[..], b"xD\0\0\0\x17\0\x03\xff\xff\xff\xff\0\0\0\x02ab\0\0\0\x03cde");
    let mut row = DataRow::begin(&mut buf, 2);
    row.null();
    assert!(row.finish().is_err());
    drop(DataRow::begin(&mut buf, 2));
    assert_eq!(buf.len(), 25);
}

#[test]
fn errors_keep_every_field() {
    let mut error = SqlError::new(SqlState::CHECK_VIOLATION, "message").detail("detail").hint("hint").at(Some(7));
    error = error.context("context").constraint("schema", "table", "constraint").column("column");
    let f = error.fields_mut();
    (f.internal_position, f.internal_query, f.data_type) = (Some(3), Some("query".into()), Some("type".into()));
    let mut buf = BytesMut::new();
    super::error_response(&mut buf, &error);
    let expected = b"SERROR\0VERROR\0C23514\0Mmessage\0Ddetail\0Hhint\0P7\0p3\0qquery\0Wcontext\0sschema\0ttable\0ccolumn\0dtype\0nconstraint\0\0";
    assert_eq!(String::from_utf8_lossy(&buf[5..]), String::from_utf8_lossy(expected));
    let Ok(Some(BackendMessage::ErrorResponse(back))) = BackendDecoder::default().decode(&mut buf) else {
        panic!("an error")
    };
    assert_eq!(back.state(), error.state());
    assert_eq!(format!("{:?}", back.fields()), format!("{:?}", error.fields()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50_000))]

    #[test]
    fn any_bytes_are_message_error_or_incomplete(
        tag in prop::sample::select(b"RvSKZTtDCIENA123nsVGHdcx".to_vec()),
        body in prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xff), any::<u8>()], 0..24),
        skew in -2i32..3,
    ) {
        let mut buf = BytesMut::new();
        buf.put_u8(tag);
        buf.put_i32(i32::try_from(body.len()).expect("short") + 4 + skew);
        buf.put_slice(&body);
        let before = buf.clone();
        match BackendDecoder::default().decode(&mut buf) {
            Ok(Some(message)) => message.encode(&mut BytesMut::new()),
            Ok(None) => prop_assert_eq!(buf, before),
            Err(e) => prop_assert!(["08P01", "0A000"].contains(&e.state().as_str())),
        }
    }
}
