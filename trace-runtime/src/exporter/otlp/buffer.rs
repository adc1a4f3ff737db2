//! What messages are written into.

/// Bytes that are written from the front, over what was there before: room is cleared once, not for
/// every message, and whoever knows the most that he writes asks for room once.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// What has been written.
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Room for so many bytes; what is left there is arbitrary. [`advance`](Self::advance) says how
    /// many were written.
    #[inline]
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        let end = self.len + bytes;
        if end > self.bytes.len() {
            self.grow(end);
        }
        &mut self.bytes[self.len..end]
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.bytes.resize(bytes.max(2 * self.bytes.len()), 0);
    }

    /// So many bytes have been written into the room.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.len += bytes;
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) {
        self.put([byte]);
    }

    #[inline]
    pub(super) fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(room) = self.room(N).first_chunk_mut() {
            *room = bytes;
        }
        self.len += N;
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// What has been written since the buffer was that long.
    #[inline]
    pub(super) fn since(&mut self, start: usize) -> &mut [u8] {
        &mut self.bytes[start..self.len]
    }

    /// Moves what was written since the buffer was `start` long, so that it begins at `to`.
    pub(super) fn shift(&mut self, start: usize, to: usize) {
        let end = self.len;
        self.room(to.saturating_sub(start));
        self.bytes.copy_within(start..end, to);
        self.len = end - start + to;
    }
}
