//! One line of output, put together column by column.

use super::style::{Paint, Style};
use super::text::{clip, width};

/// Pieces of text with their colours, and how many columns they take without these.
pub(super) struct Line<'a> {
    style: &'a Style,
    text: String,
    width: usize,
}

impl<'a> Line<'a> {
    pub(super) fn new(style: &'a Style) -> Self {
        Self {
            style,
            text: String::new(),
            width: 0,
        }
    }

    /// Appends as much of the text as fits left of the column `end`.
    pub(super) fn push(&mut self, paint: Paint, text: &str, end: usize) {
        let text = clip(text, end.saturating_sub(self.width));
        self.width += width(&text);
        self.text.push_str(&self.style.paint(paint, &text));
    }

    /// Appends text that already has its colours and takes so many columns.
    pub(super) fn push_painted(&mut self, text: &str, columns: usize) {
        self.width += columns;
        self.text.push_str(text);
    }

    /// Goes on at this column.
    pub(super) fn pad_to(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width);
        self.text.extend(std::iter::repeat_n(' ', missing));
        self.width += missing;
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The line, with its end.
    pub(super) fn finish(mut self) -> String {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_columns() {
        let style = Style {
            colour: true,
            ..Style::plain(80)
        };
        let mut line = Line::new(&style);
        line.push(Paint::Bad, "checkout", 6);
        line.pad_to(8);
        line.push(Paint::None, "1 ms  ", 80);
        assert_eq!(line.width(), 14);
        assert_eq!(line.finish(), "\x1b[31mcheck…\x1b[0m  1 ms\n");
    }
}
