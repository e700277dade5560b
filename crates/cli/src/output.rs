//! Results and errors as text.

use comfy_table::{CellAlignment, Table, presets};
use session::{Chunk, OutputColumn, Sink};
use types::{IoSettings, Oid, Result, SqlError, oid};

/// Prints results as aligned tables.
#[derive(Default)]
pub struct Printer {
    table: Option<Table>,
    types: Vec<Oid>,
    rows: usize,
}

fn is_number(ty: Oid) -> bool {
    matches!(ty, oid::INT2 | oid::INT4 | oid::INT8 | oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC | oid::OID)
}

impl Sink for Printer {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(columns.iter().map(|c| c.name.clone()));
        for (i, c) in columns.iter().enumerate() {
            if is_number(c.ty)
                && let Some(column) = table.column_mut(i)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self.types = columns.iter().map(|c| c.ty).collect();
        self.table = Some(table);
        self.rows = 0;
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk) -> Result<()> {
        let settings = IoSettings::default();
        for i in 0..chunk.rows {
            let mut cells = Vec::with_capacity(self.types.len());
            for (column, &ty) in chunk.columns.iter().zip(&self.types) {
                let datum = column.get(i);
                cells.push(if datum.is_null() { String::new() } else { types::io::to_text(ty, &datum, &settings)? });
            }
            if let Some(table) = &mut self.table {
                table.add_row(cells);
            }
        }
        self.rows += chunk.rows;
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        match self.table.take() {
            Some(table) => {
                let s = if self.rows == 1 { "" } else { "s" };
                println!("{table}\n({} row{s})\n", self.rows);
            }
            None => println!("{tag}"),
        }
    }

    fn notice(&mut self, notice: &SqlError) {
        eprintln!("{}:  {}", notice.fields().severity.as_str(), notice.message());
    }
}

/// An error with everything that helps.
pub fn error_text(e: &SqlError) -> String {
    let mut text = format!("{}:  {}", e.fields().severity.as_str(), e.message());
    for (label, value) in [("DETAIL", &e.fields().detail), ("HINT", &e.fields().hint)] {
        if let Some(value) = value {
            text.push_str(&format!("\n{label}:  {value}"));
        }
    }
    text
}
