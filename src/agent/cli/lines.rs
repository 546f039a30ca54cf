//! Where a key stands in the configuration file, for faults that show only after the file was read.

use crate::config::{
    fault::Faults,
    node::Node,
    tree::{self},
};

/// The file, by its keys.
pub(super) struct Lines(Option<Node>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        // the text was read before: it has no faults here
        Self(tree::parse(text, &mut Faults::default()))
    }

    /// The line of a key, or of the nearest key above it that is written; 0 if none is. And the key's path.
    pub(super) fn find(&self, path: &[&str]) -> (usize, String) {
        let Some(root) = &self.0 else { return (0, path.join(".")) };
        let (mut node, mut line, mut named) = (root, 0, String::new());
        for (i, key) in path.iter().enumerate() {
            let child = if node.is_map() { child(node, key) } else { None };
            let Some(child) = child else {
                let rest = path.get(i..).unwrap_or_default();
                let rest = rest.iter().filter(|key| !key.is_empty()).copied().collect::<Vec<_>>().join(".");
                let dot = if named.is_empty() || rest.is_empty() { "" } else { "." };
                return (line, format!("{named}{dot}{rest}"));
            };
            (node, line, named) = (child, child.line(), child.path().to_owned());
        }
        (line, named)
    }
}

fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let entries = node.entries("a map", &mut Faults::default())?;
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_or_the_nearest_one_above() {
        let lines = Lines::of("a:\n  b: { c: 1 }\n  \"d.e\": 2\n");
        assert_eq!(lines.find(&["a", "b", "c"]), (2, "a.b.c".to_owned()));
        assert_eq!(lines.find(&["a", "b", "x", "y"]), (2, "a.b.x.y".to_owned()));
        assert_eq!(lines.find(&["x"]), (0, "x".to_owned()));
        assert_eq!(lines.find(&["a", "d.e"]).0, 3);
    }
}
