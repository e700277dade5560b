//! `Answers`: a server's bytes cut into messages, most of which are only counted past.

use bytes::BytesMut;
use wire::{BackendDecoder, BackendMessage};

use crate::stage::Failure;

/// What of an answer matters to the driver.
#[derive(Debug)]
pub enum Answer {
    /// ReadyForQuery: the answer is complete.
    Ready,
    /// An error, or what the login asks for.
    Said(BackendMessage),
}

const HEAD_BYTES: usize = 5;

/// Where in a server's stream of messages a client is.
#[derive(Default)]
pub struct Answers {
    /// Type and length of the message that has begun.
    head: [u8; HEAD_BYTES],
    head_bytes: usize,
    /// Of its body still to come.
    body_left: usize,
    /// Notifications so far.
    pub told: usize,
    /// The message itself, if it matters.
    kept: BytesMut,
}

impl Answers {
    /// Takes bytes off `input` up to the end of the next message that matters.
    ///
    /// # Errors
    /// When that message cannot be read.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Answer>, Failure> {
        loop {
            if self.head_bytes < HEAD_BYTES {
                let taken = input.len().min(HEAD_BYTES - self.head_bytes);
                self.head[self.head_bytes..][..taken].copy_from_slice(&input[..taken]);
                *input = &input[taken..];
                self.head_bytes += taken;
                if self.head_bytes < HEAD_BYTES {
                    return Ok(None);
                }
                let [_, length @ ..] = self.head;
                self.body_left =
                    (u32::from_be_bytes(length) as usize).checked_sub(4).ok_or("a message of no length")?;
                if self.matters() {
                    self.kept.extend_from_slice(&self.head);
                }
            }
            let taken = input.len().min(self.body_left);
            if self.matters() {
                self.kept.extend_from_slice(&input[..taken]);
            }
            *input = &input[taken..];
            self.body_left -= taken;
            if self.body_left > 0 {
                return Ok(None);
            }
            self.head_bytes = 0;
            self.told += usize::from(self.head[0] == b'A');
            if self.head[0] == b'Z' {
                return Ok(Some(Answer::Ready));
            }
            if self.matters() {
                let mut kept = std::mem::take(&mut self.kept);
                return Ok(BackendDecoder::default().decode(&mut kept)?.map(Answer::Said));
            }
        }
    }

    /// Errors and authentication.
    fn matters(&self) -> bool {
        matches!(self.head[0], b'E' | b'R')
    }
}

#[cfg(test)]
mod tests {
    use types::{SqlError, SqlState};
    use wire::{TransactionStatus, backend};

    use super::*;

    #[test]
    fn messages_are_found_wherever_the_stream_is_cut() {
        let mut stream = BytesMut::new();
        backend::authentication_ok(&mut stream);
        backend::parameter_status(&mut stream, "TimeZone", "UTC");
        backend::error_response(&mut stream, &SqlError::new(SqlState::UNDEFINED_TABLE, "none such"));
        backend::ready_for_query(&mut stream, TransactionStatus::Idle);
        for piece in 1..stream.len() {
            let (mut answers, mut found) = (Answers::default(), Vec::new());
            for mut bytes in stream.chunks(piece) {
                while let Some(answer) = answers.next(&mut bytes).expect("messages are whole") {
                    found.push(answer);
                }
                assert!(bytes.is_empty());
            }
            let [
                Answer::Said(BackendMessage::AuthenticationOk),
                Answer::Said(BackendMessage::ErrorResponse(e)),
                Answer::Ready,
            ] = &found[..]
            else {
                panic!("{found:?}");
            };
            assert_eq!(e.message(), "none such");
        }
    }

    #[test]
    fn a_length_that_cannot_be_is_refused() {
        assert!(Answers::default().next(&mut &b"Z\0\0\0\x03"[..]).is_err());
    }
}
