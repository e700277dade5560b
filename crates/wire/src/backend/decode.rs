//! Reading a server's messages, for tests and load drivers.

use bytes::{Buf, Bytes, BytesMut};
use types::error::Severity;
use types::{Result, SqlError, SqlState};

use super::{self as backend, FieldDescription, TransactionStatus};
use crate::cursor::Cursor;
use crate::frame::{ALLOCATION_BYTES_MAX, message};
use crate::startup::ProtocolVersion;
use crate::values::{Formats, Oids, Values};
use crate::violation;

/// A server's message.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the protocol's")]
pub enum BackendMessage {
    AuthenticationOk,
    AuthenticationCleartextPassword,
    AuthenticationSasl(Vec<String>),
    AuthenticationSaslContinue(Bytes),
    AuthenticationSaslFinal(Bytes),
    NegotiateProtocolVersion { version: ProtocolVersion, unrecognized_options: Vec<Bytes> },
    ParameterStatus { name: String, value: String },
    BackendKeyData { process_id: i32, key: Bytes },
    ReadyForQuery(TransactionStatus),
    RowDescription(Vec<FieldDescription>),
    ParameterDescription(Oids),
    DataRow(Values),
    CommandComplete(String),
    EmptyQueryResponse,
    ErrorResponse(SqlError),
    NoticeResponse(SqlError),
    NotificationResponse { process_id: i32, channel: String, payload: String },
    ParseComplete,
    BindComplete,
    CloseComplete,
    NoData,
    PortalSuspended,
    FunctionCallResponse(Option<Bytes>),
    CopyInResponse { format: u8, column_formats: Formats },
    CopyOutResponse { format: u8, column_formats: Formats },
    CopyData(Bytes),
    CopyDone,
}

/// Cuts a server's messages off the front of a buffer.
#[derive(Clone, Copy, Debug)]
pub struct BackendDecoder {
    body_bytes_max: usize,
}

impl Default for BackendDecoder {
    fn default() -> BackendDecoder {
        BackendDecoder { body_bytes_max: ALLOCATION_BYTES_MAX }
    }
}

impl BackendDecoder {
    /// A decoder refusing bodies longer than `body_bytes_max`.
    pub fn new(body_bytes_max: usize) -> BackendDecoder {
        BackendDecoder { body_bytes_max }
    }

    /// The next message. `None`: read more.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<BackendMessage>> {
        let (Some(&tag), Some(mut head)) = (buf.first(), buf.get(1..5)) else { return Ok(None) };
        let body_bytes = usize::try_from(i64::from(head.get_i32()) - 4)
            .ok()
            .filter(|&n| n <= self.body_bytes_max)
            .ok_or_else(|| violation("invalid message length").severity(Severity::Fatal))?;
        if buf.len() < 5 + body_bytes {
            return Ok(None);
        }
        buf.advance(5);
        let mut body = Cursor(buf.split_to(body_bytes).freeze());
        let message = read(tag, &mut body)?;
        body.end()?;
        Ok(Some(message))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(tag: u8, body: &mut Cursor) -> Result<BackendMessage> {
    use BackendMessage as M;
    Ok(match tag {
        b'R' => match body.i32()? {
            0 => M::AuthenticationOk,
            3 => M::AuthenticationCleartextPassword,
            10 => M::AuthenticationSasl(strings_to_empty(body)?),
            11 => M::AuthenticationSaslContinue(body.rest()),
            12 => M::AuthenticationSaslFinal(body.rest()),
            n => return Err(SqlError::unsupported(format_args!("authentication method {n}"))),
        },
        b'v' => {
            let version = ProtocolVersion::from_code(body.i32()?);
            let count = body.i32()?;
            let unrecognized_options = (0..count).map(|_| body.string()).collect::<Result<_>>()?;
            M::NegotiateProtocolVersion { version, unrecognized_options }
        }
        b'S' => M::ParameterStatus { name: text(&body.string()?), value: text(&body.string()?) },
        b'K' => M::BackendKeyData { process_id: body.i32()?, key: body.rest() },
        b'Z' => M::ReadyForQuery(match body.byte()? {
            b'I' => TransactionStatus::Idle,
            b'T' => TransactionStatus::Block,
            b'E' => TransactionStatus::Failed,
            _ => return Err(violation("invalid message format")),
        }),
        b'T' => {
            let count = body.u16()?;
            M::RowDescription((0..count).map(|_| field(body)).collect::<Result<_>>()?)
        }
        b't' => M::ParameterDescription(Oids::read(body)?),
        b'D' => M::DataRow(Values::read(body)?),
        b'C' => M::CommandComplete(text(&body.string()?)),
        b'I' => M::EmptyQueryResponse,
        b'E' => M::ErrorResponse(error(body)?),
        b'N' => M::NoticeResponse(error(body)?),
        b'A' => M::NotificationResponse {
            process_id: body.i32()?,
            channel: text(&body.string()?),
            payload: text(&body.string()?),
        },
        b'1' => M::ParseComplete,
        b'2' => M::BindComplete,
        b'3' => M::CloseComplete,
        b'n' => M::NoData,
        b's' => M::PortalSuspended,
        b'V' => M::FunctionCallResponse(body.value()?),
        b'G' => M::CopyInResponse { format: body.byte()?, column_formats: Formats::read(body)? },
        b'H' => M::CopyOutResponse { format: body.byte()?, column_formats: Formats::read(body)? },
        b'd' => M::CopyData(body.rest()),
        b'c' => M::CopyDone,
        _ => return Err(violation(format!("invalid backend message type {tag}"))),
    })
}

fn strings_to_empty(body: &mut Cursor) -> Result<Vec<String>> {
    let mut all = Vec::new();
    loop {
        let one = body.string()?;
        if one.is_empty() {
            return Ok(all);
        }
        all.push(text(&one));
    }
}

fn field(body: &mut Cursor) -> Result<FieldDescription> {
    Ok(FieldDescription {
        name: text(&body.string()?),
        table: body.oid()?,
        attribute: body.i16()?,
        type_oid: body.oid()?,
        type_bytes: body.i16()?,
        typmod: body.i32()?,
        format: body.i16()?,
    })
}

/// The fields of an error. `F`, `L`, `R` (places in a server's source) and unknown ones are dropped, as is the
/// translated severity `S` when `V` is there.
fn error(body: &mut Cursor) -> Result<SqlError> {
    let mut error = SqlError::new(SqlState::INTERNAL_ERROR, "");
    let mut state = SqlState::INTERNAL_ERROR;
    loop {
        let tag = body.byte()?;
        if tag == 0 {
            break;
        }
        let bytes = body.string()?;
        let value = text(&bytes);
        let f = error.fields_mut();
        match tag {
            b'S' | b'V' => {
                f.severity = match &value[..] {
                    "ERROR" => Severity::Error,
                    "FATAL" | "PANIC" => Severity::Fatal,
                    "WARNING" => Severity::Warning,
                    "NOTICE" => Severity::Notice,
                    "INFO" | "LOG" | "DEBUG" => Severity::Info,
                    _ => f.severity,
                }
            }
            b'C' => match <[u8; 5]>::try_from(&bytes[..]) {
                Ok(code) if code.is_ascii() => state = SqlState(code),
                _ => return Err(violation("invalid message format")),
            },
            b'M' => f.message = value,
            b'D' => f.detail = Some(value),
            b'H' => f.hint = Some(value),
            b'P' => f.position = value.parse().ok(),
            b'p' => f.internal_position = value.parse().ok(),
            b'q' => f.internal_query = Some(value),
            b'W' => f.context = Some(value),
            b's' => f.schema = Some(value),
            b't' => f.table = Some(value),
            b'c' => f.column = Some(value),
            b'd' => f.data_type = Some(value),
            b'n' => f.constraint = Some(value),
            _ => {}
        }
    }
    let mut whole = SqlError::new(state, "");
    *whole.fields_mut() = std::mem::take(error.fields_mut());
    Ok(whole)
}

impl BackendMessage {
    /// Writes the message again.
    pub fn encode(&self, buf: &mut BytesMut) {
        use BackendMessage as M;
        match self {
            M::AuthenticationOk => backend::authentication_ok(buf),
            M::AuthenticationCleartextPassword => backend::authentication_cleartext_password(buf),
            M::AuthenticationSasl(m) => backend::authentication_sasl(buf, m.iter().map(|m| &m[..])),
            M::AuthenticationSaslContinue(data) => backend::authentication_sasl_continue(buf, data),
            M::AuthenticationSaslFinal(data) => backend::authentication_sasl_final(buf, data),
            M::NegotiateProtocolVersion { version, unrecognized_options } => {
                backend::negotiate_protocol_version(buf, *version, unrecognized_options.iter().map(|o| &o[..]));
            }
            M::ParameterStatus { name, value } => backend::parameter_status(buf, name, value),
            M::BackendKeyData { process_id, key } => backend::backend_key_data(buf, *process_id, key),
            M::ReadyForQuery(status) => backend::ready_for_query(buf, *status),
            M::RowDescription(fields) => backend::row_description(buf, fields),
            M::ParameterDescription(oids) => backend::parameter_description(buf, oids.iter()),
            M::DataRow(values) => message(buf, b'D', |b| values.write(b)),
            M::CommandComplete(tag) => backend::command_complete(buf, tag),
            M::EmptyQueryResponse => backend::empty_query_response(buf),
            M::ErrorResponse(error) => backend::error_response(buf, error),
            M::NoticeResponse(notice) => backend::notice_response(buf, notice),
            M::NotificationResponse { process_id, channel, payload } => {
                backend::notification_response(buf, *process_id, channel, payload);
            }
            M::ParseComplete => backend::parse_complete(buf),
            M::BindComplete => backend::bind_complete(buf),
            M::CloseComplete => backend::close_complete(buf),
            M::NoData => backend::no_data(buf),
            M::PortalSuspended => backend::portal_suspended(buf),
            M::FunctionCallResponse(value) => backend::function_call_response(buf, value.as_deref()),
            M::CopyInResponse { format, column_formats } => {
                backend::copy_in_response(buf, *format, column_formats.len());
            }
            M::CopyOutResponse { format, column_formats } => {
                backend::copy_out_response(buf, *format, column_formats.len());
            }
            M::CopyData(data) => backend::copy_data(buf, data),
            M::CopyDone => backend::copy_done(buf),
        }
    }
}
