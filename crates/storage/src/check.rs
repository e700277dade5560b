//! The page-level check behind `hathi check`: every page of every relation, every tree's order.

use crate::btree::Btree;
use crate::engine::{Damage, Engine};
use crate::error::{Error, Result};
use crate::page::{self, PageKind};
use crate::relation::RelKind;
use crate::table::overflow;
use crate::table::page::TablePage;

/// Reads everything; answers what is wrong.
pub fn check(engine: &Engine) -> Result<Vec<Damage>> {
    let mut damages = Vec::new();
    for db in engine.databases() {
        for rel in db.relations() {
            let wanted = match rel.kind {
                RelKind::Table => PageKind::Table,
                RelKind::Btree => PageKind::Btree,
                RelKind::Overflow => PageKind::Overflow,
                RelKind::Sequence => continue,
            };
            let mut readable = true;
            for block in 0..rel.blocks() {
                let (page, _) = rel.locate(block)?;
                let problem = match db.read_block(&rel, block) {
                    Err(e @ (Error::Corrupt { .. } | Error::Io(..))) => {
                        readable = false;
                        Some(e.to_string())
                    }
                    Err(e) => return Err(e),
                    Ok(guard) if page::kind(&guard) != wanted as u8 => {
                        Some(format!("page kind {}", page::kind(&guard)))
                    }
                    Ok(guard) if page::rel(&guard) != rel.id => {
                        Some(format!("it belongs to relation {}", page::rel(&guard)))
                    }
                    Ok(guard) if rel.kind == RelKind::Table => TablePage::new(&guard, &rel.layout).check().err(),
                    Ok(guard) if rel.kind == RelKind::Overflow => overflow::check(&guard).err(),
                    Ok(_) => None,
                };
                if let Some(what) = problem {
                    damages.push(Damage { db: db.id, rel: rel.id, page, what });
                }
            }
            if rel.kind == RelKind::Btree && readable && rel.blocks() > 0 {
                let problems = Btree::new(db.clone(), rel.clone()).check()?;
                damages.extend(problems.into_iter().map(|(page, what)| Damage { db: db.id, rel: rel.id, page, what }));
            }
        }
    }
    Ok(damages)
}
