//! Whole connections over streams in memory: transcripts recorded from PostgreSQL 18.6 (`testdata/record_protocol.py`), and noise.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use types::Oid;
use wire::{
    BackendDecoder, BackendMessage, ProtocolVersion, StartupMessage, StartupParameters, Target, frontend::encode,
};

use crate::{Auth, Proof, Roles, Server};

/// The client's half of a connection: what it sends, and what it gets.
struct Client {
    send: Option<Sender<Vec<u8>>>,
    received: Arc<Mutex<BytesMut>>,
    /// A token for each time the server waits for more.
    idle: Receiver<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct ServerReader {
    data: Receiver<Vec<u8>>,
    idle: Sender<()>,
    rest: Vec<u8>,
}

impl Read for ServerReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let _ = self.idle.send(());
            self.rest = self.data.recv().unwrap_or_default();
        }
        let n = out.len().min(self.rest.len());
        out[..n].copy_from_slice(&self.rest[..n]);
        self.rest.drain(..n);
        Ok(n)
    }
}

struct ServerWriter(Arc<Mutex<BytesMut>>);

impl Write for ServerWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn startup() -> BytesMut {
    let mut buffer = BytesMut::new();
    let parameters = StartupParameters::new([("user", "postgres"), ("database", "postgres")]);
    StartupMessage::Startup { version: ProtocolVersion { major: 3, minor: 0 }, parameters }.encode(&mut buffer);
    buffer
}

impl Client {
    fn connect(server: &Server) -> Client {
        let (send, data) = channel();
        let (idle_send, idle) = channel();
        let received = Arc::new(Mutex::new(BytesMut::new()));
        let (server, writer) = (server.clone(), ServerWriter(received.clone()));
        let reader = ServerReader { data, idle: idle_send, rest: Vec::new() };
        let thread = std::thread::spawn(move || {
            server.serve_stream(Proof::None, reader, writer);
        });
        let client = Client { send: Some(send), received, idle, thread: Some(thread) };
        client.idle.recv().unwrap();
        client.exchange(&startup());
        client
    }

    /// Sends, waits until the server wants more or has closed, and answers what came.
    fn exchange(&self, data: &[u8]) -> Vec<BackendMessage> {
        let _ = self.send.as_ref().unwrap().send(data.to_vec());
        let _ = self.idle.recv_timeout(Duration::from_secs(20));
        let mut received = std::mem::take(&mut *self.received.lock().unwrap());
        let mut decoder = BackendDecoder::new(1 << 30);
        let mut messages = Vec::new();
        while let Some(message) = decoder.decode(&mut received).unwrap() {
            messages.push(message);
        }
        assert!(received.is_empty(), "half a message");
        messages
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.send = None;
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            if !std::thread::panicking() {
                outcome.expect("the connection does not panic");
            }
        }
    }
}

fn server() -> Server {
    let database = hathi::Database::in_memory().unwrap();
    let roles = Roles::new(&database, None);
    Server::new(database, Auth::Trust, roles)
}

/// A line of a transcript as a message.
fn message(line: &str) -> BytesMut {
    let mut out = BytesMut::new();
    let rest = line.get(2..).unwrap_or_default();
    let target = |kind: &str| if kind.starts_with('S') { Target::Statement } else { Target::Portal };
    let raw = |out: &mut BytesMut, tag: u8, body: &[u8]| {
        out.put_u8(tag);
        out.put_u32(body.len() as u32 + 4);
        out.put_slice(body);
    };
    match line.as_bytes()[0] {
        b'Q' => encode::query(&mut out, rest),
        b'P' => {
            let parts: Vec<&str> = rest.split('|').collect();
            let types: Vec<Oid> = parts[2].split(',').filter_map(|t| t.parse().ok().map(Oid)).collect();
            encode::parse(&mut out, parts[0], parts[1], &types);
        }
        b'B' => {
            let parts: Vec<&str> = rest.split('|').collect();
            let values: Vec<Option<&[u8]>> =
                parts[2..].iter().filter(|v| !v.is_empty()).map(|v| Some(v.as_bytes())).collect();
            encode::bind(&mut out, parts[0], parts[1], &[], &values, &[]);
        }
        b'D' => encode::describe(&mut out, target(rest), &rest[2..]),
        b'C' => encode::close(&mut out, target(rest), &rest[2..]),
        b'E' => {
            let (name, count) = rest.rsplit_once(' ').unwrap();
            encode::execute(&mut out, name, count.parse().unwrap());
        }
        b'd' => raw(&mut out, b'd', rest.replace("\\t", "\t").replace("\\n", "\n").as_bytes()),
        b'f' => raw(&mut out, b'f', &[rest.as_bytes(), b"\0"].concat()),
        tag => raw(&mut out, tag, b""),
    }
    out
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn error(tag: &str, e: &types::SqlError) -> String {
    let position = e.fields().position.map_or(String::new(), |p| format!(" at {p}"));
    let context = e.fields().context.as_ref().map_or(String::new(), |c| format!(" ({c})"));
    format!("{tag} {} {} {}{position}{context}", e.fields().severity.as_str(), e.state().as_str(), e.message())
}

/// A message as a line of a transcript.
fn shown(message: &BackendMessage) -> String {
    use BackendMessage as M;
    match message {
        M::ParseComplete => "1".to_owned(),
        M::BindComplete => "2".to_owned(),
        M::CloseComplete => "3".to_owned(),
        M::NoData => "n".to_owned(),
        M::PortalSuspended => "s".to_owned(),
        M::EmptyQueryResponse => "I".to_owned(),
        M::CopyDone => "c".to_owned(),
        M::CommandComplete(tag) => format!("C {tag}"),
        M::ErrorResponse(e) => error("E", e),
        M::NoticeResponse(e) => error("N", e),
        M::ReadyForQuery(status) => {
            let status = match status {
                wire::TransactionStatus::Idle => "I",
                wire::TransactionStatus::Block => "T",
                wire::TransactionStatus::Failed => "E",
            };
            format!("Z {status}")
        }
        M::RowDescription(fields) => {
            let field = |f: &wire::FieldDescription| {
                format!("{}:{}:{}:{}:{}", f.name, f.type_oid.0, f.type_bytes, f.typmod, f.format)
            };
            format!("T {}", fields.iter().map(field).collect::<Vec<_>>().join(" "))
        }
        M::DataRow(values) => {
            let value = |v: Option<Bytes>| v.map_or("NULL".to_owned(), |v| text(&v));
            format!("D {}", values.iter().map(value).collect::<Vec<_>>().join("|"))
        }
        M::ParameterDescription(oids) => {
            format!("t {}", oids.iter().map(|o| o.0.to_string()).collect::<Vec<_>>().join(" "))
        }
        M::CopyInResponse { format, column_formats } => format!("G {format} {}", column_formats.len()),
        M::CopyOutResponse { format, column_formats } => format!("H {format} {}", column_formats.len()),
        M::CopyData(data) => format!("d {}", text(data).replace('\t', "\\t").replace('\n', "\\n")),
        M::ParameterStatus { name, value } => format!("S {name}={value}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn transcripts_are_postgresqls() {
    let server = server();
    let recorded = include_str!("../testdata/protocol.txt");
    let mut client = None;
    let mut ours = Vec::new();
    for line in recorded.lines() {
        if line.starts_with('=') {
            client = Some(Client::connect(&server));
        }
        if line.starts_with('<') {
            continue;
        }
        ours.push(line.trim_end().to_owned());
        let (Some(line), Some(c)) = (line.strip_prefix("> "), &client) else { continue };
        ours.extend(c.exchange(&message(line)).iter().map(|m| format!("< {}", shown(m))));
        // The recorder sees the end of the stream, we see the server's thread end.
        std::thread::sleep(Duration::from_millis(if line == "Q SELECT 1" { 5 } else { 0 }));
        if c.thread.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
            ours.push("< closed".to_owned());
        }
    }
    // Answers to what is not flushed come with a later message, there and here, but not at the same one.
    let answers = |lines: &[String]| -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut group = String::new();
        for line in lines {
            if let Some(name) = line.strip_prefix('=') {
                group = name.trim().to_owned();
            }
            if line.starts_with('<') {
                out.push(format!("{group}: {}", line.trim_end()));
            }
        }
        out
    };
    let theirs: Vec<String> = recorded.lines().map(str::to_owned).collect();
    let (theirs, ours) = (answers(&theirs), answers(&ours));
    for (i, (a, b)) in theirs.iter().zip(&ours).enumerate() {
        assert_eq!(a, b, "after {:#?}", &theirs[i.saturating_sub(6)..i]);
    }
    assert_eq!(theirs.len(), ours.len());
}

/// Noise that looks like the protocol to different degrees.
fn noise(random: &mut ChaCha8Rng, out: &mut BytesMut) {
    let words: [&[u8]; 8] =
        [b"", b"SELECT 1", b"COPY t FROM STDIN", b"BEGIN", b"x", b"SELECT $1::int", b"COPY t TO STDOUT", b"\xff\xfe"];
    let word = |random: &mut ChaCha8Rng| words[random.random_range(0..words.len())];
    match random.random_range(0..3) {
        // A message of random content.
        0 => {
            let tags = b"QPBDECSHFdcf";
            let mut body = vec![0; random.random_range(0..30)];
            random.fill(&mut body[..]);
            out.put_u8(tags[random.random_range(0..tags.len())]);
            out.put_u32(body.len() as u32 + 4);
            out.extend_from_slice(&body);
        }
        // A message made of words and numbers.
        1 => {
            let tags = b"QPBDECSHFdcf";
            let mut body = BytesMut::new();
            for _ in 0..random.random_range(0..5) {
                match random.random_range(0..3) {
                    0 => body.put_u16(random.random_range(0..3)),
                    1 => body.put_i32(random.random_range(-1..3)),
                    _ => {
                        body.put_slice(word(random));
                        body.put_u8(0);
                    }
                }
            }
            out.put_u8(tags[random.random_range(0..tags.len())]);
            out.put_u32(body.len() as u32 + 4);
            out.extend_from_slice(&body);
        }
        // What a client would send.
        _ => {
            let text = String::from_utf8_lossy(word(random)).into_owned();
            match random.random_range(0..6) {
                0 => encode::query(out, &text),
                1 => encode::parse(out, "", &text, &[]),
                2 => encode::bind(out, "", "", &[], &[Some(&text.as_bytes()[..text.len() / 2])], &[]),
                3 => encode::execute(out, "", random.random_range(-1..3)),
                4 => encode::describe(out, Target::Portal, ""),
                _ => encode::sync(out),
            }
        }
    }
}

/// The reader of a connection that sends `data` and hangs up.
struct Once(io::Cursor<Vec<u8>>);

impl Read for Once {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

#[test]
fn noise_ends_in_errors_not_panics() {
    let server = server();
    server.shared.database.session().unwrap().batch_execute("CREATE TABLE t (a int)").unwrap();
    let startup = startup();
    let mut errors = 0;
    let mut seed = 0;
    while errors < 100_000 {
        seed += 1;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut data = BytesMut::new();
        // Some hundredths of the noise comes before the start-up packet.
        if seed % 50 != 0 {
            data.extend_from_slice(&startup);
        }
        let count = random.random_range(1..200);
        for _ in 0..count {
            noise(&mut random, &mut data);
        }
        // Anything at all; after it nobody knows where a message starts.
        let mut bytes = vec![0; random.random_range(0..40)];
        random.fill(&mut bytes[..]);
        data.extend_from_slice(&bytes);
        let received = Arc::new(Mutex::new(BytesMut::new()));
        let reader = Once(io::Cursor::new(data.to_vec()));
        let writer = ServerWriter(received.clone());
        let server = server.clone();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            server.serve_stream(Proof::None, reader, writer);
        }));
        assert!(outcome.is_ok(), "seed {seed} panics");
        // What was answered are whole messages, and no panic was caught on the way.
        let mut received = std::mem::take(&mut *received.lock().unwrap());
        let mut decoder = BackendDecoder::new(1 << 30);
        while let Some(message) = decoder.decode(&mut received).unwrap_or_else(|e| panic!("seed {seed}: {e}")) {
            if let BackendMessage::ErrorResponse(e) = message {
                errors += 1;
                assert_ne!(e.state(), types::SqlState::INTERNAL_ERROR, "seed {seed}: {}", e.message());
            }
        }
    }
}

#[test]
fn scram_lets_in_who_knows_the_password() {
    let database = hathi::Database::in_memory().unwrap();
    let verifier = Some(Server::verifier(&database, "secret"));
    let roles = Roles::new(&database, verifier);
    database
        .session()
        .unwrap()
        .batch_execute("CREATE ROLE jumbo LOGIN PASSWORD 'peanut'; CREATE ROLE shut PASSWORD 'x'")
        .unwrap();
    let server = Server::new(database, Auth::Scram, roles);
    for (user, password, fits) in [
        ("postgres", "secret", true),
        ("postgres", "Secret", false),
        ("nobody", "secret", false),
        ("jumbo", "peanut", true),
        ("jumbo", "secret", false),
        ("shut", "x", false),
    ] {
        let (send, data) = channel();
        let (idle_send, idle) = channel();
        let received = Arc::new(Mutex::new(BytesMut::new()));
        let (own, writer) = (server.clone(), ServerWriter(received.clone()));
        let reader = ServerReader { data, idle: idle_send, rest: Vec::new() };
        let thread = std::thread::spawn(move || own.serve_stream(Proof::Scram, reader, writer));
        let client = Client { send: Some(send), received, idle, thread: Some(thread) };
        client.idle.recv().unwrap();
        let mut first = BytesMut::new();
        let parameters = StartupParameters::new([("user", user), ("database", "postgres")]);
        StartupMessage::Startup { version: ProtocolVersion { major: 3, minor: 0 }, parameters }.encode(&mut first);
        let asked = client.exchange(&first);
        assert!(matches!(&asked[..], [BackendMessage::AuthenticationSasl(m)] if m == &["SCRAM-SHA-256"]), "{asked:?}");
        let scram = wire::scram::Client::new(user, password, "abcdefghijklmnopqrstuvwx");
        let opening = scram.first();
        let mut body = BytesMut::new();
        body.put_slice(b"SCRAM-SHA-256\0");
        body.put_u32(opening.len() as u32);
        body.put_slice(opening.as_bytes());
        let framed = |body: &[u8]| {
            let mut out = BytesMut::new();
            out.put_u8(b'p');
            out.put_u32(body.len() as u32 + 4);
            out.put_slice(body);
            out
        };
        let answer = client.exchange(&framed(&body));
        let [BackendMessage::AuthenticationSaslContinue(server_first)] = &answer[..] else { panic!("{answer:?}") };
        let (proof, last) = scram.server_first(server_first).unwrap();
        let answer = client.exchange(&framed(proof.as_bytes()));
        if fits {
            let [BackendMessage::AuthenticationSaslFinal(proof), BackendMessage::AuthenticationOk, ..] = &answer[..]
            else {
                panic!("{answer:?}")
            };
            last.server_final(proof).unwrap();
            assert!(matches!(answer.last(), Some(BackendMessage::ReadyForQuery(_))));
        } else {
            let [BackendMessage::ErrorResponse(e)] = &answer[..] else { panic!("{answer:?}") };
            assert_eq!(e.message(), format!("password authentication failed for user \"{user}\""));
            assert_eq!(e.state(), types::SqlState::INVALID_PASSWORD);
        }
    }
}

#[test]
fn sizes_of_types_are_the_catalogs() {
    let database = hathi::Database::in_memory().unwrap();
    let mut session = database.session().unwrap();
    let rows =
        session.query("SELECT oid::int8, typlen, typname::text FROM pg_type WHERE typtype = 'b' OR typname IN ('unknown', 'cstring', 'record', 'void')", &[]).unwrap();
    assert!(rows.len() > 100);
    for row in rows {
        let (ty, length, name) = (row.get::<_, i64>(0), row.get::<_, i16>(1), row.get::<_, String>(2));
        assert_eq!(crate::results::type_len(Oid(ty as u32)), length, "{name}");
    }
}
