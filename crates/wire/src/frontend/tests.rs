//! Client messages: round trips, PostgreSQL 18.6's answers to malformed ones, arbitrary bytes.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use types::Oid;
use types::error::Severity;

use super::{AuthenticationReply, Decoder, FrontendMessage, Limits, Target};
use crate::startup::{CancelRequest, ProtocolVersion, StartupMessage, StartupParameters};
use crate::values::{Formats, Oids, Values};

fn framed(tag: u8, body: &[u8]) -> BytesMut {
    let mut buf = BytesMut::new();
    crate::frame::message(&mut buf, tag, |b| b.put_slice(body));
    buf
}

/// Bodies, and what PostgreSQL 18.6 answered to them.
#[test]
fn malformed_messages_are_answered_as_postgresql_does() {
    let cases: &[(u8, &[u8], Severity, &str)] = &[
        (b'D', b"Xs\0", Severity::Error, "invalid DESCRIBE message subtype 88"),
        (b'P', b"s\0select", Severity::Error, "invalid string in message"),
        (b'P', b"s\0select 1\0\0\x02\0\0\0\x01", Severity::Error, "insufficient data left in message"),
        (b'E', b"s\0", Severity::Error, "insufficient data left in message"),
        (b'D', b"", Severity::Error, "no data left in message"),
        (
            b'B',
            b"\0\0\0\x02\0\0\0\0\0\x01\0\0\0\0\0\0",
            Severity::Error,
            "bind message has 2 parameter formats but 1 parameters",
        ),
        (b'Q', b"select 1\0zz", Severity::Error, "invalid message format"),
        (b'x', b"", Severity::Fatal, "invalid frontend message type 120"),
        (b'p', b"x\0", Severity::Fatal, "invalid frontend message type 112"),
    ];
    for &(tag, body, severity, message) in cases {
        let mut buf = framed(tag, body);
        let error = Decoder::default().decode(&mut buf).expect_err(message);
        assert_eq!((error.state().as_str(), error.message()), ("08P01", message));
        assert_eq!(error.fields().severity, severity, "{message}");
        assert_eq!(buf.is_empty(), severity == Severity::Error, "{message}");
    }
    let cases: &[(&[u8], &str, &str)] = &[
        (b"\0\x04\0\0\0", "0A000", "unsupported frontend protocol 4.0: server supports 3.0 to 3.2"),
        (b"\0\x03\0\0user\0\0", "08P01", "invalid startup packet layout: expected terminator as last byte"),
        (b"\0\x03\0\0user\0a\0\0x\0", "08P01", "invalid startup packet layout: expected terminator as last byte"),
        (b"\0\x03\0", "08P01", "invalid length of startup packet"),
        (b"\x04\xd2\x16\x2eab", "08P01", "invalid length of cancel request packet"),
        (b"\x04\xd2\x16\x2eabcd", "08P01", "invalid length of cancel key in cancel request packet"),
    ];
    for &(body, state, message) in cases {
        let mut buf = BytesMut::new();
        crate::frame::untagged(&mut buf, |b| b.put_slice(body));
        let error = Decoder::default().startup(&mut buf).expect_err(message);
        assert_eq!((error.state().as_str(), error.message()), (state, message));
        assert_eq!(error.fields().severity, Severity::Fatal);
    }
    let error = StartupParameters::default().user().expect_err("no user");
    assert_eq!(error.message(), "no PostgreSQL user name specified in startup packet");
}

#[test]
fn lengths_are_limited() {
    let mut buf = BytesMut::from(&b"S\0\0\x30\0"[..]);
    assert!(Decoder::default().decode(&mut buf).is_err());
    let mut buf = BytesMut::from(&b"Q\0\0\x30\0"[..]);
    assert_eq!(Decoder::default().decode(&mut buf).expect("waits"), None);
    let mut small = Decoder::new(Limits { large: 100, ..Limits::default() });
    assert!(small.decode(&mut buf).is_err());
    assert!(Decoder::default().decode(&mut BytesMut::from(&b"Q\0\0\0\x03"[..])).is_err());
    assert!(Decoder::default().startup(&mut BytesMut::from(&b"\0\0\x30\0"[..])).is_err());
}

#[test]
fn authentication_takes_only_its_reply() {
    let mut decoder = Decoder::default();
    decoder.expect(AuthenticationReply::Password);
    let error = decoder.decode(&mut framed(b'Q', b"x\0")).expect_err("no password");
    assert_eq!(error.message(), "expected password response, got message type 81");
    let error = decoder.decode(&mut framed(b'p', b"\0")).expect_err("empty");
    assert_eq!(error.message(), "empty password returned by client");
    let replies = [
        (AuthenticationReply::Password, FrontendMessage::Password(Bytes::from_static(b"secret"))),
        (
            AuthenticationReply::SaslInitial,
            FrontendMessage::SaslInitialResponse {
                mechanism: Bytes::from_static(b"SCRAM-SHA-256"),
                response: Some(Bytes::from_static(b"n,,n=,r=x")),
            },
        ),
        (AuthenticationReply::Sasl, FrontendMessage::SaslResponse(Bytes::from_static(b"c=biws"))),
    ];
    for (reply, message) in replies {
        let mut buf = BytesMut::new();
        message.encode(&mut buf);
        decoder.expect(reply);
        assert_eq!(decoder.decode(&mut buf).expect("fine"), Some(message));
    }
    decoder.authenticated();
    assert_eq!(decoder.decode(&mut framed(b'S', b"")).expect("fine"), Some(FrontendMessage::Sync));
}

fn string() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(1u8..=255, 0..12).prop_map(Bytes::from)
}

fn values() -> impl Strategy<Value = Values> {
    prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..9)), 0..6)
        .prop_map(|all| Values::new(&all.iter().map(Option::as_deref).collect::<Vec<_>>()))
}

fn formats() -> impl Strategy<Value = Formats> {
    prop::collection::vec(any::<i16>(), 0..2).prop_map(|f| Formats::new(&f))
}

fn message() -> impl Strategy<Value = FrontendMessage> {
    use FrontendMessage as M;
    let target = || prop::sample::select(vec![Target::Statement, Target::Portal]);
    prop_oneof![
        string().prop_map(M::Query),
        (string(), string(), prop::collection::vec(any::<u32>().prop_map(Oid), 0..5)).prop_map(|(s, q, t)| M::Parse {
            statement: s,
            query: q,
            parameter_types: Oids::new(&t)
        }),
        (string(), string(), formats(), values(), formats()).prop_map(|(portal, statement, pf, parameters, rf)| {
            M::Bind { portal, statement, parameter_formats: pf, parameters, result_formats: rf }
        }),
        (target(), string()).prop_map(|(target, name)| M::Describe { target, name }),
        (target(), string()).prop_map(|(target, name)| M::Close { target, name }),
        (string(), any::<i32>()).prop_map(|(portal, row_count_max)| M::Execute { portal, row_count_max }),
        (any::<u32>(), formats(), values(), any::<i16>()).prop_map(
            |(f, argument_formats, arguments, result_format)| {
                M::FunctionCall { function: Oid(f), argument_formats, arguments, result_format }
            }
        ),
        string().prop_map(M::CopyData),
        string().prop_map(M::CopyFail),
        prop::sample::select(vec![M::Flush, M::Sync, M::CopyDone, M::Terminate]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn round_trips_in_pieces(messages in prop::collection::vec(message(), 1..5), piece in 1usize..40) {
        let mut wire = BytesMut::new();
        messages.iter().for_each(|m| m.encode(&mut wire));
        let (mut decoder, mut buf, mut got) = (Decoder::default(), BytesMut::new(), Vec::new());
        for chunk in wire.chunks(piece) {
            buf.extend_from_slice(chunk);
            while let Some(m) = decoder.decode(&mut buf).expect("what we wrote") {
                got.push(m);
            }
        }
        prop_assert_eq!(got, messages);
    }

    #[test]
    fn startup_round_trips(pairs in prop::collection::vec(("[a-z_]{1,8}", "[^\\x00]{0,8}"), 0..5), minor in 0u16..9, key in prop::collection::vec(any::<u8>(), 4..=256)) {
        let parameters = StartupParameters::new(pairs.iter().map(|(n, v)| (&n[..], &v[..])));
        let cancel = CancelRequest { process_id: 77, key: key.into() };
        for message in [
            StartupMessage::Startup { version: ProtocolVersion { major: 3, minor }, parameters },
            StartupMessage::SslRequest,
            StartupMessage::GssEncRequest,
            StartupMessage::Cancel(cancel),
        ] {
            let mut buf = BytesMut::new();
            message.encode(&mut buf);
            let last = buf.split_off(buf.len() - 1);
            prop_assert_eq!(Decoder::default().startup(&mut buf).expect("waits"), None);
            buf.unsplit(last);
            prop_assert_eq!(Decoder::default().startup(&mut buf).expect("fine"), Some(message));
            prop_assert!(buf.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn any_bytes_are_message_error_or_incomplete(
        tag in prop_oneof![9 => prop::sample::select(b"QPBDECHSFfdcXp".to_vec()), 1 => any::<u8>()],
        body in prop::collection::vec(prop_oneof![3 => Just(0u8), 1 => Just(1), 1 => Just(0xff), 1 => Just(b'S'), 1 => any::<u8>()], 0..24),
        skew in -2i32..3,
        reply in prop::sample::select(vec![None, None, Some(AuthenticationReply::SaslInitial), Some(AuthenticationReply::Password)]),
    ) {
        let mut buf = BytesMut::new();
        buf.put_u8(tag);
        buf.put_i32(i32::try_from(body.len()).expect("short") + 4 + skew);
        buf.put_slice(&body);
        let before = buf.clone();
        let mut decoder = Decoder::default();
        if let Some(reply) = reply {
            decoder.expect(reply);
        }
        match decoder.decode(&mut buf) {
            Ok(Some(message)) => {
                let mut again = BytesMut::new();
                message.encode(&mut again);
                let mut reread = again.clone();
                prop_assert_eq!(decoder.decode(&mut reread).expect("fine"), Some(message));
            }
            Ok(None) => prop_assert_eq!(buf, before),
            Err(e) => prop_assert!(["08P01", "28P01"].contains(&e.state().as_str())),
        }
        let mut first = BytesMut::new();
        first.put_i32(i32::try_from(body.len()).expect("short") + 4 + skew);
        first.put_slice(&body);
        let _ = Decoder::default().startup(&mut first);
        let _ = Decoder::default().startup(&mut BytesMut::from(&body[..]));
    }
}
