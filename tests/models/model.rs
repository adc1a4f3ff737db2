//! The models.

use loom::sync::Arc;
use loom::thread;

use crate::buffer::Writer;
use crate::queue::Queue;
use crate::record::{Header, Late, Records, flag};

/// Bytes of one record.
const RECORD: usize = 8 * Header::WORDS;

/// Every interleaving with at most this many preemptions.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn push(writer: &mut Writer, id: u16, with_box: bool) {
    let header = Header {
        site: 0,
        flags: if with_box { flag::LATE } else { 0 },
        id,
    };
    writer.push(&header, &[], with_box.then(|| Box::new(Late(id))));
}

fn drain(queue: &Queue, into: &mut Vec<u16>) -> usize {
    let mut records = Records::default();
    queue.drain(&mut queue.round(), &mut records);
    into.extend(&records.0);
    records.len()
}

/// Whether so many records fit and no more.
fn has_room_for(queue: &Arc<Queue>, records: u16) -> bool {
    let before = queue.totals().dropped_queue_full;
    let mut writer = Writer::register(queue);
    (0..=records).for_each(|id| push(&mut writer, id, false));
    queue.totals().dropped_queue_full == before + 1
}

/// A thread records past the end of a chunk and ends, while the worker reads: every record arrives
/// once, whole and in order, the buffer is forgotten, and all credits are back.
pub fn records_arrive_once_and_in_order() {
    check(|| {
        let queue = Arc::new(Queue::new(4, 1 << 20, 4));
        let own = Arc::clone(&queue);
        let recording = thread::spawn(move || {
            let mut writer = Writer::register(&own);
            for id in 0..3 {
                push(&mut writer, id, id == 1);
            }
        });
        let mut seen = Vec::new();
        let early = drain(&queue, &mut seen);
        queue.release(early, early * RECORD);
        recording.join().expect("the thread ends");
        let rest = drain(&queue, &mut seen);
        queue.release(rest, rest * RECORD);
        assert_eq!(seen, [0, 1, 2]);
        assert_eq!(queue.totals().ended, 3);
        assert!(has_room_for(&queue, 4), "credits are lost");
    });
}

/// Two threads want more than the queue has room for, while the worker makes room: what ended was
/// read or dropped, to the span.
pub fn what_ended_is_read_or_dropped() {
    check(|| {
        let queue = Arc::new(Queue::new(1, 1 << 20, 1));
        let record = |queue: &Arc<Queue>, id| {
            let own = Arc::clone(queue);
            move || push(&mut Writer::register(&own), id, false)
        };
        let first = thread::spawn(record(&queue, 1));
        let second = thread::spawn(record(&queue, 2));
        let mut seen = Vec::new();
        let early = drain(&queue, &mut seen);
        queue.release(early, early * RECORD);
        first.join().expect("the thread ends");
        second.join().expect("the thread ends");
        let rest = drain(&queue, &mut seen);
        queue.release(rest, rest * RECORD);
        let totals = queue.totals();
        assert_eq!(totals.ended, 2);
        assert_eq!(totals.ended, seen.len() as u64 + totals.dropped_queue_full);
        assert!(!seen.is_empty(), "there was room for one");
        assert!(has_room_for(&queue, 1), "credits are lost");
    });
}

/// A chunk that has been read is used again while its thread may still look at it.
pub fn chunks_are_used_again() {
    check(|| {
        let queue = Arc::new(Queue::new(16, 1 << 20, 16));
        let mut writer = Writer::register(&queue);
        let mut seen = Vec::new();
        (0..3).for_each(|id| push(&mut writer, id, false));
        drain(&queue, &mut seen);
        let recording = thread::spawn(move || {
            (3..6).for_each(|id| push(&mut writer, id, id == 4));
        });
        drain(&queue, &mut seen);
        recording.join().expect("the thread ends");
        drain(&queue, &mut seen);
        assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
    });
}
