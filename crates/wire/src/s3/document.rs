//! Writing an answer in XML.

use crate::query::Markup as _;

/// An XML document as it is written.
pub struct Document {
    bytes: Vec<u8>,
    open: Vec<&'static str>,
}

impl Document {
    /// A document whose root element has S3's namespace.
    pub fn new(root: &'static str) -> Self {
        Self::begin(root, &format!("<{root} xmlns=\"{}\">", super::NAMESPACE))
    }

    /// A document without a namespace: S3's errors are such.
    pub fn plain(root: &'static str) -> Self {
        Self::begin(root, &format!("<{root}>"))
    }

    fn begin(root: &'static str, tag: &str) -> Self {
        let mut bytes = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
        bytes.extend_from_slice(tag.as_bytes());
        Self { bytes, open: vec![root] }
    }

    /// An element that holds a text.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.bytes.element(name, text);
        self
    }

    /// An element that holds a text, if there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// An element that holds what `fill` writes.
    pub fn element(&mut self, name: &'static str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.bytes.markup(&["<", name, ">"]);
        fill(self);
        self.bytes.markup(&["</", name, ">"]);
        self
    }

    /// A text as the content of the element that is open.
    pub fn content(&mut self, text: &str) -> &mut Self {
        self.bytes.text(text);
        self
    }

    /// The whole document.
    pub fn finish(mut self) -> Vec<u8> {
        while let Some(name) = self.open.pop() {
            self.bytes.markup(&["</", name, ">"]);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_texts_are_escaped() {
        let mut document = Document::new("R");
        document.text("A", "<&>").optional("B", None).element("C", |inner| {
            inner.optional("D", Some("d"));
        });
        let text = String::from_utf8(document.finish()).unwrap();
        let inner = "<A>&lt;&amp;&gt;</A><C><D>d</D></C>";
        assert_eq!(
            text,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"{}\">{inner}</R>",
                crate::s3::NAMESPACE
            )
        );
    }

    #[test]
    fn a_plain_root_has_no_namespace() {
        let mut document = Document::plain("E");
        document.content("x");
        assert!(document.finish().ends_with(b"?>\n<E>x</E>"));
    }
}
