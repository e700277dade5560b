//! Aggregates: the states of all groups of one aggregate call, side by side.

use std::any::Any;

use types::{Datum, Result, SqlError};
use vector::Vector;

use crate::call::Call;
use crate::definition::Accepts;

/// Which rows of the vectors count.
#[derive(Clone, Copy, Debug)]
pub enum Rowset<'a> {
    /// The first so many.
    All(usize),
    /// Those listed.
    Listed(&'a [u32]),
}

impl Rowset<'_> {
    /// Calls `f` with each row.
    ///
    /// # Errors
    /// The first of `f`.
    #[inline]
    pub fn each(self, mut f: impl FnMut(usize) -> Result<()>) -> Result<()> {
        match self {
            Rowset::All(n) => (0..n).try_for_each(f),
            Rowset::Listed(list) => list.iter().try_for_each(|&i| f(i as usize)),
        }
    }
}

/// The states of an aggregate, one per group. An aggregate without GROUP BY has one group.
pub trait Groups: Send {
    /// Makes groups up to `count`; new ones are empty.
    fn resize(&mut self, count: usize);
    /// How many groups.
    fn count(&self) -> usize;
    /// Empties a group.
    fn reset(&mut self, group: usize);
    /// Adds a row to a group.
    ///
    /// # Errors
    /// The aggregate's.
    fn add(&mut self, call: &mut Call<'_>, group: usize, args: &[Datum]) -> Result<()>;
    /// Takes a row that was added first out of a group again (for moving windows).
    ///
    /// # Errors
    /// The aggregate's; `0A000` when it cannot.
    fn remove(&mut self, call: &mut Call<'_>, group: usize, args: &[Datum]) -> Result<()>;
    /// Adds rows of vectors, row `i` to group `groups[i]`, or all to group 0.
    ///
    /// # Errors
    /// The aggregate's.
    fn add_vector(
        &mut self,
        call: &mut Call<'_>,
        args: &[&Vector],
        rows: Rowset<'_>,
        groups: Option<&[u32]>,
    ) -> Result<()>;
    /// Adds what another state of the same aggregate has seen.
    ///
    /// # Errors
    /// The aggregate's; `0A000` when it cannot.
    fn merge(&mut self, group: usize, other: &dyn Groups, other_group: usize) -> Result<()>;
    /// The result of a group.
    ///
    /// # Errors
    /// The aggregate's.
    fn finish(&self, call: &mut Call<'_>, group: usize) -> Result<Datum>;
    /// Bytes that the states hold on the heap, about.
    fn bytes(&self) -> usize;
    /// For `merge`.
    fn as_any(&self) -> &dyn Any;
    /// For those who know which states these are.
    fn as_any_mut(&mut self) -> &mut dyn Any;
    /// A copy.
    fn clone_box(&self) -> Box<dyn Groups>;
}

/// What `#[aggregate]` makes.
#[derive(Clone, Copy, Debug)]
pub struct AggregateDefinition {
    /// Rows of `pg_proc` it serves.
    pub oids: &'static [u32],
    /// Its name.
    pub name: &'static str,
    /// What may be passed.
    pub arguments: &'static [Accepts],
    /// What comes back.
    pub result: Accepts,
    /// Whether rows can be removed again.
    pub can_remove: bool,
    /// Whether states of parts of the rows can be merged.
    pub can_merge: bool,
    /// Fresh states, of no groups.
    pub groups: fn() -> Box<dyn Groups>,
}

/// Adds rows of vectors to states, as [`Groups::add_vector`].
pub type AddVector<S> = fn(&mut [S], &mut Call<'_>, &[&Vector], Rowset<'_>, Option<&[u32]>) -> Result<()>;

/// The steps of an aggregate on its own state type.
#[allow(missing_docs, reason = "as in `Groups`")]
#[derive(Debug)]
pub struct Steps<S> {
    pub add: fn(&mut S, &mut Call<'_>, &[Datum]) -> Result<()>,
    pub remove: fn(&mut S, &mut Call<'_>, &[Datum]) -> Result<()>,
    pub add_vector: AddVector<S>,
    pub merge: fn(&mut S, &S) -> Result<()>,
    pub finish: fn(&S, &mut Call<'_>) -> Result<Datum>,
    pub bytes: fn(&S) -> usize,
}

/// [`Groups`] of a state type.
#[derive(Debug)]
pub struct GroupStates<S: 'static> {
    states: Vec<S>,
    steps: &'static Steps<S>,
}

impl<S: 'static> GroupStates<S> {
    /// No groups.
    pub fn new(steps: &'static Steps<S>) -> GroupStates<S> {
        GroupStates { states: Vec::new(), steps }
    }

    /// The state of a group.
    pub fn state_mut(&mut self, group: usize) -> Option<&mut S> {
        self.states.get_mut(group)
    }
}

impl<S: Default + Clone + Send + 'static> Groups for GroupStates<S> {
    fn resize(&mut self, count: usize) {
        self.states.resize_with(count, S::default);
    }
    fn count(&self) -> usize {
        self.states.len()
    }
    fn reset(&mut self, group: usize) {
        self.states[group] = S::default();
    }
    fn add(&mut self, call: &mut Call<'_>, group: usize, args: &[Datum]) -> Result<()> {
        (self.steps.add)(&mut self.states[group], call, args)
    }
    fn remove(&mut self, call: &mut Call<'_>, group: usize, args: &[Datum]) -> Result<()> {
        (self.steps.remove)(&mut self.states[group], call, args)
    }
    fn add_vector(
        &mut self,
        call: &mut Call<'_>,
        args: &[&Vector],
        rows: Rowset<'_>,
        groups: Option<&[u32]>,
    ) -> Result<()> {
        (self.steps.add_vector)(&mut self.states, call, args, rows, groups)
    }
    fn merge(&mut self, group: usize, other: &dyn Groups, other_group: usize) -> Result<()> {
        match other.as_any().downcast_ref::<GroupStates<S>>() {
            Some(other) => (self.steps.merge)(&mut self.states[group], &other.states[other_group]),
            None => Err(SqlError::internal("states of two aggregates were merged")),
        }
    }
    fn finish(&self, call: &mut Call<'_>, group: usize) -> Result<Datum> {
        (self.steps.finish)(&self.states[group], call)
    }
    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<S>() + self.states.iter().map(self.steps.bytes).sum::<usize>()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn clone_box(&self) -> Box<dyn Groups> {
        Box::new(GroupStates { states: self.states.clone(), steps: self.steps })
    }
}
