//! The service and the process that the spans come from.

use std::borrow::Cow;
use std::sync::Mutex;

use super::reader::Reader;
use super::setting::{Setting, Source};
use super::value;
use super::{Lookup, Overrides};
use crate::diagnostics::Diagnostic;
use crate::value::Value;

/// The resource attributes, the service name first.
pub(crate) type Attributes = Vec<(String, Setting<Value<'static>>)>;

const SERVICE_NAME: &str = "service.name";
const OTEL_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const TAGS: &str = "JAEGER_TAGS";

/// What can be found out about the process without asking anybody.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Host {
    pub(super) pid: u32,
    pub(super) executable: Option<String>,
    pub(super) name: Option<String>,
    pub(super) container: Option<String>,
    pub(super) instance: Option<String>,
}

impl Host {
    pub(super) fn detect(lookup: &Lookup<'_>) -> Self {
        let pid = std::process::id();
        Host {
            pid,
            executable: executable(),
            name: host_name(lookup),
            container: container_id(),
            instance: instance_id(pid),
        }
    }
}

pub(super) fn resolve(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    host: &Host,
    disabled: bool,
) -> Attributes {
    let mut attributes = given(reader, overrides);
    let service_name = service_name(reader, overrides, &attributes, host, disabled);
    attributes.retain(|(key, _)| key != SERVICE_NAME);
    attributes.insert(0, (SERVICE_NAME.to_owned(), service_name));
    for (key, value) in detected(host) {
        add(&mut attributes, key.to_owned(), value, Source::Default);
    }
    attributes
}

/// Attributes from code, `OTEL_RESOURCE_ATTRIBUTES` and `JAEGER_TAGS`: the first to name a key wins.
fn given(reader: &mut Reader<'_>, overrides: &Overrides) -> Attributes {
    let mut attributes = Vec::new();
    for (key, value) in &overrides.resource_attributes {
        value::insert(
            &mut attributes,
            key.clone(),
            Setting::new(value.clone(), Source::Code),
        );
    }
    for (key, value) in otel_attributes(reader) {
        let source = Source::Variable(OTEL_ATTRIBUTES);
        add(&mut attributes, key, text_value(value), source);
    }
    for (key, value) in jaeger_tags(reader) {
        warn_if_rival(reader, &attributes, &key, &value);
        let source = Source::Variable(TAGS);
        add(&mut attributes, key, text_value(value), source);
    }
    attributes
}

fn text_value(text: String) -> Value<'static> {
    Value::Str(Cow::Owned(text))
}

fn add(attributes: &mut Attributes, key: String, value: Value<'static>, source: Source) {
    if !attributes.iter().any(|(present, _)| *present == key) {
        attributes.push((key, Setting::new(value, source)));
    }
}

fn otel_attributes(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(text) = reader.text(OTEL_ATTRIBUTES) else {
        return Vec::new();
    };
    value::map(&text).unwrap_or_else(|accepted| {
        let message = format!("{accepted}; the whole variable is ignored");
        reader.bad(OTEL_ATTRIBUTES, &text, message);
        Vec::new()
    })
}

/// `k=v,k=v` without percent-encoding; an entry without `=` loses only itself.
fn jaeger_tags(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    let Some(text) = reader.text(TAGS) else {
        return tags;
    };
    let mut ignored = 0;
    for item in value::items(&text) {
        match item.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                let value = expand(reader, value.trim());
                value::insert(&mut tags, key.trim().to_owned(), value);
            }
            _ => ignored += 1,
        }
    }
    if ignored > 0 {
        let message = format!("expected `key=value,key=value`; ignoring {ignored} of the entries");
        reader.bad(TAGS, &text, message);
    }
    tags
}

/// `${NAME:default}` is the value of another variable.
fn expand(reader: &Reader<'_>, value: &str) -> String {
    let inner = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let (name, default) = inner.split_once(':').unwrap_or((inner, ""));
    reader.foreign(name).unwrap_or_else(|| default.to_owned())
}

fn warn_if_rival(reader: &mut Reader<'_>, attributes: &Attributes, key: &str, tag: &str) {
    let found = attributes.iter().find(|(present, _)| present == key);
    let Some((_, setting)) = found else {
        return;
    };
    let same = matches!(&setting.value, Value::Str(text) if text == tag);
    if setting.source == Source::Variable(OTEL_ATTRIBUTES) && !same {
        let message = format!("`{key}` disagrees with `{OTEL_ATTRIBUTES}`, which wins");
        reader.report(Diagnostic::warning(message).about(TAGS));
    }
}

fn service_name(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    attributes: &Attributes,
    host: &Host,
    disabled: bool,
) -> Setting<Value<'static>> {
    let from = |wanted: Source| {
        let found = attributes.iter().find(|(key, setting)| {
            key == SERVICE_NAME
                && setting.source == wanted
                && setting.value != Value::Str("".into())
        });
        found.map(|(_, setting)| setting.value.clone())
    };
    let otel = Source::Variable(OTEL_ATTRIBUTES);
    let tags = Source::Variable(TAGS);
    let in_code = overrides
        .service_name
        .clone()
        .filter(|name| !name.is_empty());
    let parse = |text: &str| Ok(text_value(text.trim().to_owned()));
    let executable = host.executable.as_deref().unwrap_or("process");
    let unknown = format!("unknown_service:{executable}");
    let name = reader
        .field()
        .code(in_code.map(text_value))
        .code(from(Source::Code))
        .variable("OTEL_SERVICE_NAME", parse)
        .given(otel, from(otel))
        .variable("JAEGER_SERVICE_NAME", parse)
        .given(tags, from(tags))
        .or(text_value(unknown.clone()));
    if name.source == Source::Default && !disabled {
        let message = format!("no service name: set `OTEL_SERVICE_NAME`; using `{unknown}`");
        reader.report(Diagnostic::warning(message));
    }
    name
}

fn detected(host: &Host) -> Vec<(&'static str, Value<'static>)> {
    let fixed = |text: &'static str| Some(Value::Str(Cow::Borrowed(text)));
    let text = |text: &Option<String>| text.clone().map(text_value);
    let all = [
        ("telemetry.sdk.name", fixed("trace-runtime")),
        ("telemetry.sdk.language", fixed("rust")),
        ("telemetry.sdk.version", fixed(env!("CARGO_PKG_VERSION"))),
        ("service.instance.id", text(&host.instance)),
        ("host.name", text(&host.name)),
        ("process.pid", Some(Value::I64(host.pid.into()))),
        ("process.executable.name", text(&host.executable)),
        ("container.id", text(&host.container)),
    ];
    all.into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}

/// Replaces what a fork changes.
pub(super) fn refresh(attributes: &mut Attributes) {
    let pid = std::process::id();
    for (key, setting) in attributes {
        if setting.source != Source::Default {
            continue;
        }
        match key.as_str() {
            "process.pid" => setting.value = Value::I64(pid.into()),
            "service.instance.id" => {
                if let Some(id) = instance_id(pid) {
                    setting.value = text_value(id);
                }
            }
            _ => {}
        }
    }
}

fn executable() -> Option<String> {
    let path = std::env::current_exe()
        .ok()
        .or_else(|| std::env::args_os().next().map(Into::into))?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

fn host_name(lookup: &Lookup<'_>) -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| lookup("HOSTNAME"))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}

/// A random UUID, the same for every tracer of the process and another one after a fork.
fn instance_id(pid: u32) -> Option<String> {
    static CURRENT: Mutex<Option<(u32, String)>> = Mutex::new(None);
    let mut current = match CURRENT.lock() {
        Ok(current) => current,
        Err(poisoned) => poisoned.into_inner(),
    };
    if !matches!(&*current, Some((owner, _)) if *owner == pid) {
        *current = Some((pid, random_uuid()?));
    }
    current.as_ref().map(|(_, id)| id.clone())
}

/// Version 4, variant 1; none when the system has no randomness.
fn random_uuid() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Some(parts.join("-"))
}

fn container_id() -> Option<String> {
    let read = |path| std::fs::read_to_string(path).ok();
    read("/proc/self/cgroup")
        .and_then(|text| id_in_cgroup(&text))
        .or_else(|| read("/proc/self/mountinfo").and_then(|text| id_in_mounts(&text)))
}

/// Version 1: the last part of a path, such as `/docker/<id>` or `/x/cri-containerd-<id>.scope`.
pub(super) fn id_in_cgroup(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let last = line.rsplit('/').next()?;
        let name = last.strip_suffix(".scope").unwrap_or(last);
        let id = name.rsplit(['-', ':']).next()?;
        is_container_id(id).then(|| id.to_owned())
    })
}

/// Version 2 hides the path: files that the container engine mounts come from its directory.
pub(super) fn id_in_mounts(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (_, path) = line.split_once("containers/")?;
        let id = path.split('/').next()?;
        is_container_id(id).then(|| id.to_owned())
    })
}

fn is_container_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
