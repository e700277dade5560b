//! Writing a server's messages into a buffer.

#[cfg(test)]
mod captured;
pub mod data_row;
pub mod decode;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;

use bytes::{BufMut, BytesMut};
use types::{Oid, SqlError};

pub use self::data_row::DataRow;
pub use self::decode::{BackendDecoder, BackendMessage};
use crate::frame::{message, put_counted, put_string, put_value};
use crate::startup::ProtocolVersion;

/// Longer texts in error fields are cut, so that a message always fits its length field.
const ERROR_FIELD_BYTES_MAX: usize = 16 << 20;

/// A session's transaction status, as ReadyForQuery tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionStatus {
    /// No transaction block.
    Idle,
    /// In a transaction block.
    Block,
    /// In a failed transaction block.
    Failed,
}

/// A column of RowDescription.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldDescription<N = String> {
    /// Its label.
    pub name: N,
    /// The table it comes from, or none.
    pub table: Oid,
    /// Its number there, or 0.
    pub attribute: i16,
    /// Its type.
    pub type_oid: Oid,
    /// The type's size in bytes; negative for variable ones.
    pub type_bytes: i16,
    /// The type modifier, or -1.
    pub typmod: i32,
    /// 0 text, 1 binary.
    pub format: i16,
}

/// AuthenticationOk.
pub fn authentication_ok(buf: &mut BytesMut) {
    message(buf, b'R', |b| b.put_i32(0));
}

/// AuthenticationCleartextPassword.
pub fn authentication_cleartext_password(buf: &mut BytesMut) {
    message(buf, b'R', |b| b.put_i32(3));
}

/// AuthenticationSASL, offering `mechanisms`, the best first.
pub fn authentication_sasl<'a>(buf: &mut BytesMut, mechanisms: impl IntoIterator<Item = &'a str>) {
    message(buf, b'R', |b| {
        b.put_i32(10);
        mechanisms.into_iter().for_each(|m| put_string(b, m.as_bytes()));
        b.put_u8(0);
    });
}

/// AuthenticationSASLContinue.
pub fn authentication_sasl_continue(buf: &mut BytesMut, data: &[u8]) {
    message(buf, b'R', |b| {
        b.put_i32(11);
        b.put_slice(data);
    });
}

/// AuthenticationSASLFinal.
pub fn authentication_sasl_final(buf: &mut BytesMut, data: &[u8]) {
    message(buf, b'R', |b| {
        b.put_i32(12);
        b.put_slice(data);
    });
}

/// NegotiateProtocolVersion.
pub fn negotiate_protocol_version<'a>(
    buf: &mut BytesMut,
    version: ProtocolVersion,
    unrecognized_options: impl IntoIterator<Item = &'a [u8]>,
) {
    message(buf, b'v', |b| {
        b.put_i32(version.code());
        let at = b.len();
        b.put_u32(0);
        let mut count = 0u32;
        for option in unrecognized_options {
            put_string(b, option);
            count += 1;
        }
        b[at..at + 4].copy_from_slice(&count.to_be_bytes());
    });
}

/// ParameterStatus.
pub fn parameter_status(buf: &mut BytesMut, name: &str, value: &str) {
    message(buf, b'S', |b| {
        put_string(b, name.as_bytes());
        put_string(b, value.as_bytes());
    });
}

/// BackendKeyData; `key` has [`ProtocolVersion::cancel_key_bytes`] bytes.
pub fn backend_key_data(buf: &mut BytesMut, process_id: i32, key: &[u8]) {
    message(buf, b'K', |b| {
        b.put_i32(process_id);
        b.put_slice(key);
    });
}

/// ReadyForQuery.
pub fn ready_for_query(buf: &mut BytesMut, status: TransactionStatus) {
    message(buf, b'Z', |b| {
        b.put_u8(match status {
            TransactionStatus::Idle => b'I',
            TransactionStatus::Block => b'T',
            TransactionStatus::Failed => b'E',
        });
    });
}

/// RowDescription.
pub fn row_description<N: AsRef<str>, F: Borrow<FieldDescription<N>>>(
    buf: &mut BytesMut,
    fields: impl IntoIterator<Item = F>,
) {
    message(buf, b'T', |b| {
        put_counted(b, fields, |b, f| {
            let f = f.borrow();
            put_string(b, f.name.as_ref().as_bytes());
            b.put_u32(f.table.0);
            b.put_i16(f.attribute);
            b.put_u32(f.type_oid.0);
            b.put_i16(f.type_bytes);
            b.put_i32(f.typmod);
            b.put_i16(f.format);
        });
    });
}

/// ParameterDescription.
pub fn parameter_description(buf: &mut BytesMut, types: impl IntoIterator<Item = Oid>) {
    message(buf, b't', |b| put_counted(b, types, |b, o| b.put_u32(o.0)));
}

/// CommandComplete with a tag such as `INSERT 0 1`.
pub fn command_complete(buf: &mut BytesMut, tag: &str) {
    message(buf, b'C', |b| put_string(b, tag.as_bytes()));
}

/// EmptyQueryResponse.
pub fn empty_query_response(buf: &mut BytesMut) {
    message(buf, b'I', |_| {});
}

/// ParseComplete.
pub fn parse_complete(buf: &mut BytesMut) {
    message(buf, b'1', |_| {});
}

/// BindComplete.
pub fn bind_complete(buf: &mut BytesMut) {
    message(buf, b'2', |_| {});
}

/// CloseComplete.
pub fn close_complete(buf: &mut BytesMut) {
    message(buf, b'3', |_| {});
}

/// NoData.
pub fn no_data(buf: &mut BytesMut) {
    message(buf, b'n', |_| {});
}

/// PortalSuspended.
pub fn portal_suspended(buf: &mut BytesMut) {
    message(buf, b's', |_| {});
}

/// FunctionCallResponse.
pub fn function_call_response(buf: &mut BytesMut, value: Option<&[u8]>) {
    message(buf, b'V', |b| put_value(b, value));
}

/// NotificationResponse.
pub fn notification_response(buf: &mut BytesMut, process_id: i32, channel: &str, payload: &str) {
    message(buf, b'A', |b| {
        b.put_i32(process_id);
        put_string(b, channel.as_bytes());
        put_string(b, payload.as_bytes());
    });
}

/// CopyInResponse: the client may send; `format` 0 text or CSV, 1 binary, for each of `column_count` columns.
pub fn copy_in_response(buf: &mut BytesMut, format: u8, column_count: usize) {
    copy_response(buf, b'G', format, column_count);
}

/// CopyOutResponse: copy data follow.
pub fn copy_out_response(buf: &mut BytesMut, format: u8, column_count: usize) {
    copy_response(buf, b'H', format, column_count);
}

fn copy_response(buf: &mut BytesMut, tag: u8, format: u8, column_count: usize) {
    message(buf, tag, |b| {
        b.put_u8(format);
        put_counted(b, 0..column_count, |b, _| b.put_u16(u16::from(format)));
    });
}

/// CopyData holding `data`.
pub fn copy_data(buf: &mut BytesMut, data: &[u8]) {
    message(buf, b'd', |b| b.put_slice(data));
}

/// CopyData whose body `write` writes in place.
pub fn copy_data_with<R>(buf: &mut BytesMut, write: impl FnOnce(&mut BytesMut) -> R) -> R {
    let mut result = None;
    message(buf, b'd', |b| result = Some(write(b)));
    result.expect("message runs its body")
}

/// CopyDone.
pub fn copy_done(buf: &mut BytesMut) {
    message(buf, b'c', |_| {});
}

/// ErrorResponse.
pub fn error_response(buf: &mut BytesMut, error: &SqlError) {
    message(buf, b'E', |b| error_fields(b, error));
}

/// NoticeResponse; the severity is the error's own.
pub fn notice_response(buf: &mut BytesMut, notice: &SqlError) {
    message(buf, b'N', |b| error_fields(b, notice));
}

fn error_fields(buf: &mut BytesMut, error: &SqlError) {
    let (fields, state) = (error.fields(), error.state());
    let number = |n: Option<u32>| n.map(|n| n.to_string());
    let (position, internal_position) = (number(fields.position), number(fields.internal_position));
    let all = [
        (b'S', Some(fields.severity.as_str())),
        (b'V', Some(fields.severity.as_str())),
        (b'C', Some(state.as_str())),
        (b'M', Some(&fields.message[..])),
        (b'D', fields.detail.as_deref()),
        (b'H', fields.hint.as_deref()),
        (b'P', position.as_deref()),
        (b'p', internal_position.as_deref()),
        (b'q', fields.internal_query.as_deref()),
        (b'W', fields.context.as_deref()),
        (b's', fields.schema.as_deref()),
        (b't', fields.table.as_deref()),
        (b'c', fields.column.as_deref()),
        (b'd', fields.data_type.as_deref()),
        (b'n', fields.constraint.as_deref()),
    ];
    for (tag, text) in all {
        if let Some(text) = text {
            buf.put_u8(tag);
            put_string(buf, &text.as_bytes()[..text.floor_char_boundary(ERROR_FIELD_BYTES_MAX)]);
        }
    }
    buf.put_u8(0);
}
