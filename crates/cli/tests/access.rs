//! Who is let in, how and how many: TLS, rules, client certificates and limits, with psql and libpq; and those who only want to harm.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::authority::Authority;
use crate::clients::served::{PASSWORD, Served};
use crate::clients::{drive, psqls, python, script};

/// A server with TLS and rules; its directory has `ca.crt`, `server.crt` and `rules`.
fn encrypted(rules: &str, more: &[&str]) -> (Served, Authority) {
    let authority = Authority::new("elephant authority");
    let served = Served::with(|dir| {
        authority.write(&dir.join("ca.crt"));
        let (certificate, key) = authority.sign(dir, "server", &["localhost", "127.0.0.1"]);
        std::fs::write(dir.join("rules"), rules).unwrap();
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut arguments = vec!["--tls-cert".to_owned(), path(certificate), "--tls-key".to_owned(), path(key)];
        arguments.extend([
            "--tls-ca".to_owned(),
            path(dir.join("ca.crt")),
            "--hba".to_owned(),
            path(dir.join("rules")),
        ]);
        arguments.extend(more.iter().map(|&m| m.to_owned()));
        arguments
    });
    (served, authority)
}

/// Every psql that can do TLS.
fn psqls_with_tls() -> Vec<PathBuf> {
    let mut all = psqls();
    all.retain(|psql| {
        let run = Command::new(psql).arg("host=127.0.0.1 port=1 sslmode=require").output().unwrap();
        !String::from_utf8_lossy(&run.stderr).contains("SSL support is not compiled in")
    });
    if all.is_empty() {
        eprintln!("psql with TLS is missing: this test was not run");
    }
    all
}

/// What psql prints, or what it says when it is not let in.
fn ask(psql: &Path, served: &Served, more: &str) -> Result<String, String> {
    let config = format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres {more}", served.port);
    let run = Command::new(psql)
        .args(["-X", "-A", "-t", "-c", "SELECT 'in as ' || user", &config])
        .env("PGPASSWORD", PASSWORD)
        .env("HOME", served.dir.path())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if run.status.success() { Ok(text(&run.stdout)) } else { Err(text(&run.stderr)) }
}

#[track_caller]
fn assert_refused(outcome: Result<String, String>, why: &str) {
    let said = outcome.expect_err("is not let in");
    assert!(said.contains(why), "{said}\ninstead of\n{why}");
}

#[test]
fn psql_speaks_tls_and_binds_its_password_to_it() {
    let (served, _authority) = encrypted("hostssl all all all scram-sha-256\n", &[]);
    let root = format!("sslrootcert={}", served.dir.path().join("ca.crt").display());
    Authority::new("somebody else").write(&served.dir.path().join("else.crt"));
    for psql in psqls_with_tls() {
        let ask = |more: &str| ask(&psql, &served, &format!("user=postgres {more}"));
        for more in ["sslmode=require", "sslmode=prefer", "sslmode=require channel_binding=require"] {
            assert_eq!(ask(more).as_deref(), Ok("in as postgres"), "{more}");
        }
        for more in ["sslmode=verify-full", "sslmode=verify-full channel_binding=require", "sslmode=verify-ca"] {
            assert_eq!(ask(&format!("{more} {root}")).as_deref(), Ok("in as postgres"), "{more}");
        }
        for version in ["TLSv1.2", "TLSv1.3"] {
            let more = format!("sslmode=require channel_binding=require ssl_max_protocol_version={version}");
            assert_eq!(ask(&more).as_deref(), Ok("in as postgres"), "{more}");
        }
        let old = "sslmode=require ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.1";
        assert!(ask(old).is_err(), "TLS 1.1 is too old");
        let other = format!("sslmode=verify-full sslrootcert={}", served.dir.path().join("else.crt").display());
        assert_refused(ask(&other), "certificate verify failed");
        assert_refused(
            ask("sslmode=disable"),
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", database \"postgres\", no encryption",
        );
        // Without TLS on the unix socket, as in PostgreSQL.
        let local = format!("host={} sslmode=prefer user=postgres", served.socket().display());
        let run = Command::new(&psql).args(["-X", &format!("{local} port={} dbname=postgres", served.port)]).output();
        let said = String::from_utf8_lossy(&run.unwrap().stderr).into_owned();
        assert!(said.contains("no pg_hba.conf entry for host \"[local]\""), "{said}");
    }
}

#[test]
fn libpq_starts_with_tls() {
    let (served, _authority) = encrypted("hostssl all all all scram-sha-256\n", &[]);
    let mut command = python();
    command.arg(script("tls.py"));
    drive(&served, command, &[served.dir.path().join("ca.crt").to_str().unwrap()]);
}

#[test]
fn client_certificates_are_checked_and_may_be_all_there_is() {
    let rules = "hostssl postgres all all cert\n\
                 hostssl whole all all scram-sha-256 clientcert=verify-full\n\
                 hostssl ca all all trust clientcert=verify-ca\n\
                 hostssl free all all trust\n";
    let (served, authority) = encrypted(rules, &[]);
    let dir = served.dir.path();
    // Over the wire nobody is let in without a certificate, so the databases are made with one.
    authority.sign(dir, "postgres", &[]);
    authority.sign(dir, "jumbo", &[]);
    let other = Authority::new("somebody else");
    std::fs::create_dir(dir.join("other")).unwrap();
    other.sign(&dir.join("other"), "postgres", &[]);
    let with = |folder: &str, name: &str| {
        let path = dir.join(folder).join(name);
        format!("sslmode=require sslcert={0}.crt sslkey={0}.key", path.display())
    };
    for (number, psql) in psqls_with_tls().into_iter().enumerate() {
        let to = |database: &str, more: &str| ask(&psql, &served, &format!("user=postgres dbname={database} {more}"));
        if number == 0 {
            let config =
                format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres user=postgres", served.port);
            let make = ["whole", "ca", "free"].map(|d| ["-c".to_owned(), format!("CREATE DATABASE {d}")]).concat();
            let config = format!("{config} {}", with("", "postgres"));
            let run = Command::new(&psql).arg("-X").args(make).arg(config).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        }
        for database in ["postgres", "whole", "ca", "free"] {
            assert_eq!(to(database, &with("", "postgres")).as_deref(), Ok("in as postgres"), "{database}");
        }
        let wrong = with("", "jumbo");
        assert_refused(to("postgres", &wrong), "FATAL:  certificate authentication failed for user \"postgres\"");
        assert_refused(to("whole", &wrong), "FATAL:  password authentication failed for user \"postgres\"");
        assert_eq!(to("ca", &wrong).as_deref(), Ok("in as postgres"));
        let none = "sslmode=require";
        for database in ["postgres", "whole", "ca"] {
            assert_refused(to(database, none), "FATAL:  connection requires a valid client certificate");
        }
        assert_eq!(to("free", none).as_deref(), Ok("in as postgres"));
        // One that nobody here has signed is worse than none.
        assert!(to("free", &with("other", "postgres")).is_err());
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn hang_up(served: &Served) {
    assert!(Command::new("kill").args(["-HUP", &served.id().to_string()]).status().unwrap().success());
}

fn connect(served: &Served, user: &str) -> Result<Client, postgres::Error> {
    let config = format!("host=127.0.0.1 port={} user={user} password='{PASSWORD}' dbname=postgres", served.port);
    Client::connect(&config, NoTls)
}

#[track_caller]
fn refusal(outcome: Result<Client, postgres::Error>) -> (String, String) {
    let error = outcome.err().expect("is not let in");
    let error = error.as_db_error().expect("the server says why");
    (error.code().code().to_owned(), error.message().to_owned())
}

#[test]
fn rules_and_certificates_are_read_again_and_broken_ones_are_not_taken() {
    let (served, _authority) = encrypted("host all all all scram-sha-256\n", &[]);
    let rules = served.dir.path().join("rules");
    let mut first = connect(&served, "postgres").unwrap();
    std::fs::write(&rules, "host all all all trust\nhost all all all surprise\n").unwrap();
    hang_up(&served);
    // It cannot be seen that nothing happened.
    std::thread::sleep(Duration::from_millis(300));
    drop(connect(&served, "postgres").unwrap());
    assert_eq!(refusal(connect(&served, "nobody")).0, "28P01");
    std::fs::write(&rules, "host all all ::1/128 trust\nhost all +pg_monitor all reject\nhost other all all trust\n")
        .unwrap();
    hang_up(&served);
    wait_until("new rules are in effect", || connect(&served, "postgres").is_err());
    let message =
        "no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", database \"postgres\", no encryption";
    assert_eq!(refusal(connect(&served, "postgres")), ("28000".to_owned(), message.to_owned()));
    // Who is in stays in.
    assert_eq!(first.query_one("SELECT 1", &[]).unwrap().get::<_, i32>(0), 1);
    let shown = "SELECT line_number, type, database, user_name, address, netmask, auth_method FROM pg_hba_file_rules";
    let shown = first.query(shown, &[]).unwrap();
    let last: (i32, &str, Vec<String>) = (shown[2].get(0), shown[2].get(1), shown[2].get(2));
    assert_eq!((shown.len(), last), (3, (3, "host", vec!["other".to_owned()])));
    let (group, address): (Vec<String>, &str) = (shown[1].get(3), shown[0].get(4));
    assert_eq!((group, address, shown[0].get(6)), (vec!["+pg_monitor".to_owned()], "::1", "trust"));
    std::fs::write(&rules, "host all all all reject\n").unwrap();
    hang_up(&served);
    let message = message.replace("no pg_hba.conf entry", "pg_hba.conf rejects connection");
    wait_until("the other rules are in effect", || refusal(connect(&served, "postgres")).1 == message);
    // A new certificate, by another authority.
    std::fs::write(&rules, "host all all all scram-sha-256\n").unwrap();
    let dir = served.dir.path();
    let next = Authority::new("next authority");
    next.write(&dir.join("next.crt"));
    next.sign(dir, "server", &["localhost"]);
    hang_up(&served);
    let root = format!("user=postgres sslmode=verify-full sslrootcert={}", dir.join("next.crt").display());
    for psql in psqls_with_tls() {
        wait_until("the new certificate is shown", || ask(&psql, &served, &root).is_ok());
    }
}

#[test]
fn a_server_with_broken_rules_does_not_start_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules"), "# fine\nlocal all all peer\nhost all all all md5\n").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_hathi"))
        .args(["serve", dir.path().join("data").to_str().unwrap(), "--hba", dir.path().join("rules").to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success());
    assert!(said.contains("invalid authentication method \"md5\": not supported by this build"), "{said}");
    assert!(said.contains("line 3 of configuration file") && said.contains("rules"), "{said}");
}

#[test]
fn limits_hold_and_places_are_given_back() {
    let served = Served::with(|_| {
        ["--max-connections", "6", "--superuser-reserved-connections", "2"].map(str::to_owned).to_vec()
    });
    let mut root = connect(&served, "postgres").unwrap();
    assert_eq!(root.query_one("SHOW max_connections", &[]).unwrap().get::<_, &str>(0), "6");
    root.batch_execute(&format!(
        "CREATE ROLE few LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 1; CREATE ROLE jumbo LOGIN PASSWORD '{PASSWORD}'"
    ))
    .unwrap();
    let said = |user: &str| refusal(connect(&served, user));
    for _ in 0..3 {
        let few = connect(&served, "few").unwrap();
        assert_eq!(said("few"), ("53300".to_owned(), "too many connections for role \"few\"".to_owned()));
        drop(few);
        wait_until("the place is free again", || connect(&served, "few").is_ok());
        wait_until("and again", || {
            root.query_one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", &[])
                .unwrap()
                .get::<_, i64>(0)
                == 1
        });
        // Of six places one is taken and two are kept.
        let three: Vec<Client> = (0..3).map(|_| connect(&served, "jumbo").unwrap()).collect();
        let reserved = "remaining connection slots are reserved for roles with the SUPERUSER attribute";
        assert_eq!(said("jumbo"), ("53300".to_owned(), reserved.to_owned()));
        let two: Vec<Client> = (0..2).map(|_| connect(&served, "postgres").unwrap()).collect();
        let full = ("53300".to_owned(), "sorry, too many clients already".to_owned());
        assert_eq!((said("postgres"), said("jumbo"), said("nobody")), (full.clone(), full.clone(), full));
        drop((three, two));
        wait_until("all places are free again", || {
            root.query_one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", &[])
                .unwrap()
                .get::<_, i64>(0)
                == 1
        });
    }
    root.batch_execute("CREATE DATABASE small CONNECTION LIMIT 1; ALTER DATABASE postgres CONNECTION LIMIT 1").unwrap();
    let small = |user: &str| {
        let config = format!("host=127.0.0.1 port={} user={user} password='{PASSWORD}' dbname=small", served.port);
        Client::connect(&config, NoTls)
    };
    let jumbo = small("jumbo").unwrap();
    let expected = ("53300".to_owned(), "too many connections for database \"small\"".to_owned());
    assert_eq!(refusal(small("jumbo")), expected);
    assert_eq!(said("jumbo").1, "too many connections for database \"postgres\"");
    drop((small("postgres").unwrap(), jumbo));
    wait_until("the place is free again", || small("jumbo").is_ok());
    root.batch_execute("ALTER DATABASE postgres WITH CONNECTION LIMIT = -1").unwrap();
    drop(connect(&served, "jumbo").unwrap());
}

/// K1 and K2: who proves nothing takes no place, and there are not more of them than twice the places.
#[test]
fn who_proves_nothing_takes_no_place() {
    let served = Served::with(|_| {
        let places = ["--max-connections", "5", "--superuser-reserved-connections", "1"];
        [&places[..], &["--authentication-timeout", "4"]].concat().into_iter().map(str::to_owned).collect()
    });
    let since = Instant::now();
    let half: Vec<TcpStream> = (0..9)
        .map(|_| {
            let mut stream = tcp(&served);
            stream.write_all(&startup("postgres")).unwrap();
            // It is asked for a proof, and gives none.
            stream.read_exact(&mut [0; 10]).unwrap();
            stream
        })
        .collect();
    let client = connect(&served, "postgres").unwrap();
    let mut one_more = tcp(&served);
    let mut said = Vec::new();
    let _ = one_more.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("53300") && said.contains("sorry, too many clients already"), "{said}");
    half.iter().for_each(|stream| is_closed(stream, since, Duration::from_secs(4)));
    let rest: Vec<Client> = (0..4).map(|_| connect(&served, "postgres").unwrap()).collect();
    drop((client, rest));
}

/// Files that the server has open.
fn files(served: &Served) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", served.id())).unwrap().count()
}

/// Memory of the server, in KB.
fn memory(served: &Served) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A client that asks again and again while `harm` is done; the longest it had to wait.
fn meanwhile(served: &Served, harm: impl FnOnce()) -> Duration {
    let mut client = served.client();
    let is_over = Arc::new(AtomicUsize::new(0));
    let seen = is_over.clone();
    let thread = std::thread::spawn(move || {
        let mut longest = Duration::ZERO;
        while seen.load(Ordering::SeqCst) == 0 {
            let start = Instant::now();
            assert_eq!(client.query_one("SELECT 42", &[]).unwrap().get::<_, i32>(0), 42);
            longest = longest.max(start.elapsed());
            std::thread::sleep(Duration::from_millis(2));
        }
        longest
    });
    harm();
    is_over.store(1, Ordering::SeqCst);
    thread.join().unwrap()
}

#[test]
fn wrong_passwords_by_the_thousand_leave_nothing() {
    let served = Served::start();
    let attempt = |n: usize| {
        let user = if n.is_multiple_of(3) { "nobody" } else { "postgres" };
        let config = format!("host=127.0.0.1 port={} user={user} password='wrong' dbname=postgres", served.port);
        assert_eq!(refusal(Client::connect(&config, NoTls)).0, "28P01");
    };
    let rounds = |count: usize| {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let attempt = &attempt;
                scope.spawn(move || (0..count / 4).for_each(|n| attempt(n + thread)));
            }
        });
    };
    rounds(400);
    let (files_before, memory_before) = (files(&served), memory(&served));
    let longest = meanwhile(&served, || rounds(3000));
    assert!(longest < Duration::from_secs(2), "another waited for {longest:?}");
    wait_until("no file stays open", || files(&served) <= files_before);
    let grown = memory(&served).saturating_sub(memory_before);
    assert!(grown < 8 << 10, "{grown} KB are gone");
}

/// The server closes it, at the latest so long after `since`; not before it has `patience`.
fn is_closed(mut stream: &TcpStream, since: Instant, patience: Duration) {
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
        Err(e) => panic!("it is not closed: {e}"),
    }
    let waited = since.elapsed();
    assert!(waited < patience + Duration::from_secs(3), "it was closed after {waited:?}");
}

fn tcp(served: &Served) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", served.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const GSS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];

fn startup(user: &str) -> Vec<u8> {
    let body = format!("user\0{user}\0database\0postgres\0\0");
    let length = (body.len() as u32 + 8).to_be_bytes();
    [&length[..], &[0, 3, 0, 0], body.as_bytes()].concat()
}

/// A TLS client that trusts the server's authority.
fn tls_client(served: &Served, protocol: Option<&str>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(served.dir.path().join("ca.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocol.iter().map(|p| p.as_bytes().to_vec()).collect();
    ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap()
}

/// The first bytes of such a client.
fn hello(served: &Served, protocol: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    tls_client(served, protocol).write_tls(&mut bytes).unwrap();
    bytes
}

#[test]
fn slow_and_silent_clients_are_closed_in_time() {
    let (served, _authority) = encrypted("host all all all scram-sha-256\n", &["--authentication-timeout", "1"]);
    let patience = Duration::from_secs(1);
    let files_before = files(&served);
    let hello = hello(&served, Some("postgresql"));
    let parts: [&[u8]; 7] = [
        b"",
        &SSL_REQUEST[..5],
        &SSL_REQUEST,
        &GSS_REQUEST,
        &startup("postgres"),
        &startup("postgres")[..20],
        &hello[..90],
    ];
    let longest = meanwhile(&served, || {
        let since = Instant::now();
        let streams: Vec<TcpStream> = (0..20)
            .flat_map(|_| parts.iter())
            .map(|part| {
                let mut stream = tcp(&served);
                stream.write_all(part).unwrap();
                stream
            })
            .collect();
        // Drop by drop: each byte comes in time, all of them never.
        let drop_by_drop: Vec<_> = [startup("postgres"), hello.clone(), [&SSL_REQUEST[..], &hello].concat()]
            .into_iter()
            .map(|bytes| {
                let mut stream = tcp(&served);
                std::thread::spawn(move || {
                    let since = Instant::now();
                    for byte in bytes {
                        if stream.write_all(&[byte]).is_err() {
                            break;
                        }
                        std::thread::sleep(Duration::from_millis(100));
                    }
                    assert!(since.elapsed() < Duration::from_secs(5), "it was served for {:?}", since.elapsed());
                })
            })
            .collect();
        streams.iter().for_each(|stream| is_closed(stream, since, patience));
        drop_by_drop.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert!(longest < Duration::from_secs(1), "another waited for {longest:?}");
    wait_until("no file stays open", || files(&served) <= files_before);
}

/// One byte a call, both ways.
struct Drops(TcpStream);

impl Read for Drops {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(1);
        self.0.read(&mut out[..n])
    }
}

impl Write for Drops {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.write(&data[..data.len().min(1)])
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads messages until the server is ready; the bytes of its rows.
fn until_ready(stream: &mut impl Read) -> usize {
    let mut rows = 0;
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        match head[0] {
            b'Z' => return rows,
            b'D' => rows += length,
            b'E' => panic!("{}", String::from_utf8_lossy(&body)),
            _ => {}
        }
    }
}

fn query(sql: &str) -> Vec<u8> {
    [b"Q", &(sql.len() as u32 + 5).to_be_bytes()[..], sql.as_bytes(), b"\0"].concat()
}

#[test]
fn tls_byte_by_byte_is_tls() {
    let (served, _authority) = encrypted("hostssl all all all trust\n", &[]);
    let mut stream = tcp(&served);
    for byte in SSL_REQUEST {
        stream.write_all(&[byte]).unwrap();
    }
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"S");
    let mut drops = rustls::StreamOwned::new(tls_client(&served, None), Drops(stream));
    drops.write_all(&startup("postgres")).unwrap();
    until_ready(&mut drops);
    drops.write_all(&query(&format!("SELECT '{}'", "x".repeat(3000)))).unwrap();
    assert_eq!(until_ready(&mut drops), 3006);
    // Directly; a client that reads late, of what is more than all buffers hold.
    let mut direct = rustls::StreamOwned::new(tls_client(&served, Some("postgresql")), tcp(&served));
    direct.write_all(&startup("postgres")).unwrap();
    until_ready(&mut direct);
    direct.write_all(&query("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(until_ready(&mut direct), 20000 * 1006);
    // And many small ones at once.
    direct.write_all(&query("SELECT 1").repeat(5000)).unwrap();
    assert_eq!((0..5000).map(|_| until_ready(&mut direct)).sum::<usize>(), 5000 * 7);
}

#[test]
fn nothing_unencrypted_is_taken_for_encrypted() {
    let (served, _authority) = encrypted("host all all all trust\n", &[]);
    let said = |bytes: &[u8]| {
        let mut stream = tcp(&served);
        stream.write_all(bytes).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let smuggled = said(&[&SSL_REQUEST[..], &startup("postgres")].concat());
    assert!(
        smuggled.contains("received unencrypted data after SSL request") && smuggled.contains("08P01"),
        "{smuggled}"
    );
    let smuggled = said(&[&GSS_REQUEST[..], &startup("postgres")].concat());
    assert!(smuggled.contains("received unencrypted data after GSSAPI encryption request"), "{smuggled}");
    // Without ALPN another protocol's client could be made to come directly; a request is not direct.
    let talk = |mut tls: rustls::StreamOwned<ClientConnection, TcpStream>| {
        tls.write_all(&startup("postgres"))?;
        let mut byte = [0];
        tls.read_exact(&mut byte)
    };
    for protocol in [None, Some("http/1.1")] {
        assert!(talk(rustls::StreamOwned::new(tls_client(&served, protocol), tcp(&served))).is_err(), "{protocol:?}");
    }
    let ask = |stream: &mut TcpStream, request: &[u8]| {
        stream.write_all(request).unwrap();
        let mut answer = [0];
        stream.read_exact(&mut answer).unwrap();
        answer[0]
    };
    // GSSAPI is refused, TLS may follow; then neither is asked for again.
    let mut stream = tcp(&served);
    assert_eq!((ask(&mut stream, &GSS_REQUEST), ask(&mut stream, &SSL_REQUEST)), (b'N', b'S'));
    let mut tls = rustls::StreamOwned::new(tls_client(&served, None), stream);
    tls.write_all(&SSL_REQUEST).unwrap();
    let mut answer = vec![0; 60];
    tls.read_exact(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("unsupported frontend protocol"), "{answer:?}");
    let mut stream = tcp(&served);
    assert_eq!(ask(&mut stream, &SSL_REQUEST), b'S');
    assert!(talk(rustls::StreamOwned::new(tls_client(&served, None), stream)).is_ok());
}

#[test]
fn noise_before_and_within_tls_harms_nobody() {
    let (served, _authority) = encrypted("host all all all scram-sha-256\n", &[]);
    let files_before = files(&served);
    let hello = hello(&served, Some("postgresql"));
    let longest = meanwhile(&served, || {
        for seed in 0..1500 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut noise = vec![0; random.random_range(1..600)];
            random.fill(&mut noise[..]);
            let mut stream = tcp(&served);
            let sent: Vec<u8> = match seed % 6 {
                0 => noise,
                1 => [&[0x16, 3, 1], &noise[..]].concat(),
                2 => hello[..random.random_range(1..hello.len())].to_vec(),
                3 => {
                    let mut damaged = hello.clone();
                    damaged[random.random_range(0..hello.len())] ^= 1 << random.random_range(0..8);
                    [damaged, noise].concat()
                }
                _ => SSL_REQUEST.to_vec(),
            };
            let _ = stream.write_all(&sent);
            if seed % 6 == 4 {
                let _ = stream.read_exact(&mut [0]);
                let _ = stream.write_all(&noise_of(&hello, seed));
            }
            if seed % 6 == 5 {
                // A handshake that is fine, then records that are not.
                let _ = stream.read_exact(&mut [0]);
                let mut tls = tls_client(&served, None);
                let mut own = stream.try_clone().unwrap();
                if tls.complete_io(&mut own).is_ok() {
                    let _ = stream.write_all(&[23, 3, 3, 0, 100]);
                    let _ = stream.write_all(&noise_of(&hello, seed)[..100]);
                }
            }
            // Some hang up at once, some wait for the answer.
            if seed % 5 == 0 {
                stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
                let _ = stream.read(&mut [0; 100]);
            }
        }
    });
    assert!(longest < Duration::from_secs(2), "another waited for {longest:?}");
    wait_until("no file stays open", || files(&served) <= files_before);
    drop(served.client());
}

fn noise_of(like: &[u8], seed: u64) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(!seed);
    let mut noise = like.to_vec();
    random.fill(&mut noise[5..]);
    noise
}

#[test]
fn several_addresses_of_both_families_are_listened_on() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let more = ["--listen".to_owned(), "127.0.0.1".to_owned(), "--listen".to_owned(), format!("127.0.0.1:{port}")];
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    let six = ["--listen".to_owned(), "::1".to_owned()];
    let served = Served::with(|_| if has_ipv6 { [&more[..], &six].concat() } else { more.to_vec() });
    drop(served.client());
    let at = |host: &str, port: u16| {
        let config = format!("host={host} port={port} user=postgres password='{PASSWORD}' dbname=postgres");
        Client::connect(&config, NoTls).map(drop)
    };
    wait_until("the second address is listened on", || at("127.0.0.1", port).is_ok());
    if has_ipv6 {
        wait_until("and IPv6", || at("::1", served.port).is_ok());
    }
}
