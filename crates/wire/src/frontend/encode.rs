//! Writing a client's messages, for tests and load drivers.

use bytes::{BufMut, BytesMut};
use types::Oid;

use super::{FrontendMessage, Target};
use crate::frame::{message, put_counted, put_string, put_value};

/// Query.
pub fn query(buf: &mut BytesMut, sql: &str) {
    message(buf, b'Q', |b| put_string(b, sql.as_bytes()));
}

/// Parse.
pub fn parse(buf: &mut BytesMut, statement: &str, sql: &str, parameter_types: &[Oid]) {
    message(buf, b'P', |b| {
        put_string(b, statement.as_bytes());
        put_string(b, sql.as_bytes());
        put_counted(b, parameter_types, |b, o| b.put_u32(o.0));
    });
}

/// Bind.
pub fn bind(
    buf: &mut BytesMut,
    portal: &str,
    statement: &str,
    parameter_formats: &[i16],
    parameters: &[Option<&[u8]>],
    result_formats: &[i16],
) {
    message(buf, b'B', |b| {
        put_string(b, portal.as_bytes());
        put_string(b, statement.as_bytes());
        put_counted(b, parameter_formats, |b, f| b.put_i16(*f));
        put_counted(b, parameters, |b, v| put_value(b, *v));
        put_counted(b, result_formats, |b, f| b.put_i16(*f));
    });
}

/// Describe.
pub fn describe(buf: &mut BytesMut, target: Target, name: &str) {
    targeted(buf, b'D', target, name.as_bytes());
}

/// Close.
pub fn close(buf: &mut BytesMut, target: Target, name: &str) {
    targeted(buf, b'C', target, name.as_bytes());
}

/// Execute; `row_count_max` 0 is no limit.
pub fn execute(buf: &mut BytesMut, portal: &str, row_count_max: i32) {
    message(buf, b'E', |b| {
        put_string(b, portal.as_bytes());
        b.put_i32(row_count_max);
    });
}

/// Sync.
pub fn sync(buf: &mut BytesMut) {
    message(buf, b'S', |_| {});
}

/// Terminate.
pub fn terminate(buf: &mut BytesMut) {
    message(buf, b'X', |_| {});
}

fn targeted(buf: &mut BytesMut, tag: u8, target: Target, name: &[u8]) {
    message(buf, tag, |b| {
        b.put_u8(match target {
            Target::Statement => b'S',
            Target::Portal => b'P',
        });
        put_string(b, name);
    });
}

impl FrontendMessage {
    /// Writes the message.
    pub fn encode(&self, buf: &mut BytesMut) {
        match self {
            FrontendMessage::Query(sql) => message(buf, b'Q', |b| put_string(b, sql)),
            FrontendMessage::Parse { statement, query, parameter_types } => message(buf, b'P', |b| {
                put_string(b, statement);
                put_string(b, query);
                parameter_types.write(b);
            }),
            FrontendMessage::Bind { portal, statement, parameter_formats, parameters, result_formats } => {
                message(buf, b'B', |b| {
                    put_string(b, portal);
                    put_string(b, statement);
                    parameter_formats.write(b);
                    parameters.write(b);
                    result_formats.write(b);
                });
            }
            FrontendMessage::Describe { target, name } => targeted(buf, b'D', *target, name),
            FrontendMessage::Close { target, name } => targeted(buf, b'C', *target, name),
            FrontendMessage::Execute { portal, row_count_max } => message(buf, b'E', |b| {
                put_string(b, portal);
                b.put_i32(*row_count_max);
            }),
            FrontendMessage::Flush => message(buf, b'H', |_| {}),
            FrontendMessage::Sync => sync(buf),
            FrontendMessage::FunctionCall { function, argument_formats, arguments, result_format } => {
                message(buf, b'F', |b| {
                    b.put_u32(function.0);
                    argument_formats.write(b);
                    arguments.write(b);
                    b.put_i16(*result_format);
                });
            }
            FrontendMessage::CopyData(data) => message(buf, b'd', |b| b.put_slice(data)),
            FrontendMessage::CopyDone => message(buf, b'c', |_| {}),
            FrontendMessage::CopyFail(why) => message(buf, b'f', |b| put_string(b, why)),
            FrontendMessage::Password(password) => message(buf, b'p', |b| put_string(b, password)),
            FrontendMessage::SaslInitialResponse { mechanism, response } => message(buf, b'p', |b| {
                put_string(b, mechanism);
                put_value(b, response.as_deref());
            }),
            FrontendMessage::SaslResponse(response) => message(buf, b'p', |b| b.put_slice(response)),
            FrontendMessage::Terminate => terminate(buf),
        }
    }
}
