//! `Jit`: the units of one runtime, each program once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::copy_and_patch::CopyAndPatch;
use crate::interpret::Interpreter;
use crate::program::Program;
use crate::provider::{Code, Provider};
use crate::rows::{Rows, Sink};
use crate::unit::Unit;

/// What was done so far, for views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitCounts {
    /// Programs that were made into code.
    pub compiled: u64,
    /// Programs that were there already when they were asked for.
    pub found: u64,
    /// Programs without code.
    pub refused: u64,
    /// Expressions that were to have a program and have none, by [`Refusal`].
    pub refusals: [u64; 3],
    /// Stencils that were copied.
    pub stencils: u64,
    /// Nanoseconds that took.
    pub nanoseconds: u64,
    /// Bytes of code there are.
    pub bytes: u64,
    /// Steps that machine code ran: of each run, its rows times the steps of its program.
    pub native_steps: u64,
    /// Programs that got tiles; their stencils and nanoseconds are among those above.
    pub tiles: u64,
    /// Rows that went through tiles; their steps are among those above.
    pub tile_rows: u64,
    /// Calls that machine code made.
    pub calls: u64,
    /// Steps that were interpreted.
    pub interpreted_steps: u64,
    /// Steps of runs that were not done, for a suspect row or for want of code: whoever asked did them otherwise; and what [`Jit::decline`] counts.
    pub declined_steps: u64,
}

/// Why an expression has no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has another value each time, and what is suspect is evaluated twice.
    Volatile,
    /// It runs a query, whose expressions have programs of their own.
    Query,
    /// It is too long or too deep.
    Long,
}

#[derive(Default)]
struct Counters {
    compiled: AtomicU64,
    found: AtomicU64,
    refused: AtomicU64,
    refusals: [AtomicU64; 3],
    stencils: AtomicU64,
    nanoseconds: AtomicU64,
    native_steps: AtomicU64,
    calls: AtomicU64,
    interpreted_steps: AtomicU64,
    declined_steps: AtomicU64,
}

/// All units that somebody holds.
#[derive(Default)]
struct Units {
    by_program: HashMap<Arc<Program>, Weak<Unit>>,
    /// Those that were asked for last, held until [`RECENT`] others were: statements that come again find their code, whoever dropped it.
    recent: VecDeque<Arc<Unit>>,
}

/// Units that are held although nobody else does.
const RECENT: usize = 512;

impl Units {
    /// Holds `unit` for a while; answers the one that has to go, to be dropped without the lock.
    fn remember(&mut self, unit: &Arc<Unit>) -> Option<Arc<Unit>> {
        if self.recent.back().is_some_and(|last| Arc::ptr_eq(last, unit)) {
            return None;
        }
        self.recent.push_back(unit.clone());
        if self.recent.len() > RECENT { self.recent.pop_front() } else { None }
    }
}

/// What makes code of programs; units hold it, and it holds no unit.
pub(crate) struct Maker {
    provider: Box<dyn Provider>,
    counters: Counters,
}

struct Shared {
    maker: Arc<Maker>,
    units: Mutex<Units>,
    is_forced: bool,
}

/// The compiled expressions of one runtime.
#[derive(Clone)]
pub struct Jit(Arc<Shared>);

impl Default for Jit {
    /// Copy and patch.
    fn default() -> Jit {
        Jit::new(CopyAndPatch::new())
    }
}

impl std::fmt::Debug for Jit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.counts().fmt(f)
    }
}

impl Jit {
    /// One whose code is this provider's.
    pub fn new(provider: impl Provider + 'static) -> Jit {
        let maker = Maker { provider: Box::new(provider), counters: Counters::default() };
        let is_forced = std::env::var_os("HATHI_JIT_FORCE").is_some_and(|v| v == "1");
        Jit(Arc::new(Shared { maker: Arc::new(maker), units: Mutex::default(), is_forced }))
    }

    /// One that makes no code: all is interpreted.
    pub fn interpreter() -> Jit {
        Jit::new(Interpreter)
    }

    /// Who makes its code.
    pub fn provider(&self) -> &dyn Provider {
        &*self.0.maker.provider
    }

    /// Whether the environment asks for a program of every expression, slower or not: `HATHI_JIT_FORCE=1`, for tests.
    pub fn is_forced(&self) -> bool {
        self.0.is_forced
    }

    /// The unit of `program`, and whether others hold it already. `None` when the program is not sound.
    pub fn unit(&self, program: Program) -> Option<(Arc<Unit>, bool)> {
        if !program.is_sound() {
            return None;
        }
        let mut units = self.0.units.lock();
        if let Some(unit) = units.by_program.get(&program).and_then(Weak::upgrade) {
            self.0.maker.counters.found.fetch_add(1, Ordering::Relaxed);
            let gone = units.remember(&unit);
            drop(units);
            drop(gone);
            return Some((unit, true));
        }
        // Those that nobody holds are forgotten when there are twice as many as were held.
        if units.by_program.len() == units.by_program.capacity() {
            units.by_program.retain(|_, unit| unit.strong_count() > 0);
        }
        let program = Arc::new(program);
        let unit = Arc::new(Unit::new(program.clone(), self.0.maker.clone()));
        units.by_program.insert(program, Arc::downgrade(&unit));
        let gone = units.remember(&unit);
        drop(units);
        drop(gone);
        Some((unit, false))
    }

    /// Whether code that is made from now on is named in `/tmp/perf-PID.map`, for `perf`; `HATHI_PERF_MAP=1` in the environment asks for it from the start.
    pub fn perf_map(&self, is_on: bool) {
        self.0.maker.provider.perf_map(is_on);
    }

    /// Counts an expression that was to have a program and has none.
    pub fn refuse(&self, refusal: Refusal) {
        self.0.maker.counters.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts steps that were to be done by programs, and were done otherwise.
    pub fn decline(&self, steps: u64) {
        self.0.maker.counters.declined_steps.fetch_add(steps, Ordering::Relaxed);
    }

    /// What was done so far.
    pub fn counts(&self) -> JitCounts {
        let Maker { provider, counters } = &*self.0.maker;
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let tiles = provider.tiles();
        JitCounts {
            compiled: read(&counters.compiled),
            found: read(&counters.found),
            refused: read(&counters.refused),
            refusals: counters.refusals.each_ref().map(read),
            stencils: read(&counters.stencils) + tiles.stencils,
            nanoseconds: read(&counters.nanoseconds) + tiles.nanoseconds,
            bytes: provider.bytes() as u64,
            native_steps: read(&counters.native_steps),
            calls: read(&counters.calls),
            tiles: tiles.compiled,
            tile_rows: tiles.rows,
            interpreted_steps: read(&counters.interpreted_steps),
            declined_steps: read(&counters.declined_steps),
        }
    }
}

impl Maker {
    /// Runs `code` over `rows`, if there is any.
    pub(crate) fn run(&self, code: Option<&dyn Code>, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Option<()> {
        let done = code.filter(|code| code.run(rows, sink).is_ok());
        if rows.called() > 0 && code.is_some_and(Code::is_native) {
            self.counters.calls.fetch_add(rows.called(), Ordering::Relaxed);
        }
        let Counters { native_steps, interpreted_steps, declined_steps, .. } = &self.counters;
        let counter = match done {
            Some(code) if code.is_native() => native_steps,
            Some(_) => interpreted_steps,
            None => declined_steps,
        };
        counter.fetch_add((rows.range().len() * rows.program().steps.len()) as u64, Ordering::Relaxed);
        done.map(|_| ())
    }

    /// The code of `program` for columns of which these have NULLs.
    pub(crate) fn compile(&self, program: &Arc<Program>, nulls: u64) -> Option<Made> {
        let start = Instant::now();
        let code = self.provider.compile(program, nulls);
        let nanoseconds = start.elapsed().as_nanos() as u64;
        let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
        let Counters { compiled, refused, stencils, nanoseconds: spent, .. } = &self.counters;
        match &code {
            Some(code) if code.is_native() => {
                add(compiled, 1);
                add(stencils, code.stencils() as u64);
                add(spent, nanoseconds);
            }
            Some(_) => {}
            None => {
                add(refused, 1);
            }
        }
        Some(Made { code: code?, nanoseconds })
    }
}

/// What became of a program.
pub(crate) struct Made {
    pub(crate) code: Box<dyn Code>,
    pub(crate) nanoseconds: u64,
}
