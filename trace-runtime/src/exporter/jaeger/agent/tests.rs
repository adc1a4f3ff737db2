//! What an agent gets when sending goes wrong on the way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::super::binary::Binary;
use super::*;
use crate::SpanView;
use crate::exporter::samples::{any_records, batch, large_record, plain_records, some_resource};
use crate::record::Records;

/// An agent's side that fails by a script.
#[derive(Clone, Debug, Default)]
struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What comes of the next sends; those after succeed.
    fates: VecDeque<Fate>,
    refused: bool,
    arrived: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Arrives,
    Refused,
    Failed,
    Never,
    TooLongAbove(usize),
}

impl Script {
    fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        let script = Self::default();
        script.0.lock().unwrap().fates.extend(fates);
        script
    }

    /// Datagrams since the last look.
    fn arrived(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.0.lock().unwrap().arrived)
    }
}

impl Wire for Script {
    fn was_refused(&mut self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap().refused)
    }

    fn send(&mut self, datagram: &[u8]) -> Result<(), SendError> {
        let mut state = self.0.lock().unwrap();
        let reason = "scripted".to_owned();
        match state.fates.pop_front().unwrap_or(Fate::Arrives) {
            Fate::TooLongAbove(limit) => {
                state.fates.push_front(Fate::TooLongAbove(limit));
                if datagram.len() > limit {
                    return Err(SendError::TooLong(reason));
                }
            }
            Fate::Arrives => {}
            Fate::Refused => return Err(SendError::Refused(reason)),
            Fate::Failed => return Err(SendError::Failed(reason)),
            Fate::Never => return Err(SendError::Never(reason)),
        }
        state.arrived.push(datagram.to_vec());
        Ok(())
    }

    fn target(&self) -> String {
        "udp://script".to_owned()
    }
}

fn agent(script: &Script) -> Agent<Binary, Script> {
    Agent::new(script.clone())
}

fn export(agent: &mut Agent<Binary, Script>, records: &Records) -> Result<(), ExportError> {
    agent.export(&batch(&some_resource(), records))
}

/// What follows the spans: the sequence number, the statistics, the ends of three structs.
const TAIL: usize = (3 + 8) + (3 + 3 * (3 + 8)) + 3;

/// How much of a datagram is no span, with the resource of these tests.
fn frame() -> usize {
    let mut frame = Frame::default();
    frame.set_resource::<Binary>(&some_resource());
    let mut out = Vec::new();
    frame.write_call::<Binary>(&mut out, &Structs::default());
    out.len()
}

/// The spans of datagrams, encoded. All that stands around them has a fixed width.
fn spans(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let head = frame() - TAIL;
    let bare = |datagram: &Vec<u8>| datagram[head..datagram.len() - TAIL].to_vec();
    datagrams.iter().flat_map(bare).collect()
}

fn encoded(records: &Records) -> Vec<u8> {
    records
        .iter()
        .flat_map(|span| encoded_span(&span))
        .collect()
}

fn encoded_span(span: &SpanView<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::default().span::<Binary>(&mut out, span);
    out
}

/// `failedToEmit` of a datagram.
fn failed_to_emit(datagram: &[u8]) -> u64 {
    let end = datagram.len() - 3;
    u64::from_be_bytes(datagram[end - 8..end].try_into().unwrap())
}

#[test]
fn datagrams_are_as_full_as_can_be() {
    let (script, records) = (Script::default(), plain_records(3_000));
    assert_eq!(export(&mut agent(&script), &records), Ok(()));
    let arrived = script.arrived();
    let encoded = encoded(&records);
    assert!(spans(&arrived) == encoded, "all spans, once, in order");
    // All spans of these records have the same size in this protocol.
    let size = encoded.len() / 3_000;
    let (_, full) = arrived.split_last().unwrap();
    assert!(full.len() >= 5, "{}", full.len());
    for datagram in full {
        let len = datagram.len();
        assert!(len <= 65_000 && len + size > 65_000, "{len} bytes");
    }
}

#[test]
fn nothing_is_sent_twice_after_a_failure_on_the_way() {
    for fate in [Fate::Failed, Fate::TooLongAbove(64_000)] {
        let script = Script::new([Fate::Arrives, Fate::Arrives, fate]);
        let (mut agent, records) = (agent(&script), plain_records(3_000));
        let mut attempts = 1;
        while let Err(error) = export(&mut agent, &records) {
            assert_eq!(error, ExportError::Unreachable("scripted".to_owned()));
            attempts += 1;
        }
        assert_eq!(attempts, if fate == Fate::Failed { 2 } else { 1 });
        assert!(spans(&script.arrived()) == encoded(&records), "{fate:?}");
    }
}

#[test]
fn a_batch_that_was_refused_comes_again_as_a_whole() {
    let script = Script::new([Fate::Arrives, Fate::Refused]);
    let (mut agent, records) = (agent(&script), plain_records(1_000));
    let refused = Err(ExportError::Unreachable("scripted".to_owned()));
    assert_eq!(export(&mut agent, &records), refused);
    script.arrived();
    assert_eq!(export(&mut agent, &records), Ok(()));
    assert!(spans(&script.arrived()) == encoded(&records));
}

#[test]
fn another_batch_starts_anew() {
    let script = Script::new([Fate::Arrives, Fate::Failed]);
    let mut agent = agent(&script);
    let refused = Err(ExportError::Unreachable("scripted".to_owned()));
    assert_eq!(export(&mut agent, &plain_records(1_000)), refused);
    script.arrived();
    let other = plain_records(10);
    assert_eq!(export(&mut agent, &other), Ok(()));
    assert!(spans(&script.arrived()) == encoded(&other));
}

#[test]
fn spans_that_came_back_after_their_batch_was_done_are_told_to_the_agent() {
    let script = Script::default();
    let mut agent = agent(&script);
    assert_eq!(export(&mut agent, &plain_records(7)), Ok(()));
    script.0.lock().unwrap().refused = true;
    assert_eq!(export(&mut agent, &plain_records(3)), Ok(()));
    assert_eq!(export(&mut agent, &plain_records(2)), Ok(()));
    let told: Vec<_> = script.arrived().iter().map(|d| failed_to_emit(d)).collect();
    assert_eq!(told, [0, 7, 7]);
}

#[test]
fn without_any_hope_the_batch_is_refused() {
    let script = Script::new([Fate::Never]);
    let error = export(&mut agent(&script), &plain_records(3)).unwrap_err();
    let message = "scripted".to_owned();
    assert_eq!(error, ExportError::Rejected { spans: 3, message });
}

#[test]
fn what_is_too_large_for_the_path_is_dropped_alone() {
    // Below any span's size, so that the limit goes down to the smallest.
    let script = Script::new([Fate::TooLongAbove(100)]);
    let mut agent = agent(&script);
    let error = export(&mut agent, &plain_records(3)).unwrap_err();
    assert_eq!(error, ExportError::Unreachable("scripted".to_owned()));

    // A path of 2,000 bytes, and spans of more; they are counted once, however often they come.
    let resource = some_resource();
    let records = large_record(3_000);
    let script = Script::new([Fate::TooLongAbove(2_000)]);
    let mut agent = self::agent(&script);
    for dropped in 1..=2 {
        match agent.export(&batch(&resource, &records)) {
            Err(ExportError::Rejected { spans: 1, .. }) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(agent.dropped_too_large(), dropped);
    }
    assert_eq!(script.arrived(), Vec::<Vec<u8>>::new());
}

#[test]
fn no_datagram_goes_out_after_the_deadline() {
    let script = Script::default();
    let (resource, records) = (some_resource(), plain_records(3));
    let late = Batch {
        deadline: Instant::now(),
        ..batch(&resource, &records)
    };
    let reason = "no time left for an attempt".to_owned();
    let result = agent(&script).export(&late);
    assert_eq!(result, Err(ExportError::Unreachable(reason)));
    assert_eq!(script.arrived(), Vec::<Vec<u8>>::new());
}

#[test]
fn an_empty_batch_is_no_datagram() {
    let script = Script::default();
    assert_eq!(export(&mut agent(&script), &plain_records(0)), Ok(()));
    assert_eq!(script.arrived(), Vec::<Vec<u8>>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails on the way: every span arrives, in order and once.
    #[test]
    fn every_span_arrives(
        records in any_records(),
        fates in proptest::collection::vec(
            prop_oneof![3 => Just(Fate::Arrives), 1 => Just(Fate::Failed)], 0..8),
    ) {
        prop_assume!(records.iter().all(|span| encoded_span(&span).len() < 64_000));
        let script = Script::new(fates.clone());
        let mut agent = agent(&script);
        for _ in 0..=fates.len() {
            match export(&mut agent, &records) {
                Err(ExportError::Unreachable(_)) => {}
                done => {
                    prop_assert_eq!(done, Ok(()));
                    break;
                }
            }
        }
        let arrived = script.arrived();
        prop_assert!(arrived.iter().all(|datagram| datagram.len() <= 65_000));
        prop_assert!(spans(&arrived) == encoded(&records));
    }
}
