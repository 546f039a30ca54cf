//! A writer of HTML through which nothing passes unescaped: tags are ours and fixed, text is anybody's.
//!
//! It knows no page and checks no nesting beyond closing what it opened.

use crate::text::visible;

/// HTML being written.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// A cell of a table.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    class: &'static str,
}

impl Cell {
    /// Words, at the left.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "" }
    }

    /// A number or a length of time, at the right; faint if it is nothing.
    pub(super) fn figure(text: impl Into<String>, is_nothing: bool) -> Self {
        Self { text: text.into(), class: if is_nothing { "n zero" } else { "n" } }
    }

    /// In one of the page's colours, which is never the only thing that says it.
    pub(super) fn loud(text: impl Into<String>, is_nothing: bool, class: &'static str) -> Self {
        Self { text: text.into(), class: if is_nothing { "n zero" } else { class } }
    }

    /// An instant, which must not be broken.
    pub(super) fn when(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "when" }
    }

    /// A short name, which must not be broken.
    pub(super) fn id(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "id" }
    }

    /// Words that name a lack.
    pub(super) fn said(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "said" }
    }

    /// Letters that must be told apart.
    pub(super) fn mono(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "mono" }
    }
}

impl Html {
    /// Our own markup, as it stands.
    pub(super) fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Anybody's text: markup is escaped, hidden characters are made visible.
    pub(super) fn text(&mut self, text: &str) {
        for c in visible(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
    }

    /// What lies between a start tag and its end.
    pub(super) fn within(&mut self, tag: &'static str, class: &'static str, inside: impl FnOnce(&mut Self)) {
        self.open(tag, class);
        inside(self);
        self.close(tag);
    }

    /// Text between a start tag and its end.
    pub(super) fn put(&mut self, tag: &'static str, class: &'static str, text: &str) {
        self.within(tag, class, |html| html.text(text));
    }

    /// A table with its caption and one header for each column; the first cell of a row heads it. Narrow screens show
    /// each cell with its column's name.
    pub(super) fn table(
        &mut self,
        class: &'static str,
        caption: &str,
        heads: &[&'static str],
        rows: &[Vec<Cell>],
    ) {
        self.within("table", class, |html| {
            if !caption.is_empty() {
                html.put("caption", "", caption);
            }
            html.raw("<thead><tr>");
            for (place, head) in heads.iter().enumerate() {
                let figures = rows.iter().filter_map(|row| row.get(place)).any(Cell::is_figure);
                html.raw(if figures { "<th scope=col class=n>" } else { "<th scope=col>" });
                html.text(head);
                html.raw("</th>");
            }
            html.raw("</tr></thead>\n<tbody>\n");
            for row in rows {
                html.row(heads, row);
            }
            html.raw("</tbody>");
        });
    }

    fn row(&mut self, heads: &[&'static str], row: &[Cell]) {
        self.raw("<tr>");
        for (place, (head, cell)) in heads.iter().zip(row).enumerate() {
            let tag = if place == 0 { "th" } else { "td" };
            self.raw(if place == 0 { "<th scope=row class=\"" } else { "<td class=\"" });
            self.raw(cell.class);
            self.raw("\" data-head=\"");
            self.text(head);
            self.raw("\">");
            // names may run from right to left: they must not reorder their neighbours
            self.put("bdi", "", &cell.text);
            self.close(tag);
        }
        self.raw("</tr>\n");
    }

    fn open(&mut self, tag: &'static str, class: &'static str) {
        self.raw("<");
        self.raw(tag);
        if !class.is_empty() {
            self.raw(" class=\"");
            self.raw(class);
            self.raw("\"");
        }
        self.raw(">");
    }

    fn close(&mut self, tag: &'static str) {
        self.raw("</");
        self.raw(tag);
        self.raw(">\n");
    }

    /// The markup.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Cell {
    fn is_figure(&self) -> bool {
        !matches!(self.class, "" | "mono" | "said" | "when" | "id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_text_is_neither_markup_nor_hidden() {
        let mut html = Html::default();
        let text = "<script>alert('x\")</script> & \u{202e}gpj \u{1b}[31m\u{0}";
        html.put("p", "", text);
        html.table("t", text, &["a"], &[vec![Cell::mono(text)]]);
        let page = html.finish();
        assert!(page.starts_with(
            "<p>&lt;script&gt;alert(&#39;x&quot;)&lt;/script&gt; &amp; \\u{202e}gpj \\u{1b}[31m\\u{0}</p>"
        ));
        assert!(!page.contains("<script") && !page.contains(['\u{202e}', '\u{1b}', '\u{0}', '\'']));
    }
}
