//! The start of a connection: encryption, cancel requests, proof of identity, first settings.

use std::io;
use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use types::error::Severity;
use types::{Result, SqlError, SqlState};
use wire::scram::{self, ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, Verifier};
use wire::{AuthenticationReply, FrontendMessage, ProtocolVersion, StartupMessage, StartupParameters, backend, text};

use crate::LoginRole;
use crate::channel::Incoming;
use crate::connection::{Connection, Phase, Step};
use crate::hba::{self, ClientCert, Method};
use crate::origin::Origin;
use crate::tls::TlsPeer;

/// Random bytes of a SCRAM nonce.
const NONCE_BYTES: usize = 18;
/// The first byte of a client that starts with TLS.
const HANDSHAKE: u8 = 0x16;

fn fatal(state: SqlState, message: impl Into<String>) -> SqlError {
    SqlError::new(state, message).severity(Severity::Fatal)
}

/// Which kinds of encryption were asked for.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Asked {
    ssl: bool,
    gss: bool,
}

/// What a client has said of itself, and how far its proof is.
pub(crate) struct Login {
    version: ProtocolVersion,
    user: String,
    parameters: StartupParameters,
    role: Option<LoginRole>,
    proof: Proving,
    client_cert: ClientCert,
    tls: Option<TlsPeer>,
}

/// Where the SCRAM exchange is (RFC 5802, RFC 7677).
enum Proving {
    /// There is none.
    Nothing,
    /// The client chooses a mechanism, and may say its first message at once.
    Mechanism(Verifier),
    /// The client's first message.
    First(Box<scram::Server>),
    /// The client's last message.
    Final(Box<scram::ServerFinal>),
}

impl Connection {
    /// Reads a packet before there is a protocol.
    pub(crate) fn start(&mut self) -> io::Result<Step> {
        let Phase::Start(asked) = self.phase else { return Err(crate::channel::gone()) };
        let (decoder, input) = self.channel.input();
        if input.first() == Some(&HANDSHAKE) && !asked.ssl && !asked.gss {
            // As in PostgreSQL, whose clients try another way then.
            let Some(settings) = self.tls_settings() else { return Err(crate::channel::gone()) };
            self.phase = Phase::Start(Asked { ssl: true, gss: true });
            self.channel.encrypt(settings, true)?;
            return Ok(Step::Went);
        }
        match decoder.startup(input) {
            Err(e) => Err(self.channel.fatal(e)),
            Ok(None) => Ok(Step::Nothing),
            Ok(Some(StartupMessage::SslRequest)) => self.answer_ssl(asked),
            Ok(Some(StartupMessage::GssEncRequest)) if asked.gss => Err(self.unknown_protocol(1234, 5680)),
            Ok(Some(StartupMessage::GssEncRequest)) => {
                self.phase = Phase::Start(Asked { gss: true, ..asked });
                self.nothing_before("GSSAPI encryption")?;
                self.channel.output.extend_from_slice(b"N");
                Ok(Step::Went)
            }
            Ok(Some(StartupMessage::Cancel(request))) => {
                let live = self.shared.live.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(entry) = live.get(&request.process_id)
                    && wire::scram::same_bytes(&entry.key, &request.key)
                {
                    entry.cancel.cancel();
                }
                Err(crate::channel::gone())
            }
            Ok(Some(StartupMessage::Startup { version, parameters })) => {
                let outcome = self.begin_login(version, parameters);
                outcome.map(|()| Step::Went).map_err(|e| self.refuse(e))
            }
        }
    }

    /// TLS, where clients like this one can have it.
    fn tls_settings(&self) -> Option<std::sync::Arc<crate::tls::TlsSettings>> {
        if let Origin::Local = self.origin { None } else { self.shared.tls_settings() }
    }

    fn answer_ssl(&mut self, asked: Asked) -> io::Result<Step> {
        if asked.ssl {
            return Err(self.unknown_protocol(1234, 5679));
        }
        self.nothing_before("SSL")?;
        match self.tls_settings() {
            None => {
                self.phase = Phase::Start(Asked { ssl: true, ..asked });
                self.channel.output.extend_from_slice(b"N");
            }
            Some(settings) => {
                self.phase = Phase::Start(Asked { ssl: true, gss: true });
                self.channel.output.extend_from_slice(b"S");
                self.channel.encrypt(settings, false)?;
            }
        }
        Ok(Step::Went)
    }

    /// What came behind a request for encryption was not encrypted: somebody else may have put it there (L3).
    fn nothing_before(&mut self, what: &str) -> io::Result<()> {
        if self.channel.input().1.is_empty() {
            return Ok(());
        }
        let error = fatal(SqlState::PROTOCOL_VIOLATION, format!("received unencrypted data after {what} request"));
        let detail = "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.";
        Err(self.channel.fatal(error.detail(detail)))
    }

    fn unknown_protocol(&mut self, major: u16, minor: u16) -> io::Error {
        match (ProtocolVersion { major, minor }).negotiate() {
            Err(e) => self.channel.fatal(e),
            Ok(_) => crate::channel::gone(),
        }
    }

    fn begin_login(&mut self, asked: ProtocolVersion, parameters: StartupParameters) -> Result<()> {
        let version = asked.negotiate()?;
        let user = text::utf8(parameters.user()?)?.to_owned();
        let database = text::utf8(parameters.database()?)?.to_owned();
        self.shared.places.check()?;
        let options: Vec<&[u8]> = parameters.unrecognized_options().collect();
        if asked != version || !options.is_empty() {
            backend::negotiate_protocol_version(&mut self.channel.output, version, options.iter().copied());
        }
        let tls = self.channel.transport().tls();
        let (method, client_cert) = self.rule(&user, &database, tls.is_some())?;
        if client_cert != ClientCert::Any && !tls.as_ref().is_some_and(|t| t.certified) {
            return Err(match tls {
                Some(TlsPeer { asked: true, .. }) => {
                    let message = "connection requires a valid client certificate";
                    fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message)
                }
                _ => {
                    let message = "client certificates can only be checked if a root certificate store is available";
                    fatal(SqlState::CONFIG_FILE_ERROR, message)
                }
            });
        }
        let role = self.shared.credentials.role(&user)?;
        let mut login = Login { version, user, parameters, role, proof: Proving::Nothing, client_cert, tls };
        let failed = |what: &str, login: &Login| {
            let message = format!("{what} authentication failed for user \"{}\"", login.user);
            Err(fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message))
        };
        match method {
            Method::Trust if !login.is_certified() => failed("\"trust\"", &login),
            Method::Cert if !login.is_certified() => failed("certificate", &login),
            Method::Peer if self.origin.system_user(self.channel.socket()).as_ref() != Some(&login.user) => {
                failed("Peer", &login)
            }
            Method::Owner if !self.origin.is_owner(self.channel.socket()) => failed("Peer", &login),
            Method::Trust | Method::Cert | Method::Peer | Method::Owner => self.admit(login),
            // `rule` has refused it.
            Method::Reject => failed("", &login),
            Method::Scram => {
                let verifier = login.role.as_ref().filter(|r| r.can_login).and_then(|r| r.verifier.clone());
                let verifier = verifier.unwrap_or_else(|| Verifier::mock(login.user.as_bytes(), &self.shared.secret));
                backend::authentication_sasl(&mut self.channel.output, login.mechanisms().iter().copied());
                self.channel.decoder.expect(AuthenticationReply::SaslInitial);
                login.proof = Proving::Mechanism(verifier);
                self.phase = Phase::Proof(Box::new(login));
                Ok(())
            }
        }
    }

    /// What the first rule that fits says.
    fn rule(&self, user: &str, database: &str, is_encrypted: bool) -> Result<(Method, ClientCert)> {
        if let Origin::Stream(proof) = self.origin {
            return Ok((hba::method_of(proof), ClientCert::Any));
        }
        let rules = self.shared.rules();
        let asked = hba::Asked { origin: self.origin, is_encrypted, database, user };
        let found = rules.find(&asked, &*self.shared.credentials)?;
        let refusal = match found {
            Some(rule) if rule.method != Method::Reject => return Ok((rule.method, rule.client_cert)),
            Some(_) => "pg_hba.conf rejects connection",
            None => "no pg_hba.conf entry",
        };
        let how = if is_encrypted { "SSL encryption" } else { "no encryption" };
        let origin = self.origin;
        let message = format!("{refusal} for host \"{origin}\", user \"{user}\", database \"{database}\", {how}");
        Err(fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message))
    }

    /// Tells a client that it is not let in; answers what ends the connection.
    fn refuse(&mut self, error: SqlError) -> io::Error {
        crate::journal::refused(&error, self.origin);
        self.channel.fatal(error)
    }

    /// Reads the next reply of the proof.
    pub(crate) fn prove(&mut self) -> io::Result<Step> {
        let message = match self.channel.next()? {
            Incoming::Nothing => return Ok(Step::Nothing),
            Incoming::Message(message) => message,
            Incoming::Malformed(_, e) => return Err(self.channel.fatal(e)),
        };
        let Phase::Proof(login) = std::mem::replace(&mut self.phase, Phase::Start(Asked::default())) else {
            return Err(crate::channel::gone());
        };
        self.reply(*login, message).map(|()| Step::Went).map_err(|e| self.refuse(e))
    }

    fn reply(&mut self, mut login: Login, message: FrontendMessage) -> Result<()> {
        let unexpected = || fatal(SqlState::PROTOCOL_VIOLATION, "unexpected message while logging in");
        let (server, first) = match (std::mem::replace(&mut login.proof, Proving::Nothing), message) {
            (Proving::Mechanism(verifier), FrontendMessage::SaslInitialResponse { mechanism, response }) => {
                let binding = login.binding(&mechanism)?;
                let mut nonce = [0; NONCE_BYTES];
                self.shared.fill_random(&mut nonce);
                (Box::new(scram::Server::new(verifier, STANDARD.encode(nonce), binding)), response)
            }
            (Proving::First(server), FrontendMessage::SaslResponse(first)) => (server, Some(first)),
            (Proving::Final(server), FrontendMessage::SaslResponse(last)) => {
                let answer = server.client_final(&last)?.filter(|_| login.is_certified());
                let Some(answer) = answer else {
                    let message = format!("password authentication failed for user \"{}\"", login.user);
                    return Err(fatal(SqlState::INVALID_PASSWORD, message));
                };
                backend::authentication_sasl_final(&mut self.channel.output, answer.as_bytes());
                self.channel.decoder.authenticated();
                return self.admit(login);
            }
            _ => return Err(unexpected()),
        };
        login.proof = match first {
            None => {
                backend::authentication_sasl_continue(&mut self.channel.output, b"");
                Proving::First(server)
            }
            Some(first) => {
                let (answer, server) = server.client_first(&first)?;
                backend::authentication_sasl_continue(&mut self.channel.output, answer.as_bytes());
                Proving::Final(Box::new(server))
            }
        };
        self.channel.decoder.expect(AuthenticationReply::Sasl);
        self.phase = Phase::Proof(Box::new(login));
        Ok(())
    }

    /// Lets in who has proved to be `login.user`, if there is such a role, it may log in, and there is a place for it.
    fn admit(&mut self, login: Login) -> Result<()> {
        let user = &login.user;
        let message = match &login.role {
            None => format!("role \"{user}\" does not exist"),
            Some(role) if !role.can_login => format!("role \"{user}\" is not permitted to log in"),
            Some(role) => {
                let database = self.shared.credentials.database(text::utf8(login.parameters.database()?)?)?;
                self.place = Some(self.shared.places.take(&role.limited, role.superuser, database.as_ref())?);
                return self.open_session(login.version, user, &login.parameters);
            }
        };
        Err(fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message))
    }

    fn open_session(&mut self, version: ProtocolVersion, user: &str, parameters: &StartupParameters) -> Result<()> {
        let name = text::utf8(parameters.database()?)?;
        let mut session = self.shared.database.session_as(name, user)?;
        for (setting, value) in parameters.iter() {
            let (setting, value) = (text::utf8(setting)?, text::utf8(value)?);
            match setting {
                "user" | "database" => {}
                "replication" => match value {
                    "false" | "off" | "no" | "0" => {}
                    _ => return Err(SqlError::unsupported("replication")),
                },
                "options" => {
                    for (name, value) in command_line(value)? {
                        session.inner().set_setting(&name, &value)?;
                    }
                }
                _ if setting.starts_with("_pq_.") => {}
                // Clients write it as they like: 'utf-8', UNICODE.
                "client_encoding" => {
                    let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
                    let unicode = plain.eq_ignore_ascii_case("unicode") || plain.eq_ignore_ascii_case("utf8");
                    session.inner().set_setting(setting, if unicode { "UTF8" } else { value })?;
                }
                _ => session.inner().set_setting(setting, value)?,
            }
        }
        backend::authentication_ok(&mut self.channel.output);
        let mut key = vec![0; version.cancel_key_bytes()];
        self.shared.fill_random(&mut key);
        let id = session.inner().process_id() as i32;
        let cancel = session.inner().cancel_handle();
        if let Some(waker) = self.waker.take() {
            cancel.set_waker(waker);
        }
        cancel.set_peer(self.origin.peer());
        session.inner().time_all();
        crate::journal::connected(session.inner(), self.origin);
        self.session = Some(session);
        self.phase = Phase::Ready;
        self.channel.cancel = Some(cancel.clone());
        self.report_settings();
        backend::backend_key_data(&mut self.channel.output, id, &key);
        self.run_by(env::waiting::place_number());
        self.shared.enter(id, key, cancel);
        self.ready();
        Ok(())
    }
}

impl Login {
    /// Whether the client's certificate, where it must be the role's, is.
    fn is_certified(&self) -> bool {
        let name = self.tls.as_ref().and_then(|tls| tls.common_name.as_ref());
        self.client_cert != ClientCert::VerifyFull || name == Some(&self.user)
    }

    fn can_bind(&self) -> Option<&Vec<u8>> {
        self.tls.as_ref().and_then(|tls| tls.binding.as_ref())
    }

    fn mechanisms(&self) -> &'static [&'static str] {
        if self.can_bind().is_some() { &[SCRAM_SHA_256_PLUS, SCRAM_SHA_256] } else { &[SCRAM_SHA_256] }
    }

    /// What the channel is bound to by the mechanism that the client has chosen.
    fn binding(&self, mechanism: &[u8]) -> Result<ChannelBinding> {
        match self.can_bind() {
            Some(hash) if mechanism == SCRAM_SHA_256_PLUS.as_bytes() => Ok(ChannelBinding::Used(hash.clone())),
            Some(_) if mechanism == SCRAM_SHA_256.as_bytes() => Ok(ChannelBinding::Offered),
            None if mechanism == SCRAM_SHA_256.as_bytes() => Ok(ChannelBinding::Unavailable),
            _ => {
                let message = "client selected an invalid SASL authentication mechanism";
                Err(fatal(SqlState::PROTOCOL_VIOLATION, message))
            }
        }
    }
}

/// Settings from command-line options: `-c name=value`, `--name=value`; a backslash keeps the space behind it.
fn command_line(text: &str) -> Result<Vec<(String, String)>> {
    let mut words = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => words.last_mut().map(|w| w.extend(chars.next())).unwrap_or_default(),
            c if c.is_whitespace() => words.push(String::new()),
            c => words.last_mut().map(|w| w.push(c)).unwrap_or_default(),
        }
    }
    let mut settings = Vec::new();
    let mut words = words.into_iter().filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        let pair = match word.strip_prefix("--") {
            Some(pair) => pair.to_owned(),
            None => match word.strip_prefix("-c") {
                Some("") => words.next().unwrap_or_default(),
                Some(pair) => pair.to_owned(),
                None => {
                    let message = format!("invalid command-line argument for server process: {word}");
                    return Err(fatal(SqlState::SYNTAX_ERROR, message));
                }
            },
        };
        let Some((name, value)) = pair.split_once('=') else {
            let message = format!("-c {pair} requires a value");
            return Err(fatal(SqlState::SYNTAX_ERROR, message));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::command_line;

    #[test]
    fn options_are_cut_as_postgresql_does() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let found = command_line("-c statement_timeout=5s --application-name=a\\ b  -cx=1=2").unwrap();
        assert_eq!(found, [pair("statement_timeout", "5s"), pair("application_name", "a b"), pair("x", "1=2")]);
        assert!(command_line("-x").is_err());
        assert!(command_line("-c").is_err());
    }
}
