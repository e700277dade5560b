//! `Dialogue`: what a server of canned answers says to the bytes of a client.

use bytes::BytesMut;
use types::Oid;
use wire::backend::{self, FieldDescription, TransactionStatus};
use wire::{DataRow, ProtocolVersion};

/// Answers, encoded once.
pub struct Answers {
    welcome: Vec<u8>,
    row_description: Vec<u8>,
    row: Vec<u8>,
    parameters: Vec<u8>,
    parsed: Vec<u8>,
    bound: Vec<u8>,
    closed: Vec<u8>,
    ready: Vec<u8>,
}

/// Where one client is.
#[derive(Default)]
pub struct Dialogue {
    welcomed: bool,
    /// Input that is not a whole message yet.
    partial: Vec<u8>,
}

/// Whether a client stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stay {
    /// It does.
    Stays,
    /// It said good-bye, or nothing we know.
    Leaves,
}

fn encoded(write: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    write(&mut bytes);
    bytes.to_vec()
}

impl Answers {
    /// All of them.
    pub fn new() -> Answers {
        let field = FieldDescription {
            name: "?column?".to_owned(),
            table: Oid(0),
            attribute: 0,
            type_oid: Oid(23),
            type_bytes: 4,
            typmod: -1,
            format: 0,
        };
        let fields = [field];
        Answers {
            welcome: encoded(|b| {
                backend::authentication_ok(b);
                backend::parameter_status(b, "server_version", "15.0");
                backend::parameter_status(b, "client_encoding", "UTF8");
                backend::parameter_status(b, "standard_conforming_strings", "on");
                backend::backend_key_data(b, 1, &[0; 4]);
                backend::ready_for_query(b, TransactionStatus::Idle);
            }),
            row_description: encoded(|b| backend::row_description(b, &fields)),
            row: encoded(|b| {
                let mut row = DataRow::begin(b, 1);
                row.bytes(b"1");
                row.finish().expect("a short row");
                backend::command_complete(b, "SELECT 1");
            }),
            parameters: encoded(|b| backend::parameter_description(b, [Oid(23)])),
            parsed: encoded(backend::parse_complete),
            bound: encoded(backend::bind_complete),
            closed: encoded(backend::close_complete),
            ready: encoded(|b| backend::ready_for_query(b, TransactionStatus::Idle)),
        }
    }

    /// Appends to `output` what is said to `input`.
    pub fn answer(&self, dialogue: &mut Dialogue, input: &[u8], output: &mut Vec<u8>) -> Stay {
        if dialogue.partial.is_empty() {
            let (used, stay) = self.whole(&mut dialogue.welcomed, input, output);
            dialogue.partial.extend_from_slice(&input[used..]);
            return stay;
        }
        dialogue.partial.extend_from_slice(input);
        let (used, stay) = self.whole(&mut dialogue.welcomed, &dialogue.partial, output);
        dialogue.partial.drain(..used);
        stay
    }

    /// The same for the whole messages that `input` begins with; how many bytes they are.
    fn whole(&self, welcomed: &mut bool, input: &[u8], output: &mut Vec<u8>) -> (usize, Stay) {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            // The first message has no type.
            let head = usize::from(*welcomed);
            let Some(&[a, b, c, d]) = rest.get(head..head + 4) else { return (used, Stay::Stays) };
            let bytes = head + u32::from_be_bytes([a, b, c, d]) as usize;
            let Some(message) = rest.get(..bytes) else { return (used, Stay::Stays) };
            used += bytes;
            if !*welcomed {
                if message.get(4..8) != Some(&ProtocolVersion::V3_0.code().to_be_bytes()) {
                    return (used, Stay::Leaves);
                }
                *welcomed = true;
                output.extend_from_slice(&self.welcome);
                continue;
            }
            let said: &[&Vec<u8>] = match message[0] {
                b'Q' => &[&self.row_description, &self.row, &self.ready],
                b'P' => &[&self.parsed],
                b'B' => &[&self.bound],
                b'D' if message.get(5) == Some(&b'S') => &[&self.parameters, &self.row_description],
                b'D' => &[&self.row_description],
                b'E' => &[&self.row],
                b'C' => &[&self.closed],
                b'S' => &[&self.ready],
                b'H' => &[],
                _ => return (used, Stay::Leaves),
            };
            said.iter().for_each(|bytes| output.extend_from_slice(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::frontend::encode as frontend;
    use wire::{BackendDecoder, BackendMessage, StartupMessage, StartupParameters};

    #[test]
    fn the_dialogue_is_the_same_wherever_the_input_is_cut() {
        let mut input = BytesMut::new();
        let parameters = StartupParameters::new([("user", "somebody")]);
        StartupMessage::Startup { version: ProtocolVersion::V3_0, parameters }.encode(&mut input);
        frontend::query(&mut input, "SELECT 1");
        frontend::parse(&mut input, "s", "SELECT $1", &[]);
        frontend::describe(&mut input, wire::Target::Statement, "s");
        frontend::bind(&mut input, "", "s", &[], &[Some(b"1")], &[]);
        frontend::describe(&mut input, wire::Target::Portal, "");
        frontend::execute(&mut input, "", 0);
        frontend::sync(&mut input);
        let answers = Answers::new();
        let said = |piece| {
            let (mut dialogue, mut output) = (Dialogue::default(), Vec::new());
            for bytes in input.chunks(piece) {
                assert_eq!(answers.answer(&mut dialogue, bytes, &mut output), Stay::Stays);
            }
            output
        };
        let whole = said(input.len());
        for piece in 1..input.len() {
            assert_eq!(said(piece), whole);
        }
        let (mut bytes, mut ready) = (BytesMut::from(&whole[..]), 0);
        while let Some(message) = BackendDecoder::default().decode(&mut bytes).expect("messages are whole") {
            ready += usize::from(matches!(message, BackendMessage::ReadyForQuery(_)));
        }
        assert!(bytes.is_empty() && ready == 3);
    }
}
