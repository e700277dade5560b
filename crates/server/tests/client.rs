//! A client that speaks the protocol itself, so that tests decide what is sent when.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use server::{Auth, Roles, Server, SessionMode};
use types::SqlError;
use wire::{
    BackendDecoder, BackendMessage, ProtocolVersion, StartupMessage, StartupParameters, TransactionStatus,
    frontend::encode,
};

/// A server on a database in memory, and where its socket is.
pub struct Served {
    pub server: Server,
    pub database: hathi::Database,
    pub path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Served {
    pub fn start(mode: SessionMode) -> Served {
        let database = hathi::Database::in_memory().unwrap();
        Served::on(database, mode)
    }

    pub fn on(database: hathi::Database, mode: SessionMode) -> Served {
        let directory = tempfile::tempdir().unwrap();
        let roles = Roles::new(&database, None);
        let server = Server::with_mode(database.clone(), Auth::Trust, roles, mode);
        let path = server.listen_unix(directory.path(), 5432).unwrap();
        Served { server, database, path, _directory: directory }
    }

    pub fn connect(&self) -> Client {
        Client::connect(&self.path, "postgres")
    }

    /// Runs statements in the process itself.
    pub fn run(&self, sql: &str) {
        self.database.session().unwrap().batch_execute(sql).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let stopped = self.server.stop(Duration::from_secs(20));
        if !std::thread::panicking() {
            assert!(stopped, "all connections end");
        }
    }
}

/// What came up to a ReadyForQuery.
#[derive(Debug, Default)]
pub struct Answer {
    pub rows: Vec<Vec<Option<String>>>,
    pub tags: Vec<String>,
    pub error: Option<SqlError>,
    pub notifications: Vec<(i32, String, String)>,
    pub suspended: bool,
    pub status: Option<TransactionStatus>,
}

impl Answer {
    /// The values of the first row.
    pub fn row(&self) -> Vec<&str> {
        assert!(self.error.is_none(), "{:?}", self.error);
        self.rows[0].iter().map(|v| v.as_deref().unwrap_or("NULL")).collect()
    }

    pub fn state(&self) -> String {
        self.error.as_ref().map_or(String::new(), |e| e.state().as_str().to_owned())
    }
}

/// A connection on which nobody waits for ever.
fn dial(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

pub struct Client {
    pub stream: UnixStream,
    input: BytesMut,
    pub pid: i32,
    pub key: Vec<u8>,
}

impl Client {
    pub fn connect(path: &Path, user: &str) -> Client {
        Client::connect_to(path, user, "postgres")
    }

    pub fn connect_to(path: &Path, user: &str, database: &str) -> Client {
        let mut client = Client { stream: dial(path), input: BytesMut::new(), pid: 0, key: Vec::new() };
        let mut buffer = BytesMut::new();
        let parameters = StartupParameters::new([("user", user), ("database", database)]);
        StartupMessage::Startup { version: ProtocolVersion { major: 3, minor: 0 }, parameters }.encode(&mut buffer);
        client.send(&buffer);
        let answer = client.answer();
        assert!(answer.error.is_none(), "{:?}", answer.error);
        client
    }

    pub fn send(&mut self, data: &[u8]) {
        self.stream.write_all(data).unwrap();
    }

    /// The next message; `None` when the server has closed.
    pub fn message(&mut self) -> Option<BackendMessage> {
        loop {
            if let Some(message) = BackendDecoder::default().decode(&mut self.input).unwrap() {
                return Some(message);
            }
            let mut buffer = [0; 8192];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(n) => self.input.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(e) => panic!("{e}"),
            }
        }
    }

    /// All up to the next ReadyForQuery, or to the end of the connection.
    pub fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        while let Some(message) = self.message() {
            match message {
                BackendMessage::DataRow(values) => {
                    let text = |v: Option<bytes::Bytes>| v.map(|v| String::from_utf8_lossy(&v).into_owned());
                    answer.rows.push(values.iter().map(text).collect());
                }
                BackendMessage::CommandComplete(tag) => answer.tags.push(tag),
                BackendMessage::ErrorResponse(e) => answer.error = Some(e),
                BackendMessage::NotificationResponse { process_id, channel, payload } => {
                    answer.notifications.push((process_id, channel, payload));
                }
                BackendMessage::PortalSuspended => answer.suspended = true,
                BackendMessage::BackendKeyData { process_id, key } => {
                    (self.pid, self.key) = (process_id, key.to_vec());
                }
                BackendMessage::ReadyForQuery(status) => {
                    answer.status = Some(status);
                    return answer;
                }
                _ => {}
            }
        }
        answer
    }

    pub fn ask(&mut self, sql: &str) {
        let mut buffer = BytesMut::new();
        encode::query(&mut buffer, sql);
        self.send(&buffer);
    }

    pub fn query(&mut self, sql: &str) -> Answer {
        self.ask(sql);
        self.answer()
    }

    /// As [`Client::query`], of what must succeed.
    pub fn run(&mut self, sql: &str) -> Answer {
        let answer = self.query(sql);
        assert!(answer.error.is_none(), "{sql}: {:?}", answer.error);
        answer
    }

    /// Whether all other clients are gone within so many hundredths of a second.
    pub fn is_alone(&mut self, within: u32) -> bool {
        (0..within).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.run("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").row() == ["1"]
        })
    }

    /// Sends messages of the extended protocol and waits for the answer to their Sync.
    pub fn extended(&mut self, write: impl FnOnce(&mut BytesMut)) -> Answer {
        let mut buffer = BytesMut::new();
        write(&mut buffer);
        encode::sync(&mut buffer);
        self.send(&buffer);
        self.answer()
    }

    /// The first notification that comes by itself.
    pub fn notification(&mut self) -> (i32, String, String) {
        match self.message() {
            Some(BackendMessage::NotificationResponse { process_id, channel, payload }) => {
                (process_id, channel, payload)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Asks the server to cancel what this client runs.
    pub fn cancel(&self, path: &Path) {
        let mut buffer = BytesMut::new();
        let key = bytes::Bytes::copy_from_slice(&self.key);
        StartupMessage::Cancel(wire::CancelRequest { process_id: self.pid, key }).encode(&mut buffer);
        let mut stream = dial(path);
        stream.write_all(&buffer).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "the server closes");
    }
}

/// Two carriers for everybody.
pub const TWO: SessionMode = SessionMode::Pooled { slots: 2 };
