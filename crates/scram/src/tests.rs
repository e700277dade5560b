//! SCRAM: RFC 7677's exchange, a verifier PostgreSQL made, wrong passwords, malformed messages.

use proptest::prelude::*;

use super::{ChannelBinding, Client, Server, Verifier};

const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
const CLIENT_NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

/// Passwords, and what PostgreSQL 18.6 stored for them.
const STORED: [(&str, &str); 3] = [
    (
        "pencil",
        "SCRAM-SHA-256$4096:eG6zj5EXxY/ViZXczgNfxQ==$Am/EUcYCLdVn2/lyoZaeCtnRE72vzQKKIE5PLp4TmIg=:KVYfOnvAerX0RWN0oXfR/HS1n5iq2VpKGrGxu664DIk=",
    ),
    (
        "pass word",
        "SCRAM-SHA-256$4096:eRGJYAu2T4gOQzgeSaPtrg==$tdehElxCqGHBKeYqej8wAZcCf4j4oGFbSLy5Z6djYCw=:Rbq7mwxURQwjA1VW5nYtOQ8SNU+6mWB3OeoNkLwfLwI=",
    ),
    (
        "ﬁ½é",
        "SCRAM-SHA-256$4096:HQVFWarh+kxy78LxmGZ8CA==$qlhPiTLcZmUCsU1C5aiVXGUeviZRW3TP+l7m3b/J8EE=:MQE2R3iTXKhQWcGudswfRLjqIhHVuottlZPuw85UcFQ=",
    ),
];

fn rfc_verifier() -> Verifier {
    use base64::Engine;
    let salt = base64::engine::general_purpose::STANDARD.decode(SALT).expect("base64");
    Verifier::from_password("pencil", &salt, 4096)
}

#[test]
fn rfc_7677_vector() {
    let client = Client::new("user", "pencil", CLIENT_NONCE);
    assert_eq!(client.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let server = Server::new(rfc_verifier(), SERVER_NONCE, ChannelBinding::Unavailable);
    let (server_first, server) = server.client_first(client.first().as_bytes()).expect("client-first");
    assert_eq!(server_first, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    let (client_final, client) = client.server_first(server_first.as_bytes()).expect("server-first");
    assert_eq!(
        client_final,
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    let server_final = server.client_final(client_final.as_bytes()).expect("client-final").expect("right password");
    assert_eq!(server_final, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    client.server_final(server_final.as_bytes()).expect("server-final");
}

#[test]
fn a_kept_salted_password_is_used_for_its_own_salt_only() {
    let mut kept = None;
    for salt in [b"salt one", b"salt one", b"salt two"] {
        let client = Client::new("", "pencil", CLIENT_NONCE);
        let verifier = Verifier::from_password("pencil", salt, 4096);
        let server = Server::new(verifier, SERVER_NONCE, ChannelBinding::Unavailable);
        let (server_first, server) = server.client_first(client.first().as_bytes()).expect("client-first");
        let (client_final, client) =
            client.server_first_kept(server_first.as_bytes(), &mut kept).expect("server-first");
        let server_final = server.client_final(client_final.as_bytes()).expect("client-final").expect("right password");
        client.server_final(server_final.as_bytes()).expect("server-final");
    }
}

#[test]
fn verifiers_of_postgresql() {
    for (password, text) in STORED {
        let verifier: Verifier = text.parse().expect("a verifier");
        assert_eq!(verifier.to_string(), text);
        assert!(verifier.matches(password), "{password}");
        assert!(!verifier.matches("wrong"));
    }
    for text in ["", "md5abc", "SCRAM-SHA-256$4096:!$a:b", "SCRAM-SHA-256$0:AAAA$AAAA:AAAA"] {
        assert!(text.parse::<Verifier>().is_err(), "{text}");
    }
}

#[test]
fn wrong_password_and_unknown_user_fail_alike() {
    for verifier in [rfc_verifier(), Verifier::mock(b"nobody", b"secret")] {
        let client = Client::new("", "wrong", CLIENT_NONCE);
        let server = Server::new(verifier, SERVER_NONCE, ChannelBinding::Unavailable);
        let (first, server) = server.client_first(client.first().as_bytes()).expect("client-first");
        assert!(first.ends_with(",i=4096"));
        let (last, _) = client.server_first(first.as_bytes()).expect("server-first");
        assert_eq!(server.client_final(last.as_bytes()).expect("well-formed"), None);
    }
    assert_eq!(Verifier::mock(b"a", b"s"), Verifier::mock(b"a", b"s"));
    assert_ne!(Verifier::mock(b"a", b"s"), Verifier::mock(b"b", b"s"));
}

/// Messages, and detail or message of PostgreSQL 18.6's answer.
#[test]
fn refuses_as_postgresql_does() {
    let text = |e: types::SqlError| {
        assert_eq!(e.fields().severity, types::error::Severity::Fatal);
        e.fields().detail.clone().unwrap_or_else(|| e.message().to_owned())
    };
    let server = || Server::new(rfc_verifier(), SERVER_NONCE, ChannelBinding::Unavailable);
    for (message, expected) in [
        ("", "The message is empty."),
        ("x", "Unexpected channel-binding flag \"'x'\"."),
        ("n", "Comma expected, but found character \"0x00\"."),
        ("nx", "Comma expected, but found character \"'x'\"."),
        (
            "p=x,,",
            "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
        ),
        ("n,a=x,", "client uses authorization identity, but it is not supported"),
        ("n,b=x,", "Unexpected attribute \"'b'\" in client-first-message."),
        ("n,", "Unexpected attribute \"0x00\" in client-first-message."),
        ("n,,m=x", "client requires an unsupported SCRAM extension"),
        ("n,,r=x", "Expected attribute \"n\" but found \"'r'\"."),
        ("n,,n", "Expected character \"=\" for attribute \"n\"."),
        ("n,,", "Expected attribute \"n\" but found \"0x00\"."),
        ("n,,n=,r=a\u{e9}", "non-printable characters in SCRAM nonce"),
        ("n,,n=,r=a b", "non-printable characters in SCRAM nonce"),
        ("n,,n=,r=a,1=x", "Attribute expected, but found invalid character \"'1'\"."),
        ("n,,n=,r=a,x", "Expected character \"=\" for attribute \"x\"."),
        ("n,,n=,r=a\0", "Message length does not match input length."),
    ] {
        assert_eq!(text(server().client_first(message.as_bytes()).expect_err(message)), expected, "{message}");
    }
    for message in ["n,,n=,r=a,", "n,,n=,r="] {
        assert!(server().client_first(message.as_bytes()).is_ok(), "{message}");
    }
    let proof = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (message, expected) in [
        ("c=biws,r=x,p=PROOF", "Nonce does not match."),
        ("c=eSws,r=NONCE,p=PROOF", "unexpected SCRAM channel-binding attribute in client-final-message"),
        ("c=biws,r=NONCE,p=abc", "Malformed proof in client-final-message."),
        ("c=biws,r=x,p=abc", "Malformed proof in client-final-message."),
        ("c=biws,r=NONCE,p=PROOF,x=y", "Garbage found at the end of client-final-message."),
        ("c=biws,r=NONCE", "Attribute expected, but found end of string."),
        ("r=NONCE", "Expected attribute \"c\" but found \"'r'\"."),
        ("c=biws,r=NONCE,1", "Attribute expected, but found invalid character \"'1'\"."),
    ] {
        let (_, server) = server().client_first(b"n,,n=,r=a").expect("client-first");
        let sent = message.replace("NONCE", &format!("a{SERVER_NONCE}")).replace("PROOF", proof);
        assert_eq!(text(server.client_final(sent.as_bytes()).expect_err(message)), expected, "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_message_ends_without_panic(m in "[nypcrasiv,=A-Za-z0-9é\\x00]{0,30}", tail in prop::collection::vec(any::<u8>(), 0..9)) {
        let verifier = || Verifier::mock(b"a", b"s");
        let bytes = [m.as_bytes(), &tail].concat();
        for binding in [ChannelBinding::Unavailable, ChannelBinding::Offered, ChannelBinding::Used(vec![1])] {
            let _ = Server::new(verifier(), "x", binding).client_first(&bytes);
        }
        let (_, server) = Server::new(verifier(), "x", ChannelBinding::Unavailable).client_first(b"n,,n=,r=a").expect("fine");
        let _ = server.client_final(&[b"c=biws,r=ax,", &bytes[..]].concat());
        if let Ok((_, client)) = Client::new("", "", "a").server_first(b"r=ax,s=AAAA,i=1") {
            let _ = client.server_final(&bytes);
        }
    }
}
