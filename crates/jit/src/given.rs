//! `Given`: what a run gets beside its columns.

use crate::call::Calls;
use crate::column::Input;

/// The inputs of a run, and who knows what it calls.
#[derive(Clone, Copy, Default)]
pub struct Given<'g> {
    /// At least as many as the program has.
    pub inputs: &'g [Input],
    /// Without, a program that calls something is not run to its end.
    pub calls: Option<&'g dyn Calls>,
}

impl<'g> From<&'g [Input]> for Given<'g> {
    fn from(inputs: &'g [Input]) -> Given<'g> {
        Given { inputs, calls: None }
    }
}

impl<'g, const N: usize> From<&'g [Input; N]> for Given<'g> {
    fn from(inputs: &'g [Input; N]) -> Given<'g> {
        Given::from(&inputs[..])
    }
}
