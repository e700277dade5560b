//! Reading and writing little-endian fields of records and blobs, with bounds checked.

use smallvec::SmallVec;

use crate::error::{Error, Result};

/// Appends fields to a buffer.
pub trait Put {
    /// The bytes alone.
    fn put_raw(&mut self, v: &[u8]);
    /// One byte.
    fn put_u8(&mut self, v: u8) {
        self.put_raw(&[v]);
    }
    /// Two bytes.
    fn put_u16(&mut self, v: u16) {
        self.put_raw(&v.to_le_bytes());
    }
    /// Four bytes.
    fn put_u32(&mut self, v: u32) {
        self.put_raw(&v.to_le_bytes());
    }
    /// Eight bytes.
    fn put_u64(&mut self, v: u64) {
        self.put_raw(&v.to_le_bytes());
    }
    /// A u32 length, then the bytes.
    fn put_bytes(&mut self, v: &[u8]) {
        self.put_u32(v.len() as u32);
        self.put_raw(v);
    }
}

impl Put for Vec<u8> {
    fn put_raw(&mut self, v: &[u8]) {
        self.extend_from_slice(v);
    }
}

impl<const N: usize> Put for SmallVec<[u8; N]>
where
    [u8; N]: smallvec::Array<Item = u8>,
{
    fn put_raw(&mut self, v: &[u8]) {
        self.extend_from_slice(v);
    }
}

/// Takes fields from the front of a slice; `Damaged` when it ends early.
#[derive(Clone, Copy)]
pub struct Take<'a>(pub &'a [u8]);

impl<'a> Take<'a> {
    /// The next `n` bytes.
    pub fn slice(&mut self, n: usize) -> Result<&'a [u8]> {
        if self.0.len() < n {
            return Err(Error::Damaged("a stored record ends early".to_owned()));
        }
        let (head, rest) = self.0.split_at(n);
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut a = [0; N];
        a.copy_from_slice(self.slice(N)?);
        Ok(a)
    }
    /// One byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }
    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }
    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
    /// A u32 length, then the bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let n = self.u32()? as usize;
        self.slice(n)
    }
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
