//! The parsed Rego of a policy, walked without recursion: every expression with its depth, every reference's path.
//!
//! It decides nothing; [`crate::source`] does. It leans on parts of regorus that regorus calls unstable, so a new
//! version of regorus is a reading of this file.

use regorus::unstable::{
    Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, RuleAssign, RuleBody, RuleHead,
};

/// Calls `see` with every expression of a module (heads, bodies, `with`, imports) and its depth.
pub(crate) fn walk<'a>(module: &'a Module, see: &mut dyn FnMut(&'a Expr, usize)) {
    for import in &module.imports {
        expressions(vec![Piece::Expr(&import.refr)], see);
    }
    for rule in &module.policy {
        expressions(of_rule(rule), see);
    }
}

/// Calls `see` with every expression of one rule and its depth.
pub(crate) fn walk_rule<'a>(rule: &'a Ref<Rule>, see: &mut dyn FnMut(&'a Expr, usize)) {
    expressions(of_rule(rule), see);
}

/// The reference at a rule's head.
pub(crate) fn head(rule: &Rule) -> &Expr {
    match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    }
}

/// The names along a reference, up to the first that is not constant; empty if it does not begin with a name.
/// `time.now_ns`, `time["now_ns"]` and `time["now\u005fns"]` have one path.
pub(crate) fn path(expr: &Expr) -> Vec<&str> {
    let mut names = Vec::new();
    let mut at = expr;
    loop {
        match at {
            Expr::Var { value, .. } => {
                names.push(value.as_string().map_or("", AsRef::as_ref));
                break;
            }
            Expr::RefDot { refr, field, .. } => {
                names.push(field.1.as_string().map_or("", AsRef::as_ref));
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                match constant(index) {
                    Some(name) => names.push(name),
                    None => names.clear(),
                }
                at = refr;
            }
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::Array { .. }
            | Expr::Set { .. }
            | Expr::Object { .. }
            | Expr::ArrayCompr { .. }
            | Expr::SetCompr { .. }
            | Expr::ObjectCompr { .. }
            | Expr::Call { .. }
            | Expr::UnaryExpr { .. }
            | Expr::BinExpr { .. }
            | Expr::BoolExpr { .. }
            | Expr::ArithExpr { .. }
            | Expr::AssignExpr { .. }
            | Expr::Membership { .. } => return Vec::new(),
        }
    }
    names.reverse();
    names
}

/// The text of a literal, escapes decoded.
pub(crate) fn constant(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(AsRef::as_ref)
        }
        Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. }
        | Expr::Array { .. }
        | Expr::Set { .. }
        | Expr::Object { .. }
        | Expr::ArrayCompr { .. }
        | Expr::SetCompr { .. }
        | Expr::ObjectCompr { .. }
        | Expr::Call { .. }
        | Expr::UnaryExpr { .. }
        | Expr::RefDot { .. }
        | Expr::RefBrack { .. }
        | Expr::BinExpr { .. }
        | Expr::BoolExpr { .. }
        | Expr::ArithExpr { .. }
        | Expr::AssignExpr { .. }
        | Expr::Membership { .. } => None,
    }
}

enum Piece<'a> {
    Expr(&'a Expr),
    Query(&'a Query),
}

/// Depth first, with a stack of its own: the depth of a stranger's file must not become ours.
fn expressions<'a>(roots: Vec<Piece<'a>>, see: &mut dyn FnMut(&'a Expr, usize)) {
    let mut open: Vec<(Piece<'a>, usize)> = roots.into_iter().map(|piece| (piece, 1)).collect();
    let mut inner = Vec::new();
    while let Some((piece, depth)) = open.pop() {
        match piece {
            Piece::Expr(expr) => {
                see(expr, depth);
                of_expr(expr, &mut inner);
            }
            Piece::Query(query) => query.stmts.iter().for_each(|stmt| of_statement(stmt, &mut inner)),
        }
        open.extend(inner.drain(..).map(|piece| (piece, depth + 1)));
    }
}

fn of_rule(rule: &Rule) -> Vec<Piece<'_>> {
    let mut to = Vec::new();
    match rule {
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    to.push(Piece::Expr(refr));
                    of_assign(assign.as_ref(), &mut to);
                }
                RuleHead::Set { refr, key, .. } => {
                    to.push(Piece::Expr(refr));
                    to.extend(key.iter().map(|key| Piece::Expr(key)));
                }
                RuleHead::Func { refr, args, assign, .. } => {
                    to.push(Piece::Expr(refr));
                    to.extend(args.iter().map(|arg| Piece::Expr(arg)));
                    of_assign(assign.as_ref(), &mut to);
                }
            }
            for RuleBody { assign, query, .. } in bodies {
                of_assign(assign.as_ref(), &mut to);
                to.push(Piece::Query(query));
            }
        }
        Rule::Default { refr, args, value, .. } => {
            to.push(Piece::Expr(refr));
            to.extend(args.iter().map(|arg| Piece::Expr(arg)));
            to.push(Piece::Expr(value));
        }
    }
    to
}

fn of_assign<'a>(assign: Option<&'a RuleAssign>, to: &mut Vec<Piece<'a>>) {
    to.extend(assign.map(|assign| Piece::Expr(&assign.value)));
}

fn of_statement<'a>(stmt: &'a LiteralStmt, to: &mut Vec<Piece<'a>>) {
    match &stmt.literal {
        Literal::SomeVars { .. } => {}
        Literal::SomeIn { key, value, collection, .. } => {
            to.extend(key.iter().map(|key| Piece::Expr(key)));
            to.extend([Piece::Expr(value), Piece::Expr(collection)]);
        }
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => to.push(Piece::Expr(expr)),
        Literal::Every { domain, query, .. } => to.extend([Piece::Expr(domain), Piece::Query(query)]),
    }
    for with in &stmt.with_mods {
        to.extend([Piece::Expr(&with.refr), Piece::Expr(&with.r#as)]);
    }
}

fn of_expr<'a>(expr: &'a Expr, to: &mut Vec<Piece<'a>>) {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            to.extend(items.iter().map(|item| Piece::Expr(item)));
        }
        Expr::Object { fields, .. } => {
            to.extend(fields.iter().flat_map(|(_, key, value)| [Piece::Expr(key), Piece::Expr(value)]));
        }
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            to.extend([Piece::Expr(term), Piece::Query(query)]);
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            to.extend([Piece::Expr(key), Piece::Expr(value), Piece::Query(query)]);
        }
        Expr::Call { fcn, params, .. } => {
            to.push(Piece::Expr(fcn));
            to.extend(params.iter().map(|param| Piece::Expr(param)));
        }
        Expr::UnaryExpr { expr, .. } => to.push(Piece::Expr(expr)),
        Expr::RefDot { refr, .. } => to.push(Piece::Expr(refr)),
        Expr::RefBrack { refr, index, .. } => to.extend([Piece::Expr(refr), Piece::Expr(index)]),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => to.extend([Piece::Expr(lhs), Piece::Expr(rhs)]),
        Expr::Membership { key, value, collection, .. } => {
            to.extend(key.iter().map(|key| Piece::Expr(key)));
            to.extend([Piece::Expr(value), Piece::Expr(collection)]);
        }
    }
}
