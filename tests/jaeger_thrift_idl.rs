//! Jaeger's IDL, read by Apache's library: every required field is there, no field is unknown or
//! comes twice, every type is right, and nothing follows.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Cursor;

use thrift::protocol::{
    TBinaryInputProtocol, TCompactInputProtocol, TInputProtocol, TMessageType, TType,
};

/// A `Batch`.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Who sent it.
    pub process: Process,
    /// What it sent.
    pub spans: Vec<Span>,
    /// The number of the batch.
    pub seq_no: Option<i64>,
    /// What the sender has lost.
    pub stats: Option<ClientStats>,
}

/// A `Process`.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// The service's name.
    pub service_name: String,
    /// The resource.
    pub tags: Vec<Tag>,
}

/// A `ClientStats`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientStats {
    /// Spans that found the queue full.
    pub full_queue_dropped: i64,
    /// Spans that no datagram holds.
    pub too_large_dropped: i64,
    /// Spans that could not be sent.
    pub failed_to_emit: i64,
}

/// A `Span`.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Both halves.
    pub trace_id: u128,
    /// Its own id.
    pub span_id: u64,
    /// The parent's id, or 0.
    pub parent_span_id: u64,
    /// Its name.
    pub operation_name: String,
    /// Links.
    pub references: Option<Vec<SpanRef>>,
    /// 1 sampled, 2 debug.
    pub flags: i32,
    /// In microseconds since the Unix epoch.
    pub start_time: i64,
    /// In microseconds.
    pub duration: i64,
    /// Attributes.
    pub tags: Option<Vec<Tag>>,
    /// Events.
    pub logs: Option<Vec<Log>>,
}

/// A `SpanRef`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpanRef {
    /// 0 child of, 1 follows from.
    pub ref_type: i32,
    /// Both halves.
    pub trace_id: u128,
    /// The span that is referred to.
    pub span_id: u64,
}

/// A `Log`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// In microseconds since the Unix epoch.
    pub timestamp: i64,
    /// What happened.
    pub fields: Vec<Tag>,
}

/// A `Tag`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// The attribute's key.
    pub key: String,
    /// The attribute's value.
    pub value: TagValue,
}

/// The value of a [`Tag`].
#[derive(Clone, Debug, PartialEq)]
pub enum TagValue {
    /// `vStr`
    Str(String),
    /// `vDouble`
    Double(f64),
    /// `vBool`
    Bool(bool),
    /// `vLong`
    Long(i64),
    /// `vBinary`
    Binary(Vec<u8>),
}

impl From<&str> for TagValue {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<bool> for TagValue {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<i64> for TagValue {
    fn from(number: i64) -> Self {
        Self::Long(number)
    }
}

impl From<f64> for TagValue {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl Span {
    /// The tag with this key, of which there must be one at most.
    pub fn tag(&self, key: &str) -> Option<&TagValue> {
        find(self.tags.as_deref().unwrap_or_default(), key)
    }
}

impl Process {
    /// The tag with this key, of which there must be one at most.
    pub fn tag(&self, key: &str) -> Option<&TagValue> {
        find(&self.tags, key)
    }
}

fn find<'a>(tags: &'a [Tag], key: &str) -> Option<&'a TagValue> {
    let mut found = tags.iter().filter(|tag| tag.key == key);
    let tag = found.next()?;
    assert!(found.next().is_none(), "`{key}` comes twice in {tags:?}");
    Some(&tag.value)
}

/// Reads a datagram for port 6831: the number in its envelope, and the batch.
pub fn compact_call(datagram: &[u8]) -> (i32, Batch) {
    let mut bytes = Cursor::new(datagram);
    let call = call(&mut TCompactInputProtocol::new(&mut bytes));
    assert_end(&bytes);
    call
}

/// Reads a datagram for port 6832.
pub fn binary_call(datagram: &[u8]) -> (i32, Batch) {
    let mut bytes = Cursor::new(datagram);
    let call = call(&mut TBinaryInputProtocol::new(&mut bytes, true));
    assert_end(&bytes);
    call
}

/// Reads the body of a post.
pub fn binary_batch(body: &[u8]) -> Batch {
    let mut bytes = Cursor::new(body);
    let batch = batch(&mut TBinaryInputProtocol::new(&mut bytes, true));
    assert_end(&bytes);
    batch
}

fn assert_end(bytes: &Cursor<&[u8]>) {
    let len = bytes.get_ref().len() as u64;
    assert_eq!(bytes.position(), len, "something follows");
}

type Input<'a> = &'a mut dyn TInputProtocol;

fn call(input: Input<'_>) -> (i32, Batch) {
    let message = input.read_message_begin().expect("an envelope");
    assert_eq!(message.name, "emitBatch");
    assert_eq!(message.message_type, TMessageType::OneWay);
    let mut arguments = Struct::read(input, |id, input| {
        assert_eq!(id, 1, "the only argument");
        Field::Batch(batch(input))
    });
    input.read_message_end().expect("the end of the message");
    match arguments.required(1) {
        Field::Batch(batch) => (message.sequence_number, batch),
        other => panic!("{other:?} instead of a batch"),
    }
}

fn batch(input: Input<'_>) -> Batch {
    let mut fields = Struct::read(input, |id, input| match id {
        1 => Field::Process(process(input)),
        2 => Field::Spans(list(input, span)),
        4 => Field::Stats(stats(input)),
        _ => panic!("unknown field {id} of a batch"),
    });
    let batch = Batch {
        process: match fields.required(1) {
            Field::Process(process) => process,
            other => panic!("{other:?} instead of a process"),
        },
        spans: match fields.required(2) {
            Field::Spans(spans) => spans,
            other => panic!("{other:?} instead of spans"),
        },
        seq_no: fields.optional(3).map(Field::i64),
        stats: fields.optional(4).map(|field| match field {
            Field::Stats(stats) => stats,
            other => panic!("{other:?} instead of statistics"),
        }),
    };
    fields.assert_empty();
    batch
}

fn process(input: Input<'_>) -> Process {
    let mut fields = Struct::read(input, |id, input| match id {
        2 => Field::Tags(list(input, tag)),
        _ => panic!("unknown field {id} of a process"),
    });
    let process = Process {
        service_name: fields.required(1).string(),
        tags: fields.optional(2).map(Field::tags).unwrap_or_default(),
    };
    fields.assert_empty();
    process
}

fn stats(input: Input<'_>) -> ClientStats {
    let mut fields = Struct::read(input, |id, _| panic!("field {id} is no scalar"));
    let stats = ClientStats {
        full_queue_dropped: fields.required(1).i64(),
        too_large_dropped: fields.required(2).i64(),
        failed_to_emit: fields.required(3).i64(),
    };
    fields.assert_empty();
    stats
}

fn span(input: Input<'_>) -> Span {
    let mut fields = Struct::read(input, |id, input| match id {
        6 => Field::References(list(input, reference)),
        10 => Field::Tags(list(input, tag)),
        11 => Field::Logs(list(input, log)),
        _ => panic!("unknown field {id} of a span"),
    });
    let low = fields.required(1).i64();
    let span = Span {
        trace_id: trace_id(fields.required(2).i64(), low),
        span_id: fields.required(3).i64() as u64,
        parent_span_id: fields.required(4).i64() as u64,
        operation_name: fields.required(5).string(),
        references: fields.optional(6).map(|field| match field {
            Field::References(references) => references,
            other => panic!("{other:?} instead of references"),
        }),
        flags: fields.required(7).i32(),
        start_time: fields.required(8).i64(),
        duration: fields.required(9).i64(),
        tags: fields.optional(10).map(Field::tags),
        logs: fields.optional(11).map(|field| match field {
            Field::Logs(logs) => logs,
            other => panic!("{other:?} instead of logs"),
        }),
    };
    fields.assert_empty();
    span
}

fn reference(input: Input<'_>) -> SpanRef {
    let mut fields = Struct::read(input, |id, _| panic!("field {id} is no scalar"));
    let ref_type = fields.required(1).i32();
    let low = fields.required(2).i64();
    let reference = SpanRef {
        ref_type,
        trace_id: trace_id(fields.required(3).i64(), low),
        span_id: fields.required(4).i64() as u64,
    };
    fields.assert_empty();
    reference
}

fn log(input: Input<'_>) -> Log {
    let mut fields = Struct::read(input, |id, input| match id {
        2 => Field::Tags(list(input, tag)),
        _ => panic!("unknown field {id} of a log"),
    });
    let log = Log {
        timestamp: fields.required(1).i64(),
        fields: fields.required(2).tags(),
    };
    fields.assert_empty();
    log
}

fn tag(input: Input<'_>) -> Tag {
    let mut fields = Struct::read(input, |id, _| panic!("field {id} is no scalar"));
    let key = fields.required(1).string();
    // The type says which one of the values there is, and there is no other.
    let value = match fields.required(2).i32() {
        0 => TagValue::Str(fields.required(3).string()),
        1 => TagValue::Double(fields.required(4).double()),
        2 => TagValue::Bool(fields.required(5).bool()),
        3 => TagValue::Long(fields.required(6).i64()),
        4 => TagValue::Binary(fields.required(7).bytes()),
        other => panic!("unknown type {other} of tag `{key}`"),
    };
    fields.assert_empty();
    Tag { key, value }
}

fn trace_id(high: i64, low: i64) -> u128 {
    u128::from(high as u64) << 64 | u128::from(low as u64)
}

fn list<T>(input: Input<'_>, element: impl Fn(Input<'_>) -> T) -> Vec<T> {
    let head = input.read_list_begin().expect("a list");
    assert_eq!(head.element_type, TType::Struct);
    let elements = (0..head.size).map(|_| element(input)).collect();
    input.read_list_end().expect("the end of the list");
    elements
}

#[derive(Debug)]
enum Field {
    Bool(bool),
    Double(f64),
    I32(i32),
    I64(i64),
    Bytes(Vec<u8>),
    Batch(Batch),
    Process(Process),
    Stats(ClientStats),
    Spans(Vec<Span>),
    References(Vec<SpanRef>),
    Tags(Vec<Tag>),
    Logs(Vec<Log>),
}

impl Field {
    fn bool(self) -> bool {
        match self {
            Self::Bool(value) => value,
            other => panic!("{other:?} instead of a boolean"),
        }
    }

    fn double(self) -> f64 {
        match self {
            Self::Double(value) => value,
            other => panic!("{other:?} instead of a double"),
        }
    }

    fn i32(self) -> i32 {
        match self {
            Self::I32(value) => value,
            other => panic!("{other:?} instead of an i32"),
        }
    }

    fn i64(self) -> i64 {
        match self {
            Self::I64(value) => value,
            other => panic!("{other:?} instead of an i64"),
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(value) => value,
            other => panic!("{other:?} instead of bytes"),
        }
    }

    fn string(self) -> String {
        String::from_utf8(self.bytes()).expect("UTF-8")
    }

    fn tags(self) -> Vec<Tag> {
        match self {
            Self::Tags(tags) => tags,
            other => panic!("{other:?} instead of tags"),
        }
    }
}

/// The fields of a struct by their ids.
struct Struct(BTreeMap<i16, Field>);

impl Struct {
    /// Reads scalars by their type, and structs and lists by `compound`.
    fn read(input: Input<'_>, compound: impl Fn(i16, Input<'_>) -> Field) -> Self {
        let mut fields = BTreeMap::new();
        input.read_struct_begin().expect("a struct");
        loop {
            let head = input.read_field_begin().expect("a field");
            if head.field_type == TType::Stop {
                break;
            }
            let id = head.id.expect("the field's id");
            let field = match head.field_type {
                TType::Bool => Field::Bool(input.read_bool().expect("a boolean")),
                TType::Double => Field::Double(input.read_double().expect("a double")),
                TType::I32 => Field::I32(input.read_i32().expect("an i32")),
                TType::I64 => Field::I64(input.read_i64().expect("an i64")),
                TType::String => Field::Bytes(input.read_bytes().expect("bytes")),
                TType::Struct | TType::List => compound(id, input),
                other => panic!("field {id} has type {other}"),
            };
            input.read_field_end().expect("the end of the field");
            assert!(fields.insert(id, field).is_none(), "field {id} comes twice");
        }
        input.read_struct_end().expect("the end of the struct");
        Self(fields)
    }

    fn required(&mut self, id: i16) -> Field {
        let field = self.0.remove(&id);
        field.unwrap_or_else(|| panic!("required field {id} is missing; there are {:?}", self.0))
    }

    fn optional(&mut self, id: i16) -> Option<Field> {
        self.0.remove(&id)
    }

    fn assert_empty(&self) {
        assert!(self.0.is_empty(), "unknown fields {:?}", self.0);
    }
}
