//! One thread that waits for all clients.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use super::PORT;
use super::answers::{Answers, Dialogue, Stay};
use crate::load::Poller;
use crate::peers::{child, endpoint};
use crate::stage::Failure;

/// The listener's number; clients have others.
const LISTENER: usize = 0;

/// Serves until this child shall end.
pub fn by_events(directory: &str) -> Result<(), Failure> {
    let listener = UnixListener::bind(endpoint::socket(Path::new(directory), PORT))?;
    listener.set_nonblocking(true)?;
    let poller = Poller::new()?;
    poller.add(&listener, LISTENER)?;
    std::thread::spawn(move || {
        if let Err(e) = serve(&listener, &poller) {
            eprintln!("bench: a server of canned answers: {e}");
            std::process::exit(1);
        }
    });
    child::ready()
}

fn serve(listener: &UnixListener, poller: &Poller) -> Result<(), Failure> {
    let answers = Answers::new();
    let mut clients: HashMap<usize, (UnixStream, Dialogue)> = HashMap::new();
    let (mut next, mut ready, mut input, mut output) = (LISTENER + 1, Vec::new(), [0; 4096], Vec::new());
    loop {
        poller.wait(Duration::from_secs(3600), &mut ready)?;
        for &number in &ready {
            if number == LISTENER {
                // Whoever is still waiting makes the listener ready again.
                let Ok((stream, _)) = listener.accept() else { continue };
                stream.set_nonblocking(true)?;
                poller.add(&stream, next)?;
                clients.insert(next, (stream, Dialogue::default()));
                next += 1;
                continue;
            }
            let Some((stream, dialogue)) = clients.get_mut(&number) else { continue };
            output.clear();
            let stays = match stream.read(&mut input) {
                Ok(0) => false,
                Ok(count) => {
                    let stay = answers.answer(dialogue, &input[..count], &mut output);
                    // Answers are short; a client that reads none of them is dropped.
                    stay == Stay::Stays && stream.write_all(&output).is_ok()
                }
                Err(e) => e.kind() == io::ErrorKind::WouldBlock,
            };
            if !stays {
                clients.remove(&number);
            }
        }
    }
}
