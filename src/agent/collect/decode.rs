//! From a received body to the JSON that paths speak about, for sources that answer in lines, tables or XML. Pure.
//!
//! What is kept of such an answer is that JSON, which anybody makes again from the same body. Nothing is guessed: what is cut
//! off, ragged or said twice has no JSON.

use std::borrow::Cow;

use quick_xml::{Reader, events::Event};
use serde_json::{Map, Value};

use super::{
    project::Path,
    scan::Flaw,
    table::{self, Column},
};

/// Most elements inside of each other.
const DEPTH_MAX: usize = 64;

/// How a source writes its answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Decode {
    /// As JSON.
    #[default]
    Json,
    /// As lines, each JSON; together they are a list.
    Lines,
    /// As a table with a head (RFC 4180): a list of objects of texts.
    Csv,
    /// As a table of these columns, which somebody may have signed.
    Table(Vec<Column>),
    /// As XML. An element is an object of its elements, or its text; the outermost has no name. Elements that may come more than
    /// once, or not at all, are lists.
    Xml {
        /// Paths of those.
        lists: Vec<Path>,
    },
}

impl Decode {
    /// A body as JSON. Of tables, each row says who signed them.
    pub(super) fn json<'b>(&self, body: &'b [u8], signed_by: Option<&str>) -> Result<Cow<'b, [u8]>, Flaw> {
        let decoded = match self {
            Self::Json => return Ok(Cow::Borrowed(body)),
            Self::Lines => lines(body),
            Self::Csv => csv(body)?,
            Self::Table(columns) => table::json(columns, body, signed_by)?,
            Self::Xml { lists } => xml(body, &lists.iter().map(ToString::to_string).collect::<Vec<_>>())?,
        };
        Ok(Cow::Owned(decoded))
    }
}

/// Lines are not looked into: whoever reads the list sees that one is cut off.
fn lines(body: &[u8]) -> Vec<u8> {
    let whole = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let mut out = Vec::with_capacity(body.len() + 2);
    out.push(b'[');
    for (i, line) in whole.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
    out.push(b']');
    out
}

fn csv(body: &[u8]) -> Result<Vec<u8>, Flaw> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    // a cell that is cut off would take what follows with it, and be no error to the reader
    if body.iter().fold(false, |is_open, byte| is_open != (*byte == b'"')) {
        return Err(Flaw::Syntax);
    }
    let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(body);
    let head = reader.headers().map_err(|_malformed| Flaw::Syntax)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_ragged| Flaw::Syntax)?;
        let mut row = Map::new();
        for (name, cell) in head.iter().zip(&record) {
            if row.insert(name.trim().to_owned(), cell.trim().into()).is_some() {
                return Err(Flaw::Repeated);
            }
        }
        rows.push(Value::Object(row));
    }
    Ok(Value::Array(rows).to_string().into_bytes())
}

fn xml(body: &[u8], lists: &[String]) -> Result<Vec<u8>, Flaw> {
    let text = std::str::from_utf8(body).map_err(|_other| Flaw::Syntax)?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut done = None;
    loop {
        match reader.read_event().map_err(|_malformed| Flaw::Syntax)? {
            Event::Start(start) if done.is_none() => {
                if open.len() >= DEPTH_MAX {
                    return Err(Flaw::Size);
                }
                let element = Element::begin(open.last(), start.local_name().as_ref())?;
                open.push(element);
            }
            Event::Empty(start) if done.is_none() => {
                let element = Element::begin(open.last(), start.local_name().as_ref())?;
                close(element, &mut open, &mut done, lists)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or(Flaw::Syntax)?;
                close(element, &mut open, &mut done, lists)?;
            }
            Event::Text(text) => text_of(&mut open, &text.decode().map_err(|_other| Flaw::Syntax)?)?,
            Event::CData(text) => text_of(&mut open, &text.decode().map_err(|_other| Flaw::Syntax)?)?,
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|_other| Flaw::Syntax)?;
                let whole = format!("&{name};");
                text_of(&mut open, &quick_xml::escape::unescape(&whole).map_err(|_unknown| Flaw::Syntax)?)?;
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
            // definitions of a document's own could make much of little, and a second outermost element is none
            Event::DocType(_) | Event::Start(_) | Event::Empty(_) => return Err(Flaw::Syntax),
        }
    }
    match done {
        Some(value) if open.is_empty() => Ok(value.to_string().into_bytes()),
        Some(_) | None => Err(Flaw::Syntax),
    }
}

/// An element that has begun.
struct Element {
    name: String,
    path: String,
    text: String,
    members: Map<String, Value>,
}

impl Element {
    fn begin(outer: Option<&Self>, name: &[u8]) -> Result<Self, Flaw> {
        let name = std::str::from_utf8(name).map_err(|_other| Flaw::Syntax)?.to_owned();
        let path = match outer {
            None => String::new(),
            Some(outer) if outer.path.is_empty() => name.clone(),
            Some(outer) => format!("{}.{name}", outer.path),
        };
        Ok(Self { name, path, text: String::new(), members: Map::new() })
    }

    /// What it comes to: lists that may be empty are there, and text beside elements is none.
    fn value(mut self, lists: &[String]) -> Result<Value, Flaw> {
        let own = |list: &String| match list.rsplit_once('.') {
            Some((outer, name)) => (outer == self.path).then(|| name.to_owned()),
            None => self.path.is_empty().then(|| list.clone()),
        };
        for name in lists.iter().filter_map(own).collect::<Vec<_>>() {
            self.members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        }
        match (self.members.is_empty(), self.text.trim().is_empty()) {
            (true, _) => Ok(self.text.into()),
            (false, true) => Ok(Value::Object(self.members)),
            (false, false) => Err(Flaw::Syntax),
        }
    }
}

fn close(
    element: Element,
    open: &mut [Element],
    done: &mut Option<Value>,
    lists: &[String],
) -> Result<(), Flaw> {
    let (name, path) = (element.name.clone(), element.path.clone());
    let value = element.value(lists)?;
    let Some(outer) = open.last_mut() else {
        *done = Some(value);
        return Ok(());
    };
    if lists.contains(&path) {
        let list = outer.members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().ok_or(Flaw::Repeated)?.push(value);
        return Ok(());
    }
    if outer.members.insert(name, value).is_some() { Err(Flaw::Repeated) } else { Ok(()) }
}

fn text_of(open: &mut [Element], text: &str) -> Result<(), Flaw> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Flaw::Syntax),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(decode: &Decode, body: &str) -> Result<String, Flaw> {
        decode.json(body.as_bytes(), None).map(|json| String::from_utf8(json.into_owned()).unwrap())
    }

    #[test]
    fn lines_are_a_list_and_none_are_an_empty_one() {
        let decode = Decode::Lines;
        assert_eq!(read(&decode, "{\"a\":1}\r\n\n{\"a\":2}\n").unwrap(), "[{\"a\":1},{\"a\":2}]");
        assert_eq!(read(&decode, "").unwrap(), "[]");
    }

    #[test]
    fn a_table_is_a_list_of_its_rows() {
        let decode = Decode::Csv;
        let body = "\u{feff}name, note\nann,\"a, b\"\nbob,\n";
        assert_eq!(
            read(&decode, body).unwrap(),
            r#"[{"name":"ann","note":"a, b"},{"name":"bob","note":""}]"#
        );
        assert_eq!(read(&decode, "a,b\n1\n"), Err(Flaw::Syntax));
        assert_eq!(read(&decode, "a,a\n1,2\n"), Err(Flaw::Repeated));
    }

    #[test]
    fn xml_has_lists_where_they_are_declared_and_nowhere_else() {
        let lists = ["Users.member", "Users.member.Tags.member"].map(|path| Path::read(path).unwrap());
        let decode = Decode::Xml { lists: lists.to_vec() };
        let body = "<?xml version=\"1.0\"?><R xmlns=\"x\"><Users><member><Name>a&amp;b &#65;</Name><Tags/></member></Users><T>true</T></R>";
        assert_eq!(
            read(&decode, body).unwrap(),
            r#"{"Users":{"member":[{"Name":"a&b A","Tags":{"member":[]}}]},"T":"true"}"#
        );
        assert_eq!(read(&decode, "<R><Users/></R>").unwrap(), r#"{"Users":{"member":[]}}"#);
        assert_eq!(read(&decode, "<R><T>1</T><T>2</T></R>"), Err(Flaw::Repeated));
        for broken in [
            "",
            "<R>",
            "<R></R><R/>",
            "<!DOCTYPE R [<!ENTITY x \"y\">]><R>&x;</R>",
            "<R>a<T/></R>",
            "<R></S>",
        ] {
            assert_eq!(read(&decode, broken), Err(Flaw::Syntax), "{broken}");
        }
        let deep = format!("{}{}", "<a>".repeat(DEPTH_MAX + 1), "</a>".repeat(DEPTH_MAX + 1));
        assert_eq!(read(&decode, &deep), Err(Flaw::Size));
    }
}
