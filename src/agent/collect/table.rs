//! A table that people write (RFC 4180): its columns as a manifest declares them, and the JSON that its rows come to. Pure.
//!
//! Nothing is guessed: a table with any fault has no JSON, and every fault is told at once, with its line and column. What a cell
//! holds is never repeated in a fault.

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value};

use super::scan::Flaw;

/// Most rows of a table.
const ROWS_MAX: usize = 200_000;
/// Most faults that are told of one table; the first are the ones to mend.
const FAULTS_MAX: usize = 100;
/// Longest cell, in bytes.
const CELL_BYTES_MAX: usize = 4_096;
/// The member of each row that says who signed the file.
const SIGNED_BY: &str = "signed_by";

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// What stands in the head.
    pub name: String,
    /// What its cells hold.
    pub is: Is,
    /// Must each cell hold something?
    pub need: bool,
}

/// What a cell holds. An empty one holds nothing, and its row lacks the member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Is {
    /// Any text.
    Text,
    /// Texts with blanks, commas or semicolons between.
    Words,
    /// An e-mail address; small letters come of it.
    Email,
    /// A login, or an e-mail address, which then is the member `<name>_email` instead.
    Account,
    /// A day, `2026-03-31`.
    Date,
    /// An instant, `2026-03-31T16:00:00Z`.
    Instant,
    /// A whole number.
    Number,
    /// `yes` or `no`, `true` or `false`.
    Truth,
    /// One of these words.
    OneOf(Vec<String>),
}

/// What is wrong at one place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    /// The line, from 1.
    pub line: u64,
    /// The column's name; of a whole line, nothing.
    pub column: String,
    /// What should stand there.
    pub expected: String,
}

/// A list of objects, one of each row, in the file's order.
pub(super) fn json(columns: &[Column], body: &[u8], signed_by: Option<&str>) -> Result<Vec<u8>, Flaw> {
    let rows = rows(columns, body, signed_by).map_err(|_faults| Flaw::Table)?;
    if rows.len() > ROWS_MAX {
        return Err(Flaw::Size);
    }
    Ok(Value::Array(rows).to_string().into_bytes())
}

/// The same as values, or all that is wrong.
pub(super) fn rows(
    columns: &[Column],
    body: &[u8],
    signed_by: Option<&str>,
) -> Result<Vec<Value>, Vec<TableFault>> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut faults = Vec::new();
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let head = match reader.headers() {
        Ok(head) => head.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>(),
        Err(_) => return Err(vec![whole_line(1, "a head in UTF-8")]),
    };
    let order = order(columns, &head, &mut faults);
    let mut rows = Vec::new();
    for record in reader.records() {
        let Ok(record) = record else {
            faults.push(whole_line(1, "a table in UTF-8"));
            break;
        };
        let line = record.position().map_or(0, ::csv::Position::line);
        if record.len() != head.len() {
            faults.push(whole_line(line, &format!("{} cells", head.len())));
        } else if rows.len() <= ROWS_MAX {
            rows.push(row(&order, &record, (line, signed_by), &mut faults));
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

/// Which column each cell of a row belongs to.
fn order<'c>(
    columns: &'c [Column],
    head: &[String],
    faults: &mut Vec<TableFault>,
) -> Vec<Option<&'c Column>> {
    for column in columns {
        let times = head.iter().filter(|name| **name == column.name).count();
        if times > 1 || times == 0 && column.need {
            let expected = "this column, once".to_owned();
            faults.push(TableFault { line: 1, column: column.name.clone(), expected });
        }
    }
    let find = |name: &String| {
        let column = columns.iter().find(|column| column.name == *name);
        if column.is_none() {
            let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            faults.push(whole_line(1, &format!("no other columns than {}", known.join(", "))));
        }
        column
    };
    head.iter().map(find).collect()
}

fn whole_line(line: u64, expected: &str) -> TableFault {
    TableFault { line, column: String::new(), expected: expected.to_owned() }
}

fn row(
    order: &[Option<&Column>],
    record: &::csv::StringRecord,
    (line, signed_by): (u64, Option<&str>),
    faults: &mut Vec<TableFault>,
) -> Value {
    let mut row = Map::new();
    for (column, cell) in order.iter().zip(record).filter_map(|(column, cell)| Some(((*column)?, cell))) {
        match column.member(cell.trim()) {
            Ok(Some((name, value))) => {
                row.insert(name, value);
            }
            Ok(None) => {}
            Err(expected) => faults.push(TableFault { line, column: column.name.clone(), expected }),
        }
    }
    row.insert(SIGNED_BY.to_owned(), signed_by.map_or(Value::Null, Value::from));
    Value::Object(row)
}

impl Column {
    /// The member that a cell comes to; nothing if it is empty; or what should stand there.
    fn member(&self, cell: &str) -> Result<Option<(String, Value)>, String> {
        if cell.is_empty() {
            return if self.need { Err(self.is.words()) } else { Ok(None) };
        }
        let short = cell.len() <= CELL_BYTES_MAX && !cell.contains(char::is_control);
        let value = self.is.value(cell).filter(|_| short).ok_or_else(|| self.is.words())?;
        let is_address = self.is == Is::Account && cell.contains('@');
        let name = if is_address { format!("{}_email", self.name) } else { self.name.clone() };
        Ok(Some((name, value)))
    }
}

impl Is {
    fn value(&self, cell: &str) -> Option<Value> {
        match self {
            Self::Text => Some(cell.into()),
            Self::Words => {
                let words = cell.split([' ', ',', ';']).filter(|word| !word.is_empty());
                Some(words.map(Value::from).collect())
            }
            Self::Account if !cell.contains('@') => Some(cell.into()),
            Self::Account | Self::Email => is_address(cell).then(|| cell.to_lowercase().into()),
            Self::Date => {
                let read = NaiveDate::parse_from_str(cell, "%Y-%m-%d").ok()?;
                (read.to_string() == cell).then(|| cell.into())
            }
            Self::Instant => DateTime::parse_from_rfc3339(cell).ok().map(|_| cell.into()),
            Self::Number => cell.parse::<u32>().ok().map(Value::from),
            Self::Truth => match cell.to_ascii_lowercase().as_str() {
                "yes" | "true" => Some(true.into()),
                "no" | "false" => Some(false.into()),
                _ => None,
            },
            Self::OneOf(words) => words.iter().any(|word| word == cell).then(|| cell.into()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Words => "words with blanks between".to_owned(),
            Self::Email => "an e-mail address".to_owned(),
            Self::Account => "a login or an e-mail address".to_owned(),
            Self::Date => "a day as 2026-03-31".to_owned(),
            Self::Instant => "an instant as 2026-03-31T16:00:00Z".to_owned(),
            Self::Number => "a whole number".to_owned(),
            Self::Truth => "yes or no".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
        }
    }
}

/// One `@` between two parts, and no blank: whether it can be written to is not asked.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    let bare = !text.contains([' ', ',', ';', '<', '>']);
    bare && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let column = |name: &str, is, need| Column { name: name.to_owned(), is, need };
        vec![
            column("email", Is::Email, true),
            column("ends", Is::Date, false),
            column("at", Is::Instant, false),
            column("logins", Is::Words, false),
            column("n", Is::Number, false),
            column("ok", Is::Truth, false),
            column("kind", Is::OneOf(vec!["a".to_owned(), "b".to_owned()]), false),
            column("who", Is::Account, false),
        ]
    }

    #[test]
    fn cells_become_what_their_columns_say_and_empty_ones_nothing() {
        let body = "\u{feff}email,ends,at,logins,n,ok,kind,who\nAnn@Acme.Example,2026-03-31,2026-03-31T16:00:00Z,github:ann; x:y,7,yes,b,ann\n\
                    bob@acme.example,,,,,,,Bob@acme.example\n";
        let rows = rows(&columns(), body.as_bytes(), Some("lead")).unwrap();
        let expected = r#"{"email":"ann@acme.example","ends":"2026-03-31","at":"2026-03-31T16:00:00Z","logins":["github:ann","x:y"],"n":7,"ok":true,"kind":"b","who":"ann","signed_by":"lead"}"#;
        assert_eq!(rows[0].to_string(), expected);
        let expected = r#"{"email":"bob@acme.example","who_email":"bob@acme.example","signed_by":null}"#;
        assert_eq!(super::rows(&columns(), body.as_bytes(), None).unwrap()[1].to_string(), expected);
    }

    #[test]
    fn every_fault_is_told_at_once_and_none_repeats_a_cell() {
        let body = "email,ends,kind,salary\nhush,31.3.2026,c,1\n,2026-02-30,a,1\na@b,2026-1-1\n";
        let faults = rows(&columns(), body.as_bytes(), None).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column.as_str())).collect();
        let expected = [(1, ""), (2, "email"), (2, "ends"), (2, "kind"), (3, "email"), (3, "ends"), (4, "")];
        assert_eq!(places, expected);
        assert!(!format!("{faults:?}").contains("hush"));
        assert_eq!(json(&columns(), body.as_bytes(), None), Err(Flaw::Table));
        for none in ["", "ends\n", "email,email\n", "email\n\"\u{0}\"\n"] {
            assert_eq!(json(&columns(), none.as_bytes(), None), Err(Flaw::Table), "{none:?}");
        }
        assert_eq!(json(&columns(), b"email\n", None).unwrap(), b"[]");
    }
}
