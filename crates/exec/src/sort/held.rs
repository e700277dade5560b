//! Rows of a sort in memory, with their keys; and several such that threads have sorted.

use plan::SortKey;
use types::sortkey::prefix;
use types::{Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::eval;
use crate::{Context, keys};

/// With a limit, rows are dropped when there are this many more.
const SLACK_ROWS: usize = 4 * CHUNK_ROWS;

/// Rows in memory.
#[derive(Default)]
pub struct Held {
    pub rows: Chunk,
    /// Keys end to end, and where each starts; the end at the end.
    bytes: Vec<u8>,
    starts: Vec<usize>,
    /// Whether `rows` has the columns of the input.
    has_columns: bool,
    /// Bytes that were charged for them.
    pub charged: usize,
}

impl Held {
    pub fn key(&self, i: u32) -> &[u8] {
        &self.bytes[self.starts[i as usize]..self.starts[i as usize + 1]]
    }

    /// Forgets all, and what columns there were.
    pub fn restart(&mut self) {
        self.has_columns = false;
        self.clear();
    }

    /// Whether no row came since it was made or restarted.
    pub fn is_new(&self) -> bool {
        !self.has_columns
    }

    /// Adds rows with their keys. Of those that cannot be among the first `wanted` any more, some are dropped.
    ///
    /// # Errors
    /// `53200`; what computing keys says.
    pub fn take(
        &mut self,
        keys: &[SortKey],
        chunk: &Chunk,
        wanted: Option<usize>,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        if chunk.rows == 0 {
            return Ok(());
        }
        if self.is_new() {
            // Absent columns stay absent.
            self.has_columns = true;
            self.rows = Chunk { columns: chunk.columns.iter().map(crate::built::empty_like).collect(), rows: 0 };
            self.starts.clear();
            self.starts.push(0);
        }
        let values = keys.iter().map(|k| eval(&k.expr, chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let before = self.bytes.len();
        for i in 0..chunk.rows {
            for (k, v) in keys.iter().zip(&values) {
                keys::encode(&mut self.bytes, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
            }
            self.starts.push(self.bytes.len());
        }
        let more = chunk.bytes() + (self.bytes.len() - before) + 12 * chunk.rows;
        ctx.account.charge(more)?;
        self.charged += more;
        self.rows.extend_selected(chunk, 0..chunk.rows);
        if let Some(wanted) = wanted
            && self.rows.rows > wanted.saturating_mul(2).saturating_add(SLACK_ROWS)
        {
            self.shorten(wanted);
            let left = self.rows.bytes() + self.bytes.len() + 12 * wanted;
            ctx.account.release(self.charged.saturating_sub(left));
            self.charged = self.charged.min(left);
        }
        Ok(())
    }

    /// The first bytes of each row's key and its number, in order.
    fn ranked(&self) -> Vec<(u64, u32)> {
        let mut order: Vec<(u64, u32)> = (0..self.rows.rows as u32).map(|i| (prefix(self.key(i)), i)).collect();
        // Rows with the same key in the order they came in.
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.key(a.1).cmp(self.key(b.1))).then_with(|| a.1.cmp(&b.1))
        });
        order
    }

    pub fn order(&self) -> Vec<u32> {
        self.ranked().into_iter().map(|o| o.1).collect()
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.bytes.clear();
        self.starts.clear();
        self.starts.push(0);
    }

    /// Adds the rows of `other`, of the same columns.
    fn append(&mut self, other: &Held) {
        let before = self.bytes.len();
        self.rows.extend_selected(&other.rows, 0..other.rows.rows);
        self.bytes.extend_from_slice(&other.bytes);
        self.starts.extend(other.starts.iter().skip(1).map(|start| start + before));
        self.charged += other.charged;
    }

    /// Keeps the first `limit` rows, in their order.
    fn shorten(&mut self, limit: usize) {
        let mut order = self.order();
        order.truncate(limit);
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for &i in &order {
            bytes.extend_from_slice(self.key(i));
            starts.push(bytes.len());
        }
        self.rows = self.rows.select(&order);
        (self.bytes, self.starts) = (bytes, starts);
    }
}

/// Rows that a thread has sorted.
pub struct Sorted {
    held: Held,
    ranked: Vec<(u64, u32)>,
}

impl Sorted {
    pub fn of(held: Held) -> Sorted {
        Sorted { ranked: held.ranked(), held }
    }

    /// Bytes that were charged for them.
    pub fn charged(&self) -> usize {
        self.held.charged
    }

    /// All rows of `parts`, and their order; `forms` are theirs where there are none.
    pub fn merged(parts: Vec<Sorted>, forms: &[Physical]) -> (Held, Vec<u32>) {
        let all = parts.into_iter().filter(|part| !part.held.is_new()).reduce(Sorted::with);
        match all {
            Some(all) => (all.held, all.ranked.into_iter().map(|r| r.1).collect()),
            None => {
                let mut held = Held::default();
                held.rows.reset(forms);
                (held, Vec::new())
            }
        }
    }

    /// The rows of both; of equal ones, these come first.
    fn with(mut self, other: Sorted) -> Sorted {
        let (mut left, mut right) = (self.ranked.iter().peekable(), other.ranked.iter().peekable());
        let mut ranked = Vec::with_capacity(self.ranked.len() + other.ranked.len());
        let before = self.held.rows.rows as u32;
        while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
            let is_left = l.0 < r.0 || l.0 == r.0 && self.held.key(l.1) <= other.held.key(r.1);
            if is_left {
                ranked.extend(left.next());
            } else {
                ranked.extend(right.next().map(|r| (r.0, r.1 + before)));
            }
        }
        ranked.extend(left);
        ranked.extend(right.map(|r| (r.0, r.1 + before)));
        self.held.append(&other.held);
        Sorted { ranked, ..self }
    }
}
