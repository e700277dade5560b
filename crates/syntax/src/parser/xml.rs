//! SQL/XML functions and XMLTABLE.

use super::Parser;
use super::expr::system_call;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    fn xml(&self, e: XmlExpr, pos: Pos) -> Expr {
        Expr::new(ExprKind::Xml(Box::new(e)), pos)
    }

    /// The function that `k`, the present token, starts.
    #[inline(never)]
    pub(super) fn xml_function(&mut self, k: Kw) -> Result<Expr> {
        let pos = self.pos();
        self.bump();
        self.expect_ch(b'(')?;
        let e = match k {
            Kw::Xmlconcat => XmlExpr::Concat(self.expr_list()?),
            Kw::Xmlelement => {
                self.expect(Kw::Name)?;
                let name = self.col_label()?;
                let mut attributes = Vec::new();
                let mut content = Vec::new();
                if self.eat_ch(b',') {
                    if self.is(Kw::Xmlattributes) {
                        self.bump();
                        attributes = self.paren_list(Self::xml_named)?;
                        if self.eat_ch(b',') {
                            content = self.expr_list()?;
                        }
                    } else {
                        content = self.expr_list()?;
                    }
                }
                XmlExpr::Element { name, attributes, content }
            }
            Kw::Xmlexists => {
                let path = self.c_expr()?;
                let document = self.xml_passing()?;
                self.expect_ch(b')')?;
                return Ok(system_call("xmlexists", vec![path, document], pos));
            }
            Kw::Xmlforest => XmlExpr::Forest(self.list(Self::xml_named)?),
            Kw::Xmlparse => {
                let document = self.document_or_content()?;
                let arg = self.a_expr()?;
                let preserve_whitespace = if self.eat(Kw::Preserve) {
                    self.expect(Kw::Whitespace)?;
                    true
                } else {
                    if self.eat(Kw::Strip) {
                        self.expect(Kw::Whitespace)?;
                    }
                    false
                };
                XmlExpr::Parse { document, arg, preserve_whitespace }
            }
            Kw::Xmlpi => {
                self.expect(Kw::Name)?;
                let name = self.col_label()?;
                let content = if self.eat_ch(b',') { Some(self.a_expr()?) } else { None };
                XmlExpr::Pi { name, content }
            }
            Kw::Xmlroot => {
                let arg = self.a_expr()?;
                self.expect_ch(b',')?;
                self.expect(Kw::Version)?;
                let version = if self.is(Kw::No) && self.peek_kw(1, Kw::Value) {
                    self.bump();
                    self.bump();
                    None
                } else {
                    Some(self.a_expr()?)
                };
                let mut standalone = None;
                if self.eat_ch(b',') {
                    self.expect(Kw::Standalone)?;
                    standalone = Some(if self.eat(Kw::Yes) {
                        Some(true)
                    } else {
                        self.expect(Kw::No)?;
                        if self.eat(Kw::Value) { None } else { Some(false) }
                    });
                }
                XmlExpr::Root { arg, version, standalone }
            }
            _ => {
                let document = self.document_or_content()?;
                let arg = self.a_expr()?;
                self.expect(Kw::As)?;
                let ty = self.type_name()?;
                let indent = if self.eat(Kw::Indent) {
                    true
                } else {
                    if self.eat(Kw::No) {
                        self.expect(Kw::Indent)?;
                    }
                    false
                };
                XmlExpr::Serialize { document, arg, ty, indent }
            }
        };
        self.expect_ch(b')')?;
        Ok(self.xml(e, pos))
    }

    fn document_or_content(&mut self) -> Result<bool> {
        if self.eat(Kw::Document) {
            return Ok(true);
        }
        self.expect(Kw::Content)?;
        Ok(false)
    }

    fn xml_named(&mut self) -> Result<XmlNamed> {
        let pos = self.pos();
        let value = self.a_expr()?;
        let name = if self.eat(Kw::As) { Some(self.col_label()?) } else { None };
        Ok(XmlNamed { name, value, pos })
    }

    /// `PASSING [BY REF|VALUE] document [BY REF|VALUE]`
    fn xml_passing(&mut self) -> Result<Expr> {
        self.expect(Kw::Passing)?;
        self.opt_by_mechanism()?;
        let e = self.c_expr()?;
        self.opt_by_mechanism()?;
        Ok(e)
    }

    fn opt_by_mechanism(&mut self) -> Result<()> {
        if self.eat(Kw::By) && !self.eat(Kw::Ref) {
            self.expect(Kw::Value)?;
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn xml_table(&mut self, lateral: bool) -> Result<TableRef> {
        let pos = self.pos();
        self.bump();
        self.expect_ch(b'(')?;
        let mut namespaces = Vec::new();
        if self.is(Kw::Xmlnamespaces) {
            self.bump();
            namespaces = self.paren_list(|p| {
                let pos = p.pos();
                if p.eat(Kw::Default) {
                    return Ok(XmlNamed { name: None, value: p.b_expr()?, pos });
                }
                let value = p.b_expr()?;
                p.expect(Kw::As)?;
                Ok(XmlNamed { name: Some(p.col_label()?), value, pos })
            })?;
            self.expect_ch(b',')?;
        }
        let row = self.c_expr()?;
        let document = self.xml_passing()?;
        self.expect(Kw::Columns)?;
        let columns = self.list(Self::xml_table_column)?;
        self.expect_ch(b')')?;
        let alias = self.opt_alias()?;
        let t = XmlTable { lateral, namespaces, row, document, columns, alias, pos };
        Ok(TableRef::XmlTable(Box::new(t)))
    }

    fn xml_table_column(&mut self) -> Result<XmlTableColumn> {
        let name = self.col_id()?;
        let pos = name.pos;
        let mut c = XmlTableColumn { name, ty: None, path: None, default: None, not_null: false, pos };
        if self.eat(Kw::For) {
            self.expect(Kw::Ordinality)?;
            return Ok(c);
        }
        c.ty = Some(self.type_name()?);
        let mut null_seen = false;
        loop {
            let pos = self.pos();
            match self.cur {
                Tok::Kw(Kw::Default) => {
                    self.bump();
                    let e = self.b_expr()?;
                    if c.default.replace(e).is_some() {
                        return self.syntax_at("only one DEFAULT value is allowed", pos);
                    }
                }
                Tok::Kw(Kw::Path) => {
                    self.bump();
                    let e = self.b_expr()?;
                    if c.path.replace(e).is_some() {
                        return self.syntax_at("only one PATH value per column is allowed", pos);
                    }
                }
                Tok::Kw(Kw::Not | Kw::Null) => {
                    let not = self.eat(Kw::Not);
                    self.expect(Kw::Null)?;
                    if null_seen {
                        let name = c.name.as_str();
                        let message =
                            format!("conflicting or redundant NULL / NOT NULL declarations for column \"{name}\"");
                        return self.syntax_at(message, pos);
                    }
                    null_seen = true;
                    c.not_null = not;
                }
                Tok::Ident => {
                    let t = self.bump();
                    let name = self.text(&t);
                    self.b_expr()?;
                    return self.syntax_at(format!("unrecognized column option \"{name}\""), pos);
                }
                _ => return Ok(c),
            }
        }
    }
}
