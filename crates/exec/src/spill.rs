//! `Spill`: rows that left memory, in a file without a name.
//!
//! The file is removed from its directory as soon as it is open, so that nothing is left of it, whatever happens.

use std::sync::Arc;

use env::File;
use types::{Physical, Result, SqlError, SqlState};
use vector::{Chunk, Data, Nulls, Vector};

use crate::Context;

/// A file of blocks, each some rows with their sort keys.
pub struct Spill {
    file: Arc<dyn File>,
    end: u64,
}

/// Where a block is.
#[derive(Clone, Copy, Debug)]
pub struct BlockRef {
    at: u64,
    len: usize,
}

/// Rows read back.
#[derive(Default)]
pub struct Block {
    /// Their keys, end to end, and where each ends.
    pub keys: Vec<u8>,
    /// Where each key ends.
    pub ends: Vec<usize>,
    /// The rows.
    pub rows: Chunk,
}

impl Block {
    /// Key of row `i`.
    pub fn key(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.keys[start..self.ends[i]]
    }
}

/// Rows dealt out to several lists in one file, by their keys.
pub struct Parts {
    spill: Spill,
    /// Rows of each list that are not written yet.
    waiting: Vec<Chunk>,
    blocks: Vec<Vec<BlockRef>>,
}

impl Parts {
    /// So many lists, all empty.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(count: usize, ctx: &mut Context<'_>) -> Result<Parts> {
        Ok(Parts { spill: Spill::new(ctx)?, waiting: vec![Chunk::default(); count], blocks: vec![Vec::new(); count] })
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Adds rows of `chunk`, each with the list it goes to.
    ///
    /// # Errors
    /// What the file system says.
    pub fn add(&mut self, chunk: &Chunk, rows: impl Iterator<Item = (usize, usize)>) -> Result<()> {
        for (row, part) in rows {
            let waiting = &mut self.waiting[part];
            if waiting.columns.is_empty() {
                waiting.columns = chunk.columns.iter().map(crate::built::empty_like).collect();
            }
            waiting.columns.iter_mut().zip(&chunk.columns).for_each(|(to, from)| to.push_from(from, row));
            waiting.rows += 1;
            if waiting.rows >= vector::CHUNK_ROWS {
                self.write(part)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, part: usize) -> Result<()> {
        let waiting = &mut self.waiting[part];
        if waiting.rows > 0 {
            let all: Vec<u32> = (0..waiting.rows as u32).collect();
            let block = self.spill.write(waiting, &all, |_| &[])?;
            self.blocks[part].push(block);
            waiting.clear();
        }
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(&mut self) -> Result<()> {
        (0..self.waiting.len()).try_for_each(|part| self.write(part))?;
        self.waiting.iter_mut().for_each(|w| *w = Chunk::default());
        Ok(())
    }

    /// Chunk `i` of list `part`; `None` behind the last.
    ///
    /// # Errors
    /// What the file system says.
    pub fn chunk(&self, part: usize, i: usize) -> Result<Option<Chunk>> {
        match self.blocks[part].get(i) {
            Some(&block) => Ok(Some(self.spill.read(block)?.rows)),
            None => Ok(None),
        }
    }
}

fn failed(e: &std::io::Error) -> SqlError {
    let state = if e.kind() == std::io::ErrorKind::StorageFull { SqlState::DISK_FULL } else { SqlState::IO_ERROR };
    SqlError::new(state, format!("could not use a temporary file: {e}"))
}

impl Spill {
    /// A new, empty file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(ctx: &mut Context<'_>) -> Result<Spill> {
        let vfs = ctx.db.shared().env.vfs.clone();
        ctx.state.spills += 1;
        let name = format!("tmp/{}.{}", ctx.txn.owner().0, ctx.state.spills);
        let open = || {
            vfs.create_dir("tmp")?;
            let file = vfs.open(&name, true)?;
            vfs.remove(&name)?;
            Ok(file)
        };
        Ok(Spill { file: open().map_err(|e| failed(&e))?, end: 0 })
    }

    /// Appends the rows of `rows` that `order` lists, with their keys.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write<'k>(&mut self, rows: &Chunk, order: &[u32], key: impl Fn(u32) -> &'k [u8]) -> Result<BlockRef> {
        let mut out = Vec::new();
        put_len(&mut out, order.len());
        for &row in order {
            let key = key(row);
            put_len(&mut out, key.len());
            out.extend_from_slice(key);
        }
        put_len(&mut out, rows.columns.len());
        for column in &rows.columns {
            put_column(&mut out, &column.select(order));
        }
        self.file.write_all_at(&out, self.end).map_err(|e| failed(&e))?;
        let block = BlockRef { at: self.end, len: out.len() };
        self.end += out.len() as u64;
        Ok(block)
    }

    /// Reads a block.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(&self, block: BlockRef) -> Result<Block> {
        let mut bytes = vec![0; block.len];
        self.file.read_exact_at(&mut bytes, block.at).map_err(|e| failed(&e))?;
        let mut from = Take(&bytes);
        take_block(&mut from).ok_or_else(|| SqlError::internal("a temporary file was damaged"))
    }
}

fn put_len(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_le_bytes());
}

macro_rules! forms {
    ($($tag:literal $variant:ident $physical:ident $ty:ty),* $(,)?) => {
        fn put_column(out: &mut Vec<u8>, v: &Vector) {
            put_len(out, v.nulls.words().len());
            v.nulls.words().iter().for_each(|w| out.extend_from_slice(&w.to_le_bytes()));
            match &v.data {
                $(Data::$variant(x) => {
                    out.push($tag);
                    put_len(out, x.len());
                    x.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
                })*
                Data::Bool(x) => {
                    out.push(0);
                    put_len(out, x.len());
                    out.extend(x.iter().map(|b| u8::from(*b)));
                }
                Data::B16(x) => {
                    out.push(20);
                    put_len(out, x.len());
                    x.iter().for_each(|b| out.extend_from_slice(b));
                }
                Data::Var(x) => {
                    out.push(21);
                    put_len(out, x.len());
                    for i in 0..x.len() {
                        put_len(out, x.get(i).len());
                        out.extend_from_slice(x.get(i));
                    }
                }
                Data::Absent(n) => {
                    out.push(22);
                    put_len(out, *n);
                }
            }
        }

        fn take_column(from: &mut Take<'_>) -> Option<Vector> {
            let words = from.len()?;
            let words = (0..words).map(|_| Some(u64::from_le_bytes(from.array()?))).collect::<Option<Vec<u64>>>()?;
            let tag = from.bytes(1)?[0];
            let n = from.len()?;
            let data = match tag {
                $($tag => Data::$variant((0..n).map(|_| Some(<$ty>::from_le_bytes(from.array()?))).collect::<Option<_>>()?),)*
                0 => Data::Bool(from.bytes(n)?.iter().map(|b| *b != 0).collect()),
                20 => Data::B16((0..n).map(|_| from.array()).collect::<Option<_>>()?),
                21 => {
                    let mut v = Vector::new(Physical::Var);
                    let Data::Var(values) = &mut v.data else { return None };
                    for _ in 0..n {
                        let len = from.len()?;
                        values.push(from.bytes(len)?);
                    }
                    v.data
                }
                22 => Data::Absent(n),
                _ => return None,
            };
            Some(Vector { data, nulls: Nulls::from_words(words) })
        }
    };
}

forms! {
    1 I8 I8 i8,
    2 I16 I16 i16,
    3 I32 I32 i32,
    4 U32 U32 u32,
    5 I64 I64 i64,
    6 F32 F32 f32,
    7 F64 F64 f64,
}

struct Take<'b>(&'b [u8]);

impl<'b> Take<'b> {
    fn bytes(&mut self, n: usize) -> Option<&'b [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn len(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.array()?) as usize)
    }
}

fn take_block(from: &mut Take<'_>) -> Option<Block> {
    let mut block = Block::default();
    let rows = from.len()?;
    for _ in 0..rows {
        let len = from.len()?;
        block.keys.extend_from_slice(from.bytes(len)?);
        block.ends.push(block.keys.len());
    }
    let columns = from.len()?;
    block.rows.columns = (0..columns).map(|_| take_column(from)).collect::<Option<_>>()?;
    block.rows.rows = rows;
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Datum;

    #[test]
    fn columns_of_every_form_come_back() {
        let values = [
            (Physical::Bool, Datum::Bool(true)),
            (Physical::I8, Datum::I8(-3)),
            (Physical::I16, Datum::I16(-300)),
            (Physical::I32, Datum::I32(70_000)),
            (Physical::U32, Datum::U32(4_000_000_000)),
            (Physical::I64, Datum::I64(i64::MIN)),
            (Physical::F32, Datum::F32(1.5)),
            (Physical::F64, Datum::F64(-0.25)),
            (Physical::B16, Datum::B16([7; 16])),
            (Physical::Var, Datum::text("some text")),
        ];
        for (form, value) in values {
            let mut v = Vector::new(form);
            (0..70).for_each(|i| if i % 3 == 1 { v.push_null() } else { v.push(&value) });
            let mut out = Vec::new();
            put_column(&mut out, &v);
            let back = take_column(&mut Take(&out)).expect("what was written is read");
            assert!((0..70).all(|i| back.get(i) == v.get(i)), "{form:?}");
            assert!(take_column(&mut Take(&out[..out.len() - 1])).is_none(), "cut off");
        }
    }
}
