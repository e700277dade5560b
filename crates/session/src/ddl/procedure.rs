//! CALL; and DO, whose languages are not there.

use std::sync::Arc;

use binder::Binder;
use plan::{Node, OutputColumn};
use syntax::ast::{Call, Do, ExprKind};
use types::{Result, SqlError, SqlState};

use crate::session::{Session, Sink, no_parameter};

impl Session {
    pub(crate) fn call_procedure(&mut self, sql: &str, call: &Call, sink: &mut dyn Sink) -> Result<String> {
        let ExprKind::FuncCall(f) = &call.call.kind else { return Err(SqlError::unsupported("this form of CALL")) };
        let image = self.image()?;
        let (routine, args, routines) = {
            let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            let (routine, args) = binder.procedure_call(f, call.call.pos)?;
            if !binder.params.is_empty() {
                return Err(no_parameter(sql, binder.params.len()));
            }
            (routine, args, binder.routines)
        };
        self.check_routines(&image, &routines)?;
        let columns: Vec<OutputColumn> = routine
            .columns
            .iter()
            .map(|(name, ty, typmod)| OutputColumn { name: name.clone(), ty: *ty, typmod: *typmod, origin: None })
            .collect();
        let types = match &columns[..] {
            [] => vec![routine.result],
            list => list.iter().map(|c| c.ty).collect(),
        };
        let function = routine.oid;
        let node = Node::FunctionScan {
            function,
            routine: Some(Arc::new(routine)),
            args,
            types,
            names: Vec::new(),
            ordinality: false,
            label: plan::Label::default(),
        };
        let mut running = self.start(Arc::new(node), Arc::new(columns.clone()))?;
        let mut chunks = Vec::new();
        while let Some(chunk) = running.next_chunk(self)? {
            chunks.push(chunk);
        }
        self.run_events(running.take_events(), false)?;
        if !columns.is_empty() {
            sink.columns(&columns)?;
            let image = self.image()?;
            let names = binder::Names { image: &image, search_path: &self.search_path };
            chunks.iter().try_for_each(|c| sink.chunk(c, &names))?;
        }
        Ok("CALL".to_owned())
    }

    pub(crate) fn do_block(&mut self, block: &Do) -> Result<String> {
        let redundant = || SqlError::new(SqlState::SYNTAX_ERROR, "conflicting or redundant options");
        if block.code.len() > 1 || block.language.len() > 1 {
            return Err(redundant());
        }
        if block.code.is_empty() {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "no inline code specified"));
        }
        let name = block.language.first().map_or("plpgsql", |l| l.0.as_str());
        self.language(name)?;
        let message = format!("language \"{name}\" does not support inline code execution");
        Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message))
    }
}
