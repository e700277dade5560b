//! The start of a connection: encryption refused, cancel requests, proof of identity, first settings.

use std::io;
use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use types::error::Severity;
use types::{Result, SqlError, SqlState};
use wire::scram::{self, ChannelBinding, SCRAM_SHA_256, Verifier};
use wire::{AuthenticationReply, FrontendMessage, ProtocolVersion, StartupMessage, StartupParameters, backend, text};

use crate::Proof;
use crate::channel::Incoming;
use crate::connection::Connection;

/// Random bytes of a SCRAM nonce.
const NONCE_BYTES: usize = 18;

fn fatal(state: SqlState, message: impl Into<String>) -> SqlError {
    SqlError::new(state, message).severity(Severity::Fatal)
}

impl Connection {
    /// Reads packets until a session is there; false when there is to be none.
    pub(crate) fn log_in(&mut self) -> io::Result<bool> {
        let mut encryption_asked = 0;
        loop {
            let (decoder, input) = self.channel.input();
            match decoder.startup(input) {
                Err(e) => return Err(self.channel.fatal(e)),
                Ok(None) => self.channel.read_more()?,
                Ok(Some(StartupMessage::SslRequest | StartupMessage::GssEncRequest)) => {
                    encryption_asked += 1;
                    if encryption_asked > 2 {
                        let message = "unsupported frontend protocol: encryption was asked for again";
                        return Err(self.channel.fatal(SqlError::new(SqlState::PROTOCOL_VIOLATION, message)));
                    }
                    self.channel.output.extend_from_slice(b"N");
                    self.channel.flush()?;
                }
                Ok(Some(StartupMessage::Cancel(request))) => {
                    let live = self.shared.live.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(entry) = live.get(&request.process_id)
                        && wire::scram::same_bytes(&entry.key, &request.key)
                    {
                        entry.cancel.cancel();
                    }
                    return Ok(false);
                }
                Ok(Some(StartupMessage::Startup { version, parameters })) => {
                    return match self.start(version, &parameters) {
                        Ok(Ok(())) => Ok(true),
                        Ok(Err(e)) => Err(self.channel.fatal(e)),
                        Err(e) => Err(e),
                    };
                }
            }
        }
    }

    /// The outer error is the stream's, the inner one the client's.
    fn start(&mut self, asked: ProtocolVersion, parameters: &StartupParameters) -> io::Result<Result<()>> {
        let version = match asked.negotiate() {
            Ok(version) => version,
            Err(e) => return Ok(Err(e)),
        };
        let user = match parameters.user().and_then(|u| Ok(text::utf8(u)?.to_owned())) {
            Ok(user) => user,
            Err(e) => return Ok(Err(e)),
        };
        let options: Vec<&[u8]> = parameters.unrecognized_options().collect();
        if asked != version || !options.is_empty() {
            backend::negotiate_protocol_version(&mut self.channel.output, version, options.iter().copied());
        }
        match self.prove(&user)? {
            Ok(()) => Ok(self.open_session(version, &user, parameters)),
            Err(e) => Ok(Err(e)),
        }
    }

    /// Has the client prove that it is `user`.
    fn prove(&mut self, user: &str) -> io::Result<Result<()>> {
        let role = match self.shared.credentials.role(user) {
            Ok(role) => role,
            Err(e) => return Ok(Err(e)),
        };
        if self.proof == Proof::Scram {
            let verifier = role.as_ref().filter(|r| r.can_login).and_then(|r| r.verifier.clone());
            let verifier = verifier.unwrap_or_else(|| Verifier::mock(user.as_bytes(), &self.shared.secret));
            match self.scram(verifier)? {
                Ok(true) => {}
                Ok(false) => {
                    let message = format!("password authentication failed for user \"{user}\"");
                    return Ok(Err(fatal(SqlState::INVALID_PASSWORD, message)));
                }
                Err(e) => return Ok(Err(e)),
            }
        }
        Ok(match role {
            None => {
                let message = format!("role \"{user}\" does not exist");
                Err(fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message))
            }
            Some(role) if !role.can_login => {
                let message = format!("role \"{user}\" is not permitted to log in");
                Err(fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message))
            }
            Some(_) => Ok(()),
        })
    }

    /// The SCRAM exchange; whether the password fits.
    fn scram(&mut self, verifier: Verifier) -> io::Result<Result<bool>> {
        backend::authentication_sasl(&mut self.channel.output, [SCRAM_SHA_256]);
        let FrontendMessage::SaslInitialResponse { mechanism, response } =
            self.reply(AuthenticationReply::SaslInitial)?
        else {
            return Err(crate::channel::gone());
        };
        if &*mechanism != SCRAM_SHA_256.as_bytes() {
            let message = "client selected an invalid SASL authentication mechanism";
            return Ok(Err(fatal(SqlState::PROTOCOL_VIOLATION, message)));
        }
        let mut nonce = [0; NONCE_BYTES];
        self.shared.fill_random(&mut nonce);
        let server = scram::Server::new(verifier, STANDARD.encode(nonce), ChannelBinding::Unavailable);
        let first = match response {
            Some(first) => first,
            None => {
                backend::authentication_sasl_continue(&mut self.channel.output, b"");
                let FrontendMessage::SaslResponse(first) = self.reply(AuthenticationReply::Sasl)? else {
                    return Err(crate::channel::gone());
                };
                first
            }
        };
        let (answer, server) = match server.client_first(&first) {
            Ok(answered) => answered,
            Err(e) => return Ok(Err(e)),
        };
        backend::authentication_sasl_continue(&mut self.channel.output, answer.as_bytes());
        let FrontendMessage::SaslResponse(last) = self.reply(AuthenticationReply::Sasl)? else {
            return Err(crate::channel::gone());
        };
        Ok(match server.client_final(&last) {
            Ok(Some(answer)) => {
                backend::authentication_sasl_final(&mut self.channel.output, answer.as_bytes());
                self.channel.decoder.authenticated();
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(e) => Err(e),
        })
    }

    fn reply(&mut self, reply: AuthenticationReply) -> io::Result<FrontendMessage> {
        self.channel.decoder.expect(reply);
        self.channel.flush()?;
        match self.channel.receive()? {
            Incoming::Message(message) => Ok(message),
            Incoming::Malformed(_, e) => Err(self.channel.fatal(e)),
        }
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
        let cancel = session.cancel_handle();
        self.session = Some(session);
        self.report_settings();
        backend::backend_key_data(&mut self.channel.output, id, &key);
        self.shared.enter(id, key, cancel, self.closer.take());
        Ok(())
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
