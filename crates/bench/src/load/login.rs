//! `Login`: what a client says until it is let in.

use bytes::{Bytes, BytesMut};
use wire::scram::{self, SCRAM_SHA_256, SaltedPassword};
use wire::{BackendMessage, FrontendMessage, ProtocolVersion, StartupMessage, StartupParameters};

use crate::peers::Endpoint;
use crate::stage::Failure;

/// What all logins at one endpoint have in common.
pub struct Credentials {
    password: Option<String>,
    /// Hashing it takes longer than all else of a login, and is the client's work, not the server's.
    kept: Option<SaltedPassword>,
    startup: Bytes,
    nonces: u64,
}

impl Credentials {
    /// Those of `endpoint`.
    pub fn new(endpoint: &Endpoint) -> Credentials {
        let parameters =
            StartupParameters::new([("user", endpoint.user), ("database", "postgres"), ("application_name", "bench")]);
        let mut startup = BytesMut::new();
        StartupMessage::Startup { version: ProtocolVersion::V3_0, parameters }.encode(&mut startup);
        Credentials { password: endpoint.password.map(str::to_owned), kept: None, startup: startup.freeze(), nonces: 0 }
    }

    /// The first message.
    pub fn startup(&self) -> Bytes {
        self.startup.clone()
    }
}

/// How far a login is.
#[derive(Default)]
pub enum Login {
    /// Nothing was asked yet.
    #[default]
    Begun,
    /// SCRAM's client-first was sent.
    First(scram::Client),
    /// SCRAM's client-final was sent.
    Final(scram::ClientFinal),
    /// Whatever was asked has been answered.
    Proven,
}

impl Login {
    /// Answers what the server says; nothing when it wants none.
    ///
    /// # Errors
    /// When the server refuses, does not know the password either, or wants what we have not.
    pub fn answer(&mut self, said: BackendMessage, credentials: &mut Credentials) -> Result<Option<BytesMut>, Failure> {
        let reply = match (std::mem::take(self), said) {
            (Login::Begun | Login::Proven, BackendMessage::AuthenticationOk) => {
                *self = Login::Proven;
                return Ok(None);
            }
            (Login::Begun, BackendMessage::AuthenticationSasl(mechanisms))
                if mechanisms.iter().any(|m| m == SCRAM_SHA_256) =>
            {
                let password = credentials.password.as_deref().ok_or("the server asks for a password")?;
                credentials.nonces += 1;
                // Unique is enough here: nobody listens on these sockets.
                let client = scram::Client::new("", password, &format!("bench{:018}", credentials.nonces));
                let response = Some(Bytes::from(client.first()));
                *self = Login::First(client);
                FrontendMessage::SaslInitialResponse {
                    mechanism: Bytes::from_static(SCRAM_SHA_256.as_bytes()),
                    response,
                }
            }
            (Login::First(client), BackendMessage::AuthenticationSaslContinue(message)) => {
                let (response, last) = client.server_first_kept(&message, &mut credentials.kept)?;
                *self = Login::Final(last);
                FrontendMessage::SaslResponse(Bytes::from(response))
            }
            (Login::Final(last), BackendMessage::AuthenticationSaslFinal(message)) => {
                last.server_final(&message)?;
                *self = Login::Proven;
                return Ok(None);
            }
            (_, BackendMessage::ErrorResponse(error)) => return Err(error.into()),
            (_, other) => return Err(format!("the server says {other:?} to a login").into()),
        };
        let mut bytes = BytesMut::new();
        reply.encode(&mut bytes);
        Ok(Some(bytes))
    }
}
