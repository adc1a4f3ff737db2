//! Records of two words: length and flags, and an id twice, so that a torn one shows.

/// Flags of a [`Header`].
pub(crate) mod flag {
    pub(crate) const LATE: u16 = 1;
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    pub(crate) site: u32,
    pub(crate) flags: u16,
    pub(crate) id: u16,
}

impl Header {
    pub(crate) const WORDS: usize = 2;

    pub(crate) fn to_words(self, words: usize) -> [u64; Self::WORDS] {
        let id = u64::from(self.id);
        [words as u64 | id << 32, u64::from(self.flags) | id << 16]
    }

    pub(crate) fn record_words(first: u64) -> usize {
        first as u32 as usize
    }
}

/// What rarely belongs to a record: here its id once more.
#[derive(Debug)]
pub(crate) struct Late(pub(crate) u16);

impl Late {
    pub(crate) fn bytes(&self) -> usize {
        0
    }
}

/// The ids of the records that were read.
#[derive(Debug, Default)]
pub(crate) struct Records(pub(crate) Vec<u16>);

impl Records {
    pub(crate) fn push(
        &mut self,
        len: usize,
        words: impl Iterator<Item = u64>,
        late: Option<Box<Late>>,
    ) {
        let words: Vec<u64> = words.collect();
        assert_eq!((words.len(), len), (Header::WORDS, Header::WORDS));
        let id = (words[1] >> 16) as u16;
        assert_eq!(words[0] >> 32, u64::from(id), "a torn record");
        if let Some(late) = late {
            assert_eq!(late.0, id, "the box of another record");
        }
        self.0.push(id);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn left(&self) -> usize {
        usize::MAX - self.len()
    }
}
