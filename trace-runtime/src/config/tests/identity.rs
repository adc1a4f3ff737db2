//! The service name and the resource.

use super::super::resource::{id_in_cgroup, id_in_mounts};
use super::*;

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const TAGS: &str = "JAEGER_TAGS";

fn unnamed(pairs: Pairs<'_>) -> Resolved {
    resolve_all(&Overrides::default(), EVERYTHING, pairs)
}

#[test]
fn the_service_name_is_found_in_order() {
    let all: [(&str, &str); 4] = [
        ("OTEL_SERVICE_NAME", " one "),
        (ATTRIBUTES, "a=b,service.name=two"),
        ("JAEGER_SERVICE_NAME", "three"),
        (TAGS, "service.name=four"),
    ];
    for (skipped, name) in [(0, "one"), (1, "two"), (2, "three"), (3, "four")] {
        let resolved = unnamed(&all[skipped..]);
        let expected = (name.to_owned(), all[skipped].0.to_owned());
        assert_eq!(resolved.get("resource.service.name"), expected);
        assert_eq!(resolved.config.service_name(), name);
        let resource = resolved.config.resource();
        assert_eq!(resource.service_name(), name);
        let names = resource
            .attributes()
            .filter(|(key, _)| *key == "service.name");
        assert_eq!(names.count(), 1);
    }
}

#[test]
fn code_names_the_service_by_method_or_attribute() {
    let by_attribute = Overrides {
        resource_attributes: vec![("service.name".to_owned(), Value::Str("attribute".into()))],
        ..Overrides::default()
    };
    let by_both = Overrides {
        service_name: Some("method".to_owned()),
        ..by_attribute.clone()
    };
    let env = [("OTEL_SERVICE_NAME", "env")];
    for (overrides, name) in [(by_attribute, "attribute"), (by_both, "method")] {
        let resolved = resolve_all(&overrides, EVERYTHING, &env);
        let expected = (name.to_owned(), "code".to_owned());
        assert_eq!(resolved.get("resource.service.name"), expected);
    }
}

#[test]
fn an_unknown_service_is_named_after_the_executable_with_a_warning() {
    let resolved = unnamed(&[]);
    assert_eq!(resolved.config.service_name(), "unknown_service:shop");
    assert_eq!(
        resolved.warnings(),
        ["no service name: set `OTEL_SERVICE_NAME`; using `unknown_service:shop`"]
    );
    assert_eq!(
        unnamed(&[("OTEL_SDK_DISABLED", "true")]).warnings(),
        [""; 0]
    );
}

#[test]
fn two_service_names_from_two_worlds_are_warned_about() {
    let resolved = unnamed(&[("OTEL_SERVICE_NAME", "a"), ("JAEGER_SERVICE_NAME", "b")]);
    assert_eq!(
        resolved.warnings(),
        ["`JAEGER_SERVICE_NAME=b`: disagrees with `OTEL_SERVICE_NAME`, which wins with `a`"]
    );
    unnamed(&[("OTEL_SERVICE_NAME", "a"), ("JAEGER_SERVICE_NAME", "a")]).assert_quiet();
}

#[test]
fn resource_attributes_are_percent_decoded_or_discarded_whole() {
    let resolved = from_env(&[(ATTRIBUTES, " a = 1%2C2 ,b=x=y,%C3%A4=%E2%82%AC,c=,")]);
    resolved.assert_quiet();
    for (key, value) in [("a", "1,2"), ("b", "x=y"), ("ä", "€"), ("c", "")] {
        assert_eq!(resolved.value(&format!("resource.{key}")), value);
    }
    for text in [
        "a=1,b",
        "a=1,=2",
        "a=1,b=%",
        "a=1,b=%4",
        "a=1,b=%G0",
        "a=1,b=%FF",
        "a=1,b=%+1",
    ] {
        let resolved = from_env(&[(ATTRIBUTES, text)]);
        let errors = resolved.errors();
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(
            errors[0].ends_with("the whole variable is ignored"),
            "{errors:?}"
        );
        assert!(
            !resolved.config.to_string().contains("resource.a "),
            "{text}"
        );
    }
}

#[test]
fn tags_are_resource_attributes_below_those_of_opentelemetry() {
    let resolved = from_env(&[
        (
            TAGS,
            "a = 1 , b=${NAME:x}, c=${MISSING:d:e}, d=${MISSING}, e=${EMPTY:y}, f=%41, g=${",
        ),
        ("NAME", "found"),
        ("EMPTY", ""),
    ]);
    resolved.assert_quiet();
    for (key, value) in [
        ("a", "1"),
        ("b", "found"),
        ("c", "d:e"),
        ("d", ""),
        ("e", "y"),
        ("f", "%41"),
        ("g", "${"),
    ] {
        let expected = (value.to_owned(), TAGS.to_owned());
        assert_eq!(resolved.get(&format!("resource.{key}")), expected);
    }
    let both = from_env(&[(TAGS, "a=1,b=2"), (ATTRIBUTES, "a=3,b=2")]);
    assert_eq!(both.value("resource.a"), "3");
    assert_eq!(
        both.warnings(),
        ["`JAEGER_TAGS`: `a` disagrees with `OTEL_RESOURCE_ATTRIBUTES`, which wins"]
    );
}

#[test]
fn a_tag_without_an_equals_sign_is_bad_and_loses_only_itself() {
    for text in ["a=1,b", "b,a=1", "a=1,=2", "a=1,${}"] {
        let resolved = from_env(&[(TAGS, text)]);
        assert_eq!(
            resolved.errors().len(),
            1,
            "{text}: {:?}",
            resolved.errors()
        );
        assert_eq!(resolved.value("resource.a"), "1", "{text}");
    }
}

#[test]
fn the_process_is_described() {
    let resolved = from_env(&[]);
    for (key, value) in [
        ("telemetry.sdk.name", "trace-runtime"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", "id"),
        ("host.name", "box"),
        ("process.pid", "42"),
        ("process.executable.name", "shop"),
    ] {
        let expected = (value.to_owned(), "default".to_owned());
        assert_eq!(resolved.get(&format!("resource.{key}")), expected);
    }
    assert!(!resolved.config.to_string().contains("container.id"));
    let given = from_env(&[(ATTRIBUTES, "host.name=mine")]);
    assert_eq!(given.value("resource.host.name"), "mine");
}

#[test]
fn the_instance_id_is_a_random_uuid_and_stays_for_the_process() {
    let detect = || Host::detect(&|_| None);
    let id = detect().instance.expect("the system has randomness");
    assert_eq!(detect().instance.as_deref(), Some(id.as_str()));
    let parts: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
    assert_eq!(&id[14..15], "4", "{id}");
    assert!("89ab".contains(&id[19..20]), "{id}");
}

#[test]
fn container_ids_are_found_in_cgroup_files() {
    let id = "0123456789abcdef".repeat(4);
    for text in [
        format!("12:pids:/docker/{id}\n11:cpu:/"),
        format!("0::/\n1:name=systemd:/kubepods/pod1/{id}"),
        format!("0::/system.slice/docker-{id}.scope"),
        format!("0::/kubepods.slice/cri-containerd-{id}.scope"),
        format!("0::/system.slice/containerd.service/kubepods:cri-containerd:{id}"),
    ] {
        assert_eq!(id_in_cgroup(&text).as_ref(), Some(&id), "{text}");
    }
    for text in [
        "",
        "0::/",
        "0::/user.slice/user-1000.slice",
        &format!("0::/docker/{}", &id[1..]),
    ] {
        assert_eq!(id_in_cgroup(text), None, "{text}");
    }
    let mounts = format!("1 2 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw");
    assert_eq!(id_in_mounts(&mounts).as_ref(), Some(&id));
    assert_eq!(id_in_mounts("1 2 8:1 / / rw\nx containers/short/y"), None);
}
