//! What a span will record, decided where the arguments and the function meet.
//!
//! Everything that can be wrong with an option on *this* function is reported here, so that
//! [`expand`](crate::expand) has nothing left to refuse.

use crate::args::{Args, Err, Format, Given, Select};
use crate::attribute::{Field, Key};
use crate::error::{Errors, comma_list};
use crate::function::{Function, Output, Shape};
use crate::parameter::{Binding, Parameter, Scalar};
use crate::tokens::ends_in;
use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;

/// What to record, each by the position of its key.
#[derive(Default)]
pub(crate) struct Plan {
    /// Every key the function can record.
    pub(crate) keys: Vec<Key>,
    /// Bit i: key i was asked for by name, so that it is recorded even if it sounds like a secret.
    pub(crate) shown: u64,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) fields: Vec<Value>,
    /// The whole return value.
    pub(crate) returned: Option<(usize, Format)>,
    pub(crate) ret: Vec<Value>,
    pub(crate) err: Vec<Value>,
    /// Whether the returned value says how the call went.
    pub(crate) has_outcome: bool,
    pub(crate) err_format: Option<Format>,
}

pub(crate) struct Argument {
    pub(crate) key: usize,
    /// The variable that holds the value before the body runs.
    pub(crate) source: Ident,
    pub(crate) cfg: TokenStream,
    pub(crate) redact: bool,
    /// Set where its type is one of the language's own.
    pub(crate) scalar: Option<Scalar>,
}

pub(crate) struct Value {
    pub(crate) key: usize,
    pub(crate) field: Field,
}

impl Plan {
    pub(crate) fn new(args: &Args, function: &Function, errors: &mut Errors) -> Self {
        let mut keys = Keys::default();
        let mut plan = Self::default();
        plan.arguments(args, function, &mut keys, errors);
        for field in fields(args) {
            let key = keys.shared(&field.key);
            let field = field.clone();
            plan.fields.push(Value { key, field });
        }
        plan.outcome(args, function, &mut keys, errors);
        plan.keys = keys.all;
        plan
    }

    fn arguments(
        &mut self,
        args: &Args,
        function: &Function,
        keys: &mut Keys,
        errors: &mut Errors,
    ) {
        let replaced: Vec<_> = fields(args)
            .iter()
            .filter_map(|one| one.key.text())
            .collect();
        for parameter in &function.parameters {
            for binding in &parameter.bindings {
                let Some(redact) = is_recorded(args, parameter, binding) else {
                    continue;
                };
                let key = match &parameter.key {
                    Some(key) => key.clone(),
                    None => Key::literal(&binding.ident, binding.ident.unraw().to_string()),
                };
                if replaced.iter().any(|field| key.text() == Some(field)) {
                    continue;
                }
                let is_named = parameter.key.is_some() || is_only(args, &binding.ident);
                let key = match is_named {
                    true => keys.add(&key, errors),
                    // Two of one name are alternatives under `#[cfg]`.
                    false => keys.shared(&key),
                };
                if is_named && key < 64 {
                    self.shown |= 1 << key;
                }
                self.arguments.push(Argument {
                    key,
                    source: binding.source.clone(),
                    cfg: parameter.cfg.clone(),
                    redact,
                    scalar: parameter.scalar.clone(),
                });
            }
        }
    }

    fn outcome(&mut self, args: &Args, function: &Function, keys: &mut Keys, errors: &mut Errors) {
        self.has_outcome = matches!(function.shape.output(), Some(Output::Type(_)));
        // `ret` and `err` are never both there, so one key may serve both.
        let taken = keys.all.len();
        if let Some(Given { word, value }) = &args.ret {
            if let Some(format) = value.whole {
                let key = keys.add(&Key::literal(word, "return".to_owned()), errors);
                self.returned = Some((key, format));
            }
            self.ret = late(word, &value.fields, keys, keys.all.len(), errors);
        }
        match args.err.as_ref().map(|given| (&given.word, &given.value)) {
            Some((_, Err::Off)) => self.has_outcome = false,
            Some((word, Err::On { format, fields })) => {
                self.err = late(word, fields, keys, taken, errors);
                self.err_format = Some(*format);
            }
            None => {}
        }
    }
}

/// The fields of `ret(..)` or `err(..)`.
///
/// They may not repeat one of the first `taken` keys: these are on the span already.
fn late(
    word: &Ident,
    fields: &[Field],
    keys: &mut Keys,
    taken: usize,
    errors: &mut Errors,
) -> Vec<Value> {
    let mut values = Vec::new();
    for field in fields {
        if field.shorthand.as_ref().is_some_and(|root| root != word) {
            let message = format_args!(
                "`{word}` is the only variable in `{word}(..)`\nhelp: write `key = {word}..`"
            );
            errors.at(&field.key.written, message);
        }
        let key = keys.shared(&field.key);
        if key < taken {
            field.key.duplicate(errors);
        }
        let field = field.clone();
        values.push(Value { key, field });
    }
    values
}

/// The keys so far, each once.
#[derive(Default)]
struct Keys {
    all: Vec<Key>,
}

impl Keys {
    fn find(&self, key: &Key) -> Option<usize> {
        let text = key.text()?;
        self.all.iter().position(|other| other.text() == Some(text))
    }

    /// The position of a key that may be there already.
    fn shared(&mut self, key: &Key) -> usize {
        self.find(key).unwrap_or_else(|| {
            self.all.push(key.clone());
            self.all.len() - 1
        })
    }

    /// The position of a key that must not be there already.
    fn add(&mut self, key: &Key, errors: &mut Errors) -> usize {
        if self.find(key).is_some() {
            key.duplicate(errors);
        }
        self.shared(key)
    }
}

fn fields(args: &Args) -> &[Field] {
    match &args.fields {
        Some(given) => &given.value,
        None => &[],
    }
}

/// Whether an argument is recorded, and if so whether it is redacted.
fn is_recorded(args: &Args, parameter: &Parameter, binding: &Binding) -> Option<bool> {
    let ident = &binding.ident;
    if parameter.skip {
        return None;
    }
    if parameter.redact || names(args.redact.as_ref()).contains(ident) {
        return Some(true);
    }
    if parameter.key.is_some() || is_only(args, ident) {
        return Some(false);
    }
    let is_selected = match args.select.as_ref().map(|given| &given.value) {
        None => true,
        Some(Select::AllBut(names)) => !names.contains(ident),
        Some(Select::None | Select::Only(_)) => false,
    };
    let name = ident.unraw().to_string();
    // Jaeger reads `error` as the span's status.
    let is_spoken_for = name.starts_with('_') || name == "error";
    (is_selected && !is_spoken_for).then_some(false)
}

fn is_only(args: &Args, ident: &Ident) -> bool {
    match args.select.as_ref().map(|given| &given.value) {
        Some(Select::Only(names)) => names.contains(ident),
        _ => false,
    }
}

fn names(given: Option<&Given<Vec<Ident>>>) -> &[Ident] {
    given
        .map(|given| given.value.as_slice())
        .unwrap_or_default()
}

/// Reports what a function's own options get wrong about the function.
pub(crate) fn check(args: &Args, function: &Function, errors: &mut Errors) {
    let owner = format!("`{}`", function.ident());
    check_names(args, &function.argument_names(), &owner, errors);
    check_outcome(args, function, errors);
    for field in fields(args) {
        match &field.shorthand {
            Some(root) if !is_argument(root, function) => {
                undeclared(field, root, function.ident(), errors);
            }
            _ if ends_in(&field.value, "Empty") => declared(field, errors),
            _ => {}
        }
    }
}

/// Reports names in `skip`, `only` and `redact` that no argument has.
///
/// `owner` is who should have them, in words.
pub(crate) fn check_names(args: &Args, arguments: &[String], owner: &str, errors: &mut Errors) {
    let selected = match args.select.as_ref().map(|given| &given.value) {
        Some(Select::AllBut(names)) => {
            // There is nothing to skip about `self`, but tracing's users are used to saying so.
            names.iter().filter(|name| *name != "self").collect()
        }
        Some(Select::Only(names)) => names.iter().collect(),
        _ => Vec::new(),
    };
    let redacted = names(args.redact.as_ref());
    for name in selected.into_iter().chain(redacted) {
        if !arguments.iter().any(|argument| name == argument) {
            let help = match arguments {
                [] => format!("{owner} has no arguments"),
                some => format!("arguments are {}", comma_list(some)),
            };
            let message = format_args!("`{name}` is not an argument of {owner}\nhelp: {help}");
            errors.at(name, message);
        }
    }
    if let Some(Given {
        value: Select::AllBut(skipped),
        ..
    }) = &args.select
    {
        for name in redacted.iter().filter(|name| skipped.contains(name)) {
            errors.at(
                name,
                format_args!("`{name}` is skipped; remove it from `skip` or `redact`"),
            );
        }
    }
}

pub(crate) fn is_argument(root: &Ident, function: &Function) -> bool {
    if root == "self" {
        return function.receiver.is_some();
    }
    let mut bindings = function.parameters.iter().flat_map(|one| &one.bindings);
    bindings.any(|binding| binding.ident == *root)
}

/// tracing declares a field first and records it later.
fn undeclared(field: &Field, root: &Ident, owner: &Ident, errors: &mut Errors) {
    let key = field.key.text().unwrap_or_default();
    errors.at(
        &field.key.written,
        format_args!(
            "`{root}` is not an argument of `{owner}`\nhelp: OpenTelemetry attributes need no declaration: call `trace_runtime::record!({key} = ..)` inside the body"
        ),
    );
}

/// The same, with `field::Empty`.
fn declared(field: &Field, errors: &mut Errors) {
    let key = field.key.written.to_string().replace(' ', "");
    errors.at(
        &field.value,
        format_args!(
            "`{key}` has no value yet\nhelp: OpenTelemetry attributes need no declaration: call `trace_runtime::record!({key} = ..)` inside the body"
        ),
    );
}

/// Reports options about a result that the function does not have.
fn check_outcome(args: &Args, function: &Function, errors: &mut Errors) {
    let owner = function.ident();
    let returns = match (&function.shape, function.shape.output()) {
        (Shape::Opaque, _) => "an opaque type",
        (Shape::Stream(_), Some(Output::Unit)) => "a stream of `()`",
        (Shape::Stream(_), _) => "a stream",
        (_, Some(Output::Unit)) => "`()`",
        (_, Some(Output::Never)) => "`!`",
        _ => return,
    };
    let can_fail = matches!(function.shape.output(), Some(Output::Type(_)));
    let has_no_value = matches!(function.shape, Shape::Opaque | Shape::Stream(_));
    let err = args
        .err
        .as_ref()
        .filter(|given| matches!(given.value, Err::On { .. }));
    let late = [
        err.map(|given| (&given.word, "err(..)")),
        args.err_if.as_ref().map(|given| (&given.word, "err_if")),
        args.err_type
            .as_ref()
            .map(|given| (&given.word, "err_type")),
    ];
    for (word, option) in late.into_iter().flatten().filter(|_| !can_fail) {
        errors.at(
            word,
            format_args!(
                "`{option}` needs a return value that can fail, but `{owner}` returns {returns}"
            ),
        );
    }
    if let Some(ret) = args.ret.as_ref().filter(|_| has_no_value) {
        errors.at(
            &ret.word,
            format_args!("`ret` needs a return value to record, but `{owner}` returns {returns}"),
        );
    }
}
