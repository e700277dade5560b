//! COPY from and to files of the machine that the engine runs on.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use types::{Result, SqlError, SqlState};

use super::{CopyIn, CopyOut};
use crate::session::{Session, Sink};

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// The system's words for an error, without Rust's number behind them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn state(error: &io::Error) -> SqlState {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SqlState::UNDEFINED_FILE,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => SqlState::INSUFFICIENT_PRIVILEGE,
        io::ErrorKind::IsADirectory => SqlState::WRONG_OBJECT_TYPE,
        io::ErrorKind::StorageFull => SqlState::DISK_FULL,
        _ => SqlState::IO_ERROR,
    }
}

fn failed(what: &str, path: &str, how: &str, error: &io::Error) -> SqlError {
    let how = if how.is_empty() { String::new() } else { format!(" for {how}") };
    SqlError::new(state(error), format!("could not {what} file \"{path}\"{how}: {}", reason(error)))
}

fn client_side(error: SqlError, direction: &str, verb: &str, kind: io::ErrorKind) -> SqlError {
    if !matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) {
        return error;
    }
    error.hint(format!(
        "COPY {direction} instructs the PostgreSQL server process to {verb} a file. You may want a client-side facility \
         such as psql's \\copy."
    ))
}

/// Opens the file of COPY FROM.
fn open(path: &str) -> Result<File> {
    let opened =
        File::open(path).map_err(|e| client_side(failed("open", path, "reading", &e), "FROM", "read", e.kind()))?;
    if opened.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{path}\" is a directory")));
    }
    Ok(opened)
}

/// Makes the file of COPY TO.
pub(super) fn create(path: &str) -> Result<(File, String)> {
    if !Path::new(path).is_absolute() {
        let message = "relative path not allowed for COPY to file";
        return Err(SqlError::new(SqlState::INVALID_NAME, message));
    }
    let file =
        File::create(path).map_err(|e| client_side(failed("open", path, "writing", &e), "TO", "write", e.kind()))?;
    Ok((file, path.to_owned()))
}

impl Session {
    pub(super) fn copy_from_file(&mut self, state: &mut CopyIn, path: &str, sink: &mut dyn Sink) -> Result<String> {
        let mut file = open(path)?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return state.finish(self, sink),
                Ok(n) => state.feed(self, &buffer[..n], sink)?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(state.with_line(failed("read from COPY", path, "", &e))),
            }
        }
    }

    pub(super) fn copy_to_file(&mut self, state: &mut CopyOut, file: File, path: &str) -> Result<String> {
        let mut file = BufWriter::new(file);
        let written = |e: io::Error| failed("write to COPY", path, "", &e);
        while let Some(()) = state.next(self, &mut |row| file.write_all(row).map_err(written))? {}
        file.flush().map_err(written)?;
        Ok(state.tag())
    }
}
