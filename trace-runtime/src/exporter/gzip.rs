//! Request bodies, compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Replaces what is in `out` by the compressed `body`. The fastest level: spans repeat themselves so
/// much that more effort gains little.
pub(crate) fn compress(body: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut encoder = GzEncoder::new(std::mem::take(out), Compression::fast());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(body);
    *out = encoder.finish().unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_body_comes_back_whatever_was_in_the_buffer() {
        let mut out = b"left over".to_vec();
        for len in [0, 1, 100_000] {
            let body: Vec<u8> = (0..len).map(|i: u32| (i % 7) as u8).collect();
            compress(&body, &mut out);
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&*out)
                .read_to_end(&mut back)
                .unwrap();
            assert!(back == body, "{len}");
        }
    }
}
