//! A thread for each client.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

use super::PORT;
use super::answers::{Answers, Dialogue, Stay};
use crate::peers::child;
use crate::peers::endpoint;
use crate::stage::Failure;

/// Serves until this child shall end.
pub fn by_threads(directory: &str) -> Result<(), Failure> {
    let listener = UnixListener::bind(endpoint::socket(Path::new(directory), PORT))?;
    let answers = Arc::new(Answers::new());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = answers.clone();
            // Who gets no thread is dropped.
            let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(move || serve(&answers, stream));
        }
    });
    child::ready()
}

fn serve(answers: &Answers, mut stream: UnixStream) {
    let (mut dialogue, mut input, mut output) = (Dialogue::default(), [0; 4096], Vec::new());
    while let Ok(count) = stream.read(&mut input) {
        output.clear();
        let stay = answers.answer(&mut dialogue, &input[..count], &mut output);
        if count == 0 || stream.write_all(&output).is_err() || stay == Stay::Leaves {
            return;
        }
    }
}
