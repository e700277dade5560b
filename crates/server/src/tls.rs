//! `Tls`: a transport within another, encrypted by rustls; and the files that it is configured from.
//!
//! rustls is used without its own buffers (`UnbufferedServerConnection`): what has arrived and what is to be sent lies here, and is freed as
//! soon as it is empty. So a client that says nothing costs its keys and a few hundred bytes.
//!
//! Invariants
//!   L1  Bytes go out in the order in which rustls made them: all of `outgoing` before anything newer.            (`flush`)
//!   L2  What `write` has encrypted is never encrypted again: it is owed as accepted to who offers it anew.       (`write`)
//!   L3  Nothing that came before the handshake is taken for what came within it.             (`Channel::encrypt`'s callers)
//!   L4  rustls sees `incoming` whole, from what it discarded last on: it keeps places in it.                      (`process`)

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, UnbufferedServerConnection, WebPkiClientVerifier};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use types::{Result, SqlError, SqlState};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::transport::Transport;

/// What a client says by ALPN that it speaks.
const PROTOCOL: &[u8] = b"postgresql";
/// Bytes read at a time: a record and its head.
const READ_BYTES: usize = (16 << 10) + 256 + 5;
/// Bytes encrypted before they are sent.
const WRITE_BYTES: usize = 64 << 10;
/// Bytes that a record adds to what it holds, at most.
const RECORD_BYTES: usize = 64;

/// The files that TLS is configured from, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and an authority that clients know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities whose certificates clients may show; without them none is asked for.
    pub authorities: Option<PathBuf>,
}

/// What all TLS connections that begin share.
pub struct TlsSettings {
    config: Arc<ServerConfig>,
    /// `tls-server-end-point` of the server's certificate (RFC 5929), where it is defined.
    binding: Option<Vec<u8>>,
    asks_for_certificates: bool,
}

fn broken(message: String) -> SqlError {
    SqlError::new(SqlState::CONFIG_FILE_ERROR, message)
}

fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let fail = |e: &dyn std::fmt::Display| broken(format!("could not load {what} file \"{}\": {e}", path.display()));
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(fail(&"there is no certificate in it")),
        Ok(found) => Ok(found),
        Err(e) => Err(fail(&e)),
    }
}

/// A key that others can read is no secret, as PostgreSQL has it.
fn check_access(key: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let shown = key.display();
    let found = std::fs::metadata(key);
    let found = found.map_err(|e| broken(format!("could not access private key file \"{shown}\": {e}")))?;
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own && found.uid() != 0 {
        let message = format!("private key file \"{shown}\" must be owned by the database user or root");
        return Err(broken(message));
    }
    let others = if found.uid() == own && own != 0 { 0o077 } else { 0o027 };
    if found.mode() & others != 0 {
        let detail = "File must have permissions u=rw (0600) or less if owned by the database user, \
                      or permissions u=rw,g=r (0640) or less if owned by root.";
        return Err(broken(format!("private key file \"{shown}\" has group or world access")).detail(detail));
    }
    Ok(())
}

impl TlsSettings {
    /// Reads the files.
    ///
    /// # Errors
    /// `F0000`, naming the file that is wrong.
    pub fn load(files: &TlsFiles) -> Result<TlsSettings> {
        let chain = certificates(&files.certificate, "server certificate")?;
        check_access(&files.key)?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|e| broken(format!("could not load private key file \"{}\": {e}", files.key.display())))?;
        let binding = end_point(&chain[0]);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // TLS 1.2 and 1.3.
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| broken(e.to_string()))?;
        let builder = match &files.authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let fail =
                    |e: String| broken(format!("could not load root certificate file \"{}\": {e}", path.display()));
                let mut roots = RootCertStore::empty();
                for authority in certificates(path, "root certificate")? {
                    roots.add(authority).map_err(|e| fail(e.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                // Whether one is needed is for the rules to say.
                let verifier = verifier.allow_unauthenticated().build().map_err(|e| fail(e.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|e| {
            let shown = (files.certificate.display(), files.key.display());
            broken(format!("could not use certificate \"{}\" with private key \"{}\": {e}", shown.0, shown.1))
        })?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // As PostgreSQL: a client that comes again shakes hands again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsSettings { config: Arc::new(config), binding, asks_for_certificates: files.authorities.is_some() })
    }
}

/// `tls-server-end-point`: the certificate's hash by the hash function of its signature, where that is one; SHA-256 for those that are
/// not good enough.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let parsed = Certificate::from_der(certificate).ok()?;
    let hash = match &*parsed.signature_algorithm().oid.to_string() {
        // MD5 and SHA-1, with RSA; SHA-1 with ECDSA; SHA-256 with either.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.10045.4.1"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.3.2" => Sha256::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => Sha224::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Sha384::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Sha512::digest(certificate).to_vec(),
        _ => return None,
    };
    Some(hash)
}

/// What the handshake told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsPeer {
    /// Whether certificates were asked for.
    pub asked: bool,
    /// Whether the client showed one, which was then checked.
    pub certified: bool,
    /// The first common name in it.
    pub common_name: Option<String>,
    /// What SCRAM binds the channel to, if it can be bound.
    pub binding: Option<Vec<u8>>,
}

/// An encrypted connection.
pub struct Tls {
    inner: Box<dyn Transport>,
    tls: UnbufferedServerConnection,
    settings: Arc<TlsSettings>,
    /// What came and is not decrypted.
    incoming: Vec<u8>,
    /// What was decrypted and not taken.
    plain: Vec<u8>,
    /// What is to be sent.
    outgoing: Vec<u8>,
    /// Bytes that are encrypted but that nobody was told were accepted (L2).
    owed: usize,
    /// Whether the client must name its protocol: then nobody can make another kind of client talk to us.
    names_protocol: bool,
    /// What came with what was read before there was TLS was not looked at yet.
    is_fresh: bool,
    /// The client said that it sends no more.
    ended: bool,
}

/// Where decrypted bytes go: to who asked for them, as far as they fit.
struct Taker<'a> {
    out: &'a mut [u8],
    taken: usize,
}

impl Tls {
    /// TLS within `inner`, of which `incoming` was read already, and to which `outgoing` goes first.
    ///
    /// # Errors
    /// When rustls refuses its settings.
    pub fn new(
        inner: Box<dyn Transport>,
        settings: Arc<TlsSettings>,
        (incoming, outgoing): (Vec<u8>, Vec<u8>),
        names_protocol: bool,
    ) -> io::Result<Tls> {
        let tls = UnbufferedServerConnection::new(settings.config.clone()).map_err(io::Error::other)?;
        let (plain, owed, is_fresh, ended) = (Vec::new(), 0, !incoming.is_empty(), false);
        Ok(Tls { inner, tls, settings, incoming, plain, outgoing, owed, names_protocol, is_fresh, ended })
    }

    /// Sends what is to be sent (L1).
    fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        let outcome = loop {
            match self.outgoing.get(sent..).filter(|rest| !rest.is_empty()) {
                None => break Ok(()),
                Some(rest) => match self.inner.write(rest) {
                    Ok(n) => sent += n,
                    Err(e) => break Err(e),
                },
            }
        };
        match outcome {
            Ok(()) => self.outgoing = Vec::new(),
            Err(_) => drop(self.outgoing.drain(..sent)),
        }
        outcome
    }

    /// Lets rustls do what it can with what came; encrypts `data` once that is possible. Whether it was.
    fn process(&mut self, taker: &mut Taker<'_>, mut data: Option<&[u8]>) -> io::Result<bool> {
        let mut used = 0;
        let outcome = loop {
            let UnbufferedStatus { mut discard, state } = self.tls.process_tls_records(&mut self.incoming[used..]);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                let fits = record.payload.len().min(taker.out.len() - taker.taken);
                                let fits = if self.plain.is_empty() { fits } else { 0 };
                                taker.out[taker.taken..][..fits].copy_from_slice(&record.payload[..fits]);
                                taker.taken += fits;
                                self.plain.extend_from_slice(&record.payload[fits..]);
                            }
                            Err(e) => return Err(io::Error::new(io::ErrorKind::InvalidData, e)),
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut chunk)) => {
                    append(&mut self.outgoing, 0, |room| match chunk.encode(room) {
                        Err(EncodeError::InsufficientSize(e)) => Err(Some(e)),
                        outcome => outcome.map_err(|_| None),
                    })?;
                }
                // It is in `outgoing`, which goes out before anything newer.
                Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let Some(data) = data.take() else {
                        used += discard;
                        break Ok(true);
                    };
                    let room = data.len() + (data.len() / (16 << 10) + 2) * RECORD_BYTES;
                    append(&mut self.outgoing, room, |room| match traffic.encrypt(data, room) {
                        Err(EncryptError::InsufficientSize(e)) => Err(Some(e)),
                        outcome => outcome.map_err(|_| None),
                    })?;
                }
                Ok(ConnectionState::BlockedHandshake) => {
                    used += discard;
                    break Ok(false);
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.ended = true;
                    used += discard;
                    break Ok(false);
                }
                // None is offered.
                Ok(_) => break Err(io::ErrorKind::InvalidData.into()),
                // What it would discard stays: of that alone it does not forget the places.
                Err(e) => break Err(io::Error::new(io::ErrorKind::InvalidData, e)),
            }
            used += discard;
        };
        if used == self.incoming.len() {
            self.incoming = Vec::new();
        } else {
            self.incoming.drain(..used);
        }
        outcome
    }

    /// The same; a client that breaks the protocol is told so.
    fn advance(&mut self, taker: &mut Taker<'_>, data: Option<&[u8]>) -> io::Result<bool> {
        let outcome = self.process(taker, data);
        let e = match outcome {
            Ok(_) if self.names_protocol && !self.tls.is_handshaking() => {
                self.names_protocol = false;
                if self.tls.alpn_protocol() == Some(PROTOCOL) {
                    return outcome;
                }
                let message = "received direct SSL connection request without ALPN protocol negotiation extension";
                io::Error::new(io::ErrorKind::InvalidData, message)
            }
            Err(e) => e,
            outcome => return outcome,
        };
        self.ended = true;
        // The alert is what comes next. rustls knows places in `incoming`, which must be as it left it (L4).
        let UnbufferedStatus { state, .. } = self.tls.process_tls_records(&mut self.incoming);
        if let Ok(ConnectionState::EncodeTlsData(mut chunk)) = state {
            append(&mut self.outgoing, 0, |room| match chunk.encode(room) {
                Err(EncodeError::InsufficientSize(e)) => Err(Some(e)),
                outcome => outcome.map_err(|_| None),
            })?;
        }
        let _ = self.flush();
        Err(e)
    }
}

/// Appends what `write` writes: first into so many bytes, then into as many as it says it needs.
fn append(
    to: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> std::result::Result<usize, Option<InsufficientSizeError>>,
) -> io::Result<()> {
    let start = to.len();
    to.resize(start + room, 0);
    let outcome = match write(&mut to[start..]) {
        Err(Some(e)) => {
            to.resize(start + e.required_size, 0);
            write(&mut to[start..])
        }
        outcome => outcome,
    };
    to.truncate(start + outcome.as_ref().map_or(0, |n| *n));
    // Keys that are used up end the connection.
    outcome.map(drop).map_err(|_| io::Error::other("could not encrypt"))
}

impl Transport for Tls {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.plain.is_empty() {
            let n = out.len().min(self.plain.len());
            out[..n].copy_from_slice(&self.plain[..n]);
            self.plain.drain(..n);
            if self.plain.is_empty() {
                self.plain = Vec::new();
            }
            return Ok(n);
        }
        let mut taker = Taker { out, taken: 0 };
        if !std::mem::replace(&mut self.is_fresh, false) {
            if self.ended {
                return Ok(0);
            }
            let held = self.incoming.len();
            self.incoming.resize(held + READ_BYTES, 0);
            let read = self.inner.read(&mut self.incoming[held..]);
            self.incoming.truncate(held + read.as_ref().map_or(0, |n| *n));
            if self.incoming.is_empty() {
                self.incoming = Vec::new();
            }
            if read? == 0 {
                return Ok(0);
            }
        }
        self.advance(&mut taker, None)?;
        // What the client does not take now goes out when there is room: see `has_unsent`.
        match self.flush() {
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => return Err(e),
            _ => {}
        }
        match taker.taken {
            // Handshakes and empty records: whoever asks counts how often they ask.
            0 => Err(io::ErrorKind::Interrupted.into()),
            taken => Ok(taken),
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.flush()?;
        if self.owed == 0 {
            let portion = &data[..data.len().min(WRITE_BYTES)];
            if !self.advance(&mut Taker { out: &mut [], taken: 0 }, Some(portion))? {
                return Err(io::ErrorKind::NotConnected.into());
            }
            self.owed = portion.len();
            self.flush()?;
        }
        Ok(std::mem::take(&mut self.owed).min(data.len()))
    }

    fn stir(&mut self, hung: bool) {
        self.inner.stir(hung);
        if self.has_unsent() {
            let _ = self.flush();
        }
    }

    fn wait_for_room(&self, at_most: Duration) -> io::Result<bool> {
        self.inner.wait_for_room(at_most)
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.inner.socket()
    }

    fn has_unsent(&self) -> bool {
        !self.outgoing.is_empty()
    }

    fn tls(&self) -> Option<TlsPeer> {
        let own = self.tls.peer_certificates().and_then(|chain| chain.first());
        let parsed = own.and_then(|der| Certificate::from_der(der).ok());
        let name = parsed.and_then(|c| c.tbs_certificate().subject().common_name().ok().flatten());
        // Nobody is to be taken for the part of a name before a NUL.
        let name = name.map(String::from).filter(|name| !name.contains('\0'));
        Some(TlsPeer {
            asked: self.settings.asks_for_certificates,
            certified: own.is_some(),
            common_name: name,
            binding: self.settings.binding.clone(),
        })
    }
}

impl Drop for Tls {
    /// Says that there is no more, if the client takes it at once: it can then tell an end from a cut.
    fn drop(&mut self) {
        if self.ended || self.tls.is_handshaking() || self.flush().is_err() {
            return;
        }
        if let UnbufferedStatus { state: Ok(ConnectionState::WriteTraffic(mut traffic)), .. } =
            self.tls.process_tls_records(&mut self.incoming)
        {
            let told = append(&mut self.outgoing, RECORD_BYTES, |room| match traffic.queue_close_notify(room) {
                Err(EncryptError::InsufficientSize(e)) => Err(Some(e)),
                outcome => outcome.map_err(|_| None),
            });
            if told.is_ok() {
                let _ = self.flush();
            }
        }
    }
}
