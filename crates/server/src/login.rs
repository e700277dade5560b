//! The start of a connection: encryption refused, cancel requests, proof of identity, first settings.

use std::io;
use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use types::error::Severity;
use types::{Result, SqlError, SqlState};
use wire::scram::{self, ChannelBinding, SCRAM_SHA_256, Verifier};
use wire::{AuthenticationReply, FrontendMessage, ProtocolVersion, StartupMessage, StartupParameters, backend, text};

use crate::channel::Incoming;
use crate::connection::{Connection, Phase, Step};
use crate::{LoginRole, Proof};

/// Random bytes of a SCRAM nonce.
const NONCE_BYTES: usize = 18;

fn fatal(state: SqlState, message: impl Into<String>) -> SqlError {
    SqlError::new(state, message).severity(Severity::Fatal)
}

/// What a client has said of itself, and how far its proof is.
pub(crate) struct Login {
    version: ProtocolVersion,
    user: String,
    parameters: StartupParameters,
    role: Option<LoginRole>,
    proof: Proving,
}

/// Where the SCRAM exchange is (RFC 5802, RFC 7677).
enum Proving {
    /// The client chooses a mechanism, and may say its first message at once.
    Mechanism(Box<scram::Server>),
    /// The client's first message.
    First(Box<scram::Server>),
    /// The client's last message.
    Final(Box<scram::ServerFinal>),
}

impl Connection {
    /// Reads a packet before there is a protocol.
    pub(crate) fn start(&mut self) -> io::Result<Step> {
        let (decoder, input) = self.channel.input();
        match decoder.startup(input) {
            Err(e) => Err(self.channel.fatal(e)),
            Ok(None) => Ok(Step::Nothing),
            Ok(Some(StartupMessage::SslRequest | StartupMessage::GssEncRequest)) => {
                if let Phase::Start(asked) = &mut self.phase {
                    *asked += 1;
                    if *asked > 2 {
                        let message = "unsupported frontend protocol: encryption was asked for again";
                        return Err(self.channel.fatal(SqlError::new(SqlState::PROTOCOL_VIOLATION, message)));
                    }
                }
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
                outcome.map(|()| Step::Went).map_err(|e| self.channel.fatal(e))
            }
        }
    }

    fn begin_login(&mut self, asked: ProtocolVersion, parameters: StartupParameters) -> Result<()> {
        let version = asked.negotiate()?;
        let user = text::utf8(parameters.user()?)?.to_owned();
        let options: Vec<&[u8]> = parameters.unrecognized_options().collect();
        if asked != version || !options.is_empty() {
            backend::negotiate_protocol_version(&mut self.channel.output, version, options.iter().copied());
        }
        let role = self.shared.credentials.role(&user)?;
        match self.proof {
            Proof::None => {
                may_log_in(&user, role.as_ref())?;
                self.open_session(version, &user, &parameters)
            }
            Proof::Scram => {
                let verifier = role.as_ref().filter(|r| r.can_login).and_then(|r| r.verifier.clone());
                let verifier = verifier.unwrap_or_else(|| Verifier::mock(user.as_bytes(), &self.shared.secret));
                backend::authentication_sasl(&mut self.channel.output, [SCRAM_SHA_256]);
                self.channel.decoder.expect(AuthenticationReply::SaslInitial);
                let mut nonce = [0; NONCE_BYTES];
                self.shared.fill_random(&mut nonce);
                let server = scram::Server::new(verifier, STANDARD.encode(nonce), ChannelBinding::Unavailable);
                let proof = Proving::Mechanism(Box::new(server));
                self.phase = Phase::Proof(Box::new(Login { version, user, parameters, role, proof }));
                Ok(())
            }
        }
    }

    /// Reads the next reply of the proof.
    pub(crate) fn prove(&mut self) -> io::Result<Step> {
        let message = match self.channel.next()? {
            Incoming::Nothing => return Ok(Step::Nothing),
            Incoming::Message(message) => message,
            Incoming::Malformed(_, e) => return Err(self.channel.fatal(e)),
        };
        let Phase::Proof(login) = std::mem::replace(&mut self.phase, Phase::Start(0)) else {
            return Err(crate::channel::gone());
        };
        self.reply(*login, message).map(|()| Step::Went).map_err(|e| self.channel.fatal(e))
    }

    fn reply(&mut self, mut login: Login, message: FrontendMessage) -> Result<()> {
        let unexpected = || fatal(SqlState::PROTOCOL_VIOLATION, "unexpected message while logging in");
        let (server, first) = match (login.proof, message) {
            (Proving::Mechanism(server), FrontendMessage::SaslInitialResponse { mechanism, response }) => {
                if &*mechanism != SCRAM_SHA_256.as_bytes() {
                    let message = "client selected an invalid SASL authentication mechanism";
                    return Err(fatal(SqlState::PROTOCOL_VIOLATION, message));
                }
                (server, response)
            }
            (Proving::First(server), FrontendMessage::SaslResponse(first)) => (server, Some(first)),
            (Proving::Final(server), FrontendMessage::SaslResponse(last)) => {
                let Some(answer) = server.client_final(&last)? else {
                    let message = format!("password authentication failed for user \"{}\"", login.user);
                    return Err(fatal(SqlState::INVALID_PASSWORD, message));
                };
                backend::authentication_sasl_final(&mut self.channel.output, answer.as_bytes());
                self.channel.decoder.authenticated();
                may_log_in(&login.user, login.role.as_ref())?;
                return self.open_session(login.version, &login.user, &login.parameters);
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
        cancel.set_waker(self.waker.take());
        self.session = Some(session);
        self.phase = Phase::Ready;
        self.report_settings();
        backend::backend_key_data(&mut self.channel.output, id, &key);
        self.channel.cancel = Some(cancel.clone());
        self.shared.enter(id, key, cancel);
        self.ready();
        Ok(())
    }
}

/// Who has proved to be `user` may log in if there is such a role and it may.
fn may_log_in(user: &str, role: Option<&LoginRole>) -> Result<()> {
    let message = match role {
        None => format!("role \"{user}\" does not exist"),
        Some(role) if !role.can_login => format!("role \"{user}\" is not permitted to log in"),
        Some(_) => return Ok(()),
    };
    Err(fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message))
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
