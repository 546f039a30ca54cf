//! Makes hostile text visible: names from outside are printed only through [`visible`]. Tells how far two words are apart,
//! for whoever has to guess what was meant.
//!
//! It shortens nothing, translates nothing and knows no markup: a page or a chat escapes its own characters besides.

use std::{borrow::Cow, fmt::Write as _};

/// The text with every character that could move a cursor, hide or reorder its neighbours written as `\u{..}`: C0 and
/// C1 controls (thus ANSI sequences and line breaks), bidirectional controls, invisible and tag characters, line and
/// paragraph separators. Everything else stays as it is; a backslash too, since this is for eyes, not for reading back.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            write!(shown, "\\u{{{:x}}}", u32::from(c)).unwrap_or_default(); // writing to a String cannot fail
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Controls by Unicode's category Cc, and the format characters that change what neighbours look like.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'    // soft hyphen, Arabic letter mark, invisible spaces
            | '\u{200b}'..='\u{200f}'                           // zero width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}'                           // separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}'                           // invisible operators, isolates
            | '\u{fff9}'..='\u{fffb}'                           // interlinear annotation
            | '\u{e0000}'..='\u{e007f}') // tag characters
}

/// Levenshtein's distance: letters to insert, delete or change.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((&y, above), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_left_alone() {
        for name in ["billing-api", "Größe 7", "東京", "a\\b", "🦀 e\u{301}"] {
            assert!(matches!(visible(name), Cow::Borrowed(same) if same == name), "{name}");
        }
    }

    #[test]
    fn controls_escapes_and_overrides_are_seen() {
        assert_eq!(visible("a\x1b[31mb"), "a\\u{1b}[31mb");
        assert_eq!(visible("x\r\ny\0"), "x\\u{d}\\u{a}y\\u{0}");
        assert_eq!(visible("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(visible("api\u{202e}txt.exe\u{2069}"), "api\\u{202e}txt.exe\\u{2069}");
        assert_eq!(visible("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
    }
}
