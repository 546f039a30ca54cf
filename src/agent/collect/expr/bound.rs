//! Which expressions a manifest may have: an allow-list over the parsed term, with a bound of the work that it can cause.
//!
//! Why an allowed expression always ends, and soon. Let `n` be the size of the record: its values, and the bytes of its
//! numbers and strings. Every term is given two factors, counted below from its parts: the outputs of the term on a
//! value of size `n` have together at most `size * n`, and take at most `work * n` steps to make, but for the logarithm
//! of sorting and for comparing objects, which is quadratic at worst. There are no definitions, no variables, no
//! `reduce`, `foreach`, `..`, assignment or `range`, so nothing calls itself and nothing runs over anything but the
//! values of its input. Two terms whose outputs would be combined with each other (`+`, `==`, `and`, the values of an
//! object, the parts of a string) must have at most one output each: so no products arise. `*` is refused because it
//! repeats strings as often as the record says. `split`, `has` and their like take literals only. A pipe multiplies
//! factors, so factors are limited; and the record is limited by `INPUT_BYTES_MAX`. Hence no clock has to watch an
//! evaluation, and the same record gives the same answer on every machine.

use jaq_core::{
    load::{
        lex::StrPart,
        parse,
        parse::{BinaryOp, Term},
    },
    ops::Math,
    path::Part,
};

/// Longest expression, in bytes.
const TEXT_BYTES_MAX: usize = 1000;
/// Deepest nesting: of brackets, and of what else makes a parser go deeper.
const DEPTH_MAX: usize = 32;
/// Largest factor of the outputs' size.
const SIZE_MAX: u64 = 64;
/// Largest factor of the work.
const WORK_MAX: u64 = 2000;
/// What JSON text may take beyond the characters of a value: six bytes for one.
const TEXT_FACTOR: u64 = 6;

/// A name that takes nothing: one output at most, and by how much it can be larger than the input.
const PLAIN: [(&str, u64); 28] = [
    ("true", 1),
    ("false", 1),
    ("null", 1),
    ("empty", 1),
    ("not", 1),
    ("values", 1),
    ("length", 1),
    ("keys", 2),
    ("to_entries", 8),
    ("type", 8),
    ("add", 1),
    ("any", 1),
    ("all", 1),
    ("min", 1),
    ("max", 1),
    ("first", 1),
    ("last", 1),
    ("sort", 1),
    ("unique", 1),
    ("reverse", 1),
    ("ascii_downcase", 1),
    ("ascii_upcase", 1),
    ("trim", 1),
    ("tonumber", 1),
    ("tostring", TEXT_FACTOR),
    ("floor", 2),
    ("ceil", 2),
    ("round", 2),
];
/// A name that takes one literal, and by how much its one output can be larger than the input.
const LITERAL: [(&str, u64); 7] = [
    ("has", 1),
    ("contains", 1),
    ("startswith", 1),
    ("endswith", 1),
    ("ltrimstr", 1),
    ("rtrimstr", 1),
    ("split", 2),
];

/// What a term can come to.
#[derive(Clone, Copy)]
struct Bound {
    size: u64,
    work: u64,
    /// Has it at most one output?
    one: bool,
}

type Checked = Result<Bound, String>;

/// The names that may be used: those that take nothing, and those that take a literal.
pub(super) fn names() -> (Vec<&'static str>, Vec<&'static str>) {
    let names = |list: &[(&'static str, u64)]| list.iter().map(|(name, _)| *name).collect();
    (names(&PLAIN), names(&LITERAL))
}

/// Fine, or why a manifest may not have it.
pub(super) fn check(source: &str) -> Result<(), String> {
    if source.len() > TEXT_BYTES_MAX {
        return Err(format!("an expression of {} bytes, more than {TEXT_BYTES_MAX}", source.len()));
    }
    if nesting(source) > DEPTH_MAX {
        return Err(format!("an expression nested deeper than {DEPTH_MAX}"));
    }
    let read = parse(source, |parser| parser.term().map(Some)).flatten();
    let bound = term(&read.ok_or("not an expression of jq")?)?;
    if bound.size > SIZE_MAX || bound.work > WORK_MAX {
        return Err("an expression that could come to too much".to_owned());
    }
    Ok(())
}

/// What makes the parser, and whoever reads the term, go deeper; rather too much than too little.
fn nesting(source: &str) -> usize {
    let (mut deepest, mut open) = (0_usize, 0_usize);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    ["if", "try", "-"].iter().fold(deepest, |depth, word| depth + source.matches(word).count())
}

impl Bound {
    /// One output, `size` times as large as the input at most, after so much work.
    const fn one(size: u64, work: u64) -> Self {
        Self { size, work, one: true }
    }

    /// `self | next`.
    const fn then(self, next: Self) -> Self {
        Self {
            size: self.size.saturating_mul(next.size),
            work: self.work.saturating_add(self.size.saturating_mul(next.work)),
            one: self.one && next.one,
        }
    }

    /// Both, of the same input, side by side.
    const fn beside(self, other: Self) -> Self {
        Self {
            size: self.size.saturating_add(other.size),
            work: self.work.saturating_add(other.work),
            one: self.one && other.one,
        }
    }

    /// What is combined with others must have one output, else every output of one meets every output of the other.
    fn single(self) -> Checked {
        if self.one { Ok(self) } else { Err("a combination of what may be several values".to_owned()) }
    }
}

fn term(term: &Term<&str>) -> Checked {
    match term {
        Term::Id | Term::Arr(None) => Ok(Bound::one(1, 1)),
        Term::Num(token) => Ok(literal_of(token.len())),
        Term::Str(None, parts) => text(parts),
        Term::Str(Some(name), _) => Err(format!("the format {name}")),
        Term::Arr(Some(inner)) => Ok(Bound { one: true, ..self::term(inner)?.beside(Bound::one(1, 1)) }),
        Term::Obj(members) => object(members),
        Term::Neg(inner) => Ok(self::term(inner)?.beside(Bound::one(1, 1))),
        Term::BinOp(left, op, right) => binary(left, op, right),
        Term::TryCatch(inner, None) => self::term(inner),
        Term::IfThenElse(branches, otherwise) => choice(branches, otherwise.as_deref()),
        Term::Call(name, arguments) => call(name, arguments),
        Term::Path(from, path) => {
            let mut bound = self::term(from)?;
            for (part, _optional) in &path.0 {
                bound = bound.then(step(part)?);
            }
            Ok(bound)
        }
        Term::Recurse => Err("the recursion ..".to_owned()),
        Term::Label(..) | Term::Break(_) => Err("label or break".to_owned()),
        Term::Fold(name, ..) => Err(format!("the loop {name}")),
        Term::TryCatch(_, Some(_)) => Err("catch".to_owned()),
        Term::Def(..) => Err("a definition".to_owned()),
        Term::Var(name) => Err(format!("the variable {name}")),
    }
}

fn literal_of(bytes: usize) -> Bound {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).max(1);
    // a literal is there once, however large the record; it only has to be paid for
    Bound::one(1, bytes)
}

fn text(parts: &[StrPart<&str, Term<&str>>]) -> Checked {
    let mut bound = Bound::one(1, 1);
    for part in parts {
        bound = bound.beside(match part {
            StrPart::Str(text) => literal_of(text.len()),
            StrPart::Char(_) => literal_of(1),
            StrPart::Term(inner) => term(inner)?.single()?.then(Bound::one(TEXT_FACTOR, TEXT_FACTOR)),
        });
    }
    Ok(bound)
}

fn object(members: &[(Term<&str>, Option<Term<&str>>)]) -> Checked {
    let mut bound = Bound::one(1, 1);
    for (key, value) in members {
        if !is_literal(key) {
            return Err("an object with computed keys".to_owned());
        }
        let value = value.as_ref().map_or(Ok(Bound::one(1, 2)), term)?;
        bound = bound.beside(value.single()?);
    }
    Ok(bound)
}

fn binary(left: &Term<&str>, op: &BinaryOp<&str>, right: &Term<&str>) -> Checked {
    let (left, right) = (term(left)?, term(right)?);
    let truth = |both: Bound| Bound::one(1, both.work.saturating_add(1));
    match op {
        BinaryOp::Pipe(None) => Ok(left.then(right)),
        BinaryOp::Comma => Ok(Bound { one: false, ..left.beside(right) }),
        BinaryOp::Alt => Ok(left.beside(right)),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Cmp(_) => Ok(truth(left.single()?.beside(right.single()?))),
        BinaryOp::Math(Math::Add | Math::Sub) => {
            Ok(left.single()?.beside(right.single()?).then(Bound::one(1, 1)))
        }
        // of two strings it splits, and each piece is a value
        BinaryOp::Math(Math::Div) => Ok(left.single()?.beside(right.single()?).then(Bound::one(2, 2))),
        BinaryOp::Math(op @ (Math::Mul | Math::Rem)) => Err(format!("the operator {}", op.as_str())),
        BinaryOp::Pipe(Some(_)) => Err("a variable".to_owned()),
        BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
            Err("an assignment".to_owned())
        }
    }
}

fn choice(branches: &[(Term<&str>, Term<&str>)], otherwise: Option<&Term<&str>>) -> Checked {
    let mut bound = otherwise.map_or(Ok(Bound::one(1, 1)), term)?;
    for (condition, then) in branches {
        let condition = term(condition)?.single()?;
        bound = bound.beside(Bound { size: 0, ..condition }).beside(term(then)?);
    }
    Ok(bound)
}

fn call(name: &str, arguments: &[Term<&str>]) -> Checked {
    let refused = || format!("the function {name}/{}", arguments.len());
    let known = |list: &[(&str, u64)]| list.iter().find(|(known, _)| *known == name).map(|(_, size)| *size);
    match arguments {
        [] => {
            let size = known(&PLAIN).ok_or_else(refused)?;
            Ok(Bound::one(size, size.saturating_add(4)))
        }
        [argument] if is_literal(argument) && known(&LITERAL).is_some() => {
            Ok(Bound::one(known(&LITERAL).unwrap_or(1), 2).beside(Bound { size: 0, ..term(argument)? }))
        }
        [_] if known(&LITERAL).is_some() => Err(format!("{name} of what is no literal")),
        [inner] => {
            let (inner, elements) = (term(inner)?, Bound { one: false, ..Bound::one(1, 2) });
            match name {
                "select" => Ok(Bound::one(1, 1).beside(Bound { size: 0, ..inner.single()? })),
                "map" => Ok(Bound { one: true, ..elements.then(inner).beside(Bound::one(1, 1)) }),
                "first" => Ok(Bound { one: true, ..inner }),
                "any" | "all" => Ok(Bound::one(1, elements.then(inner).work.saturating_add(4))),
                _ => Err(refused()),
            }
        }
        [generator, condition] if matches!(name, "any" | "all") => {
            let both = term(generator)?.then(term(condition)?);
            Ok(Bound::one(1, both.work.saturating_add(4)))
        }
        _ => Err(refused()),
    }
}

fn step(part: &Part<Term<&str>>) -> Checked {
    match part {
        Part::Range(None, None) => Ok(Bound { one: false, ..Bound::one(1, 1) }),
        Part::Index(at) if is_literal(at) => Ok(Bound::one(1, 1)),
        Part::Range(from, to) if from.iter().chain(to).all(is_literal) => Ok(Bound::one(1, 1)),
        Part::Index(_) | Part::Range(..) => Err("a place that is computed".to_owned()),
    }
}

fn is_literal(term: &Term<&str>) -> bool {
    match term {
        Term::Num(_) => true,
        Term::Neg(inner) => matches!(**inner, Term::Num(_)),
        Term::Str(None, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(_))),
        Term::Id
        | Term::Recurse
        | Term::Str(Some(_), _)
        | Term::Arr(_)
        | Term::Obj(_)
        | Term::BinOp(..)
        | Term::Label(..)
        | Term::Break(_)
        | Term::Fold(..)
        | Term::TryCatch(..)
        | Term::IfThenElse(..)
        | Term::Def(..)
        | Term::Call(..)
        | Term::Var(_)
        | Term::Path(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_could_run_away_or_reach_out_is_refused() {
        for (source, why) in [
            ("..", "recursion"),
            ("recurse", "the function recurse/0"),
            ("repeat(.)", "the function repeat/1"),
            ("[limit(3; .[])]", "the function limit/2"),
            ("range(10)", "the function range/1"),
            ("last(range(infinite))", "the function infinite/0"),
            ("until(false; .)", "the function until/2"),
            ("while(true; .)", "the function while/2"),
            ("def f: f; f", "a definition"),
            ("reduce .[] as $x (0; . + $x)", "the loop reduce"),
            ("foreach .[] as $x (0; . + $x)", "the loop foreach"),
            ("label $out | break $out", "label"),
            (". as $x | .", "a variable"),
            ("$ENV", "the variable $ENV"),
            ("$__loc__", "the variable $__loc__"),
            ("env.HOME", "the function env/0"),
            ("now", "the function now/0"),
            ("input", "the function input/0"),
            ("input_filename", "the function input_filename/0"),
            ("halt", "the function halt/0"),
            ("debug", "the function debug/0"),
            ("stderr", "the function stderr/0"),
            ("localtime", "the function localtime/0"),
            ("strflocaltime(\"%Y\")", "the function strflocaltime/1"),
            ("error(.)", "the function error/1"),
            ("try .a catch .", "catch"),
            (".a = 1", "an assignment"),
            (".a |= 1", "an assignment"),
            ("\"a\" * .n", "the operator *"),
            (".a % .b", "the operator %"),
            ("@base64", "the function @base64/0"),
            ("@base64 \"\\(.)\"", "the format"),
            (".[.a]", "a place that is computed"),
            ("{(.a): 1}", "an object with computed keys"),
            ("startswith(.a)", "startswith of what is no literal"),
            (".[] + .[]", "a combination"),
            ("[.[] == .[]]", "a combination"),
            ("{a: .[]}", "a combination"),
            ("\"\\(.[])\"", "a combination"),
            ("map(select(.[]))", "a combination"),
            (".+.|.+.|.+.|.+.|.+.|.+.|.+.", "too much"),
            ("length_of", "the function length_of/0"),
            ("group_by(.a)", "the function group_by/1"),
            ("error_empty", "the function error_empty/0"),
            ("import \"a\" as a; .", "not an expression"),
            ("", "not an expression"),
            (". .", "not an expression"),
        ] {
            let said = check(source).expect_err(source);
            assert!(said.contains(why), "{source}: {said}");
        }
        assert!(check(&"[".repeat(500)).unwrap_err().contains("deeper"));
        assert!(check(&format!("{}1", "-".repeat(500))).unwrap_err().contains("deeper"));
        assert!(check(&format!("{}1", "if ".repeat(300))).unwrap_err().contains("deeper"));
        assert!(check(&" ".repeat(2000)).unwrap_err().contains("bytes"));
    }
}
