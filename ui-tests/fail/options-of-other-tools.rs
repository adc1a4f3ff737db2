use trace_runtime::traced;

#[traced(follows_from = [1])] //~
fn follows_from() {}

#[traced(target = "orders")] //~
fn target() {}

#[traced(properties = { "a": "{a:?}" })] //~
fn properties(a: u8) {
    let _ = a;
}

#[traced(attributes(a = 1))] //~
fn attributes() {}

#[traced(tags(a = 1))] //~
fn tags() {}

#[traced(span_kind = "server")] //~
fn span_kind() {}

#[traced(otel.kind = "server")] //~
fn otel_kind() {}

#[traced(fields(otel.kind = "server"))] //~
fn otel_kind_field() {}

#[traced(ok_if = Option::is_some)] //~
fn ok_if() -> Option<u8> {
    None
}

#[traced(error_if = Option::is_none)] //~
fn error_if() -> Option<u8> {
    None
}

#[traced(record_return)] //~
fn record_return() {}

#[traced(short_name = true)] //~
fn short_name() {}

#[traced(enter_on_poll = true)] //~
fn enter_on_poll() {}

#[traced(new_trace)] //~
fn new_trace() {}

fn main() {
    follows_from();
    target();
    properties(1);
    attributes();
    tags();
    span_kind();
    otel_kind();
    otel_kind_field();
    ok_if();
    error_if();
    record_return();
    short_name();
    enter_on_poll();
    new_trace();
}
