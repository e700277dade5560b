//! `Printer`: where a statement's results go: standard output and error, files for `\copy`.

use std::io::{self, Read, Write};

use bytes::Bytes;
use session::{Chunk, CopyShape, OutputColumn, Sink};
use types::error::Severity;

use types::{IoSettings, Oid, Result, SqlError, SqlState, oid};

use super::source::Source;
use super::table::{Style, Table};

/// What COPY's data are read from or written to.
pub enum CopyEnd<'a> {
    /// The lines after the statement, up to `\.`; standard output.
    Script(&'a mut dyn Source),
    /// A file.
    File(Box<dyn ReadWrite + 'a>),
    /// Nothing to read; standard output.
    Nothing,
}

/// Read for COPY FROM, written for COPY TO.
pub trait ReadWrite {
    /// Some more bytes; 0 at the end.
    ///
    /// # Errors
    /// The system's.
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all of it.
    ///
    /// # Errors
    /// The system's.
    fn write_some(&mut self, data: &[u8]) -> io::Result<()>;
}

/// A file, read or written.
pub enum CopyFile<R: Read, W: Write> {
    /// To read.
    In(R),
    /// To write.
    Out(W),
}

impl<R: Read, W: Write> ReadWrite for CopyFile<R, W> {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            CopyFile::In(r) => r.read(buffer),
            CopyFile::Out(_) => Ok(0),
        }
    }
    fn write_some(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            CopyFile::In(_) => Ok(()),
            CopyFile::Out(w) => w.write_all(data),
        }
    }
}

/// Prints results.
pub struct Printer<'a> {
    pub style: Style,
    pub settings: IoSettings,
    pub quiet: bool,
    pub verbose: bool,
    /// Before errors and notices: where a script is.
    pub prefix: String,
    pub copy: CopyEnd<'a>,
    table: Option<Table>,
    types: Vec<Oid>,
    copied_out: bool,
    /// Within the data of COPY FROM.
    reading: bool,
}

impl<'a> Printer<'a> {
    pub fn new(style: Style, settings: IoSettings, copy: CopyEnd<'a>) -> Printer<'a> {
        Printer {
            style,
            settings,
            quiet: false,
            verbose: false,
            prefix: String::new(),
            copy,
            table: None,
            types: Vec::new(),
            copied_out: false,
            reading: false,
        }
    }

    fn read_data(&mut self) -> Result<Option<Bytes>> {
        match &mut self.copy {
            CopyEnd::Script(source) => match source.data_line().map_err(|e| failed("could not read", &e))? {
                Some(line) if matches!(&line[..], b"\\.\n" | b"\\.\r\n" | b"\\.") => Ok(None),
                Some(line) => Ok(Some(line.into())),
                None => Ok(None),
            },
            CopyEnd::File(file) => {
                let mut buffer = vec![0; 64 << 10];
                let n = file.read_some(&mut buffer).map_err(|e| failed("could not read", &e))?;
                buffer.truncate(n);
                Ok((n > 0).then(|| buffer.into()))
            }
            CopyEnd::Nothing => Ok(None),
        }
    }

    /// Reads what a failed COPY left of its data, so that a script goes on behind them.
    pub fn skip_data(&mut self) {
        while std::mem::take(&mut self.reading) {
            if !matches!(self.copy_read(), Ok(Some(_))) {
                return;
            }
        }
    }

    /// Where the script is now.
    pub fn place(&self) -> String {
        match &self.copy {
            CopyEnd::Script(source) => source.place(),
            _ => self.prefix.clone(),
        }
    }
}

fn is_number(ty: Oid) -> bool {
    // oid, xid, cid, xid8, money too, as psql has it.
    matches!(ty, oid::INT2 | oid::INT4 | oid::INT8 | oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC)
        || matches!(ty.0, 26 | 28 | 29 | 790 | 5069)
}

fn failed(what: &str, e: &io::Error) -> SqlError {
    SqlError::new(SqlState::QUERY_CANCELED, format!("COPY from stdin failed: {what}: {e}"))
}

/// Prints to standard output; a reader that went away ends the program as it does others.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

impl Sink for Printer<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        let columns_shown = columns.iter().map(|c| (c.name.clone(), is_number(c.ty))).collect();
        self.types = columns.iter().map(|c| c.ty).collect();
        self.table = Some(Table { columns: columns_shown, ..Table::default() });
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        let mut text = Vec::new();
        for i in 0..chunk.rows {
            let mut row = Vec::with_capacity(self.types.len());
            for (column, &ty) in chunk.columns.iter().zip(&self.types) {
                let datum = column.get(i);
                row.push(match datum.is_null() {
                    true => None,
                    false => {
                        text.clear();
                        types::io::text_out_with(ty, &datum, &self.settings, names, &mut text)?;
                        Some(String::from_utf8_lossy(&text).into_owned())
                    }
                });
            }
            if let Some(table) = &mut self.table {
                table.rows.push(row);
            }
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        let table = self.table.take();
        if let Some(table) = &table {
            print(&table.print(&self.style));
        }
        // What psql does not say either: that rows were selected or shown, or written to where it would be in the way.
        let rows_alone = table.is_some() && !["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|w| tag.starts_with(w));
        let silent = self.quiet || tag == "SHOW" || rows_alone || self.copied_out;
        if !silent {
            print(&format!("{tag}\n"));
        }
        self.copied_out = false;
    }

    fn notice(&mut self, notice: &SqlError) {
        if !self.quiet || notice.fields().severity == Severity::Warning {
            eprintln!("{}{}", self.place(), crate::output::report(notice, None, self.verbose));
        }
    }

    fn copy_in(&mut self, _: CopyShape) -> Result<()> {
        self.reading = true;
        if let CopyEnd::Script(source) = &mut self.copy
            && source.is_terminal()
        {
            print(
                "Enter data to be copied followed by a newline.\n\
                 End with a backslash and a period on a line by itself, or an EOF signal.\n",
            );
        }
        Ok(())
    }

    fn copy_read(&mut self) -> Result<Option<Bytes>> {
        let read = self.read_data();
        self.reading = matches!(read, Ok(Some(_)));
        read
    }

    fn copy_out(&mut self, _: CopyShape) -> Result<()> {
        self.copied_out = !matches!(self.copy, CopyEnd::File(_));
        Ok(())
    }

    fn copy_data(&mut self, row: &[u8]) -> Result<()> {
        let outcome = match &mut self.copy {
            CopyEnd::File(file) => file.write_some(row),
            _ => io::stdout().write_all(row),
        };
        outcome.map_err(|e| SqlError::new(SqlState::IO_ERROR, format!("could not write COPY data: {e}")))
    }
}
