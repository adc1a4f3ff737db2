//! What a tracer adds to the build of a service from nothing: its own crates and theirs.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use benches::clock::children_user_time;

use crate::project::{Goal, cargo, succeed};

/// What every service depends on.
const BASE: &str = r#"axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }
tokio = { version = "1", default-features = false, features = ["net", "rt-multi-thread"] }
"#;

/// What one needs of OpenTelemetry to send by OTLP over HTTP.
const SDK: &str = r#"opentelemetry = { version = "0.33", default-features = false, features = ["trace"] }
opentelemetry_sdk = { version = "0.33", default-features = false, features = ["trace"] }
opentelemetry-otlp = { version = "0.33", default-features = false, features = ["trace", "http-proto", "reqwest-blocking-client"] }
"#;

const OURS: &str = r#"trace-runtime = { path = "ROOT/trace-runtime", features = ["axum"] }
"#;

const TRACING: &str = r#"tower-http = { version = "0.6", features = ["trace"] }
tracing = "0.1"
tracing-opentelemetry = { version = "0.34", default-features = false }
tracing-subscriber = { version = "0.3", default-features = false, features = ["registry", "std"] }
"#;

const FASTRACE: &str = r#"fastrace = { version = "0.7", features = ["enable"] }
fastrace-opentelemetry = "0.19"
"#;

const SERVICES: [(&str, &[&str]); 5] = [
    ("plain", &[]),
    ("ours", &[OURS]),
    ("SDK", &[SDK]),
    ("tracing", &[SDK, TRACING]),
    ("fastrace", &[SDK, FASTRACE]),
];

const PROGRAM: &str = "USES
fn main() -> std::io::Result<()> {
    let router = axum::Router::new().route(\"/\", axum::routing::get(async || \"hello\"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await?;
        axum::serve(listener, router).await
    })
}
";

/// Builds each service once, after its target directory is gone.
pub(crate) fn print(root: &Path) -> Result<(), Box<dyn Error>> {
    let root = root.canonicalize()?;
    println!("cold `cargo build` of a small axum service\n");
    println!(
        "{:12}{:>8}{:>10}{:>14}{:>14}",
        "", "crates", "wall, s", "user CPU, s", "over plain"
    );
    let mut plain = None;
    for (name, parts) in SERVICES {
        let folder = root.join("target/tmp/compile-cost-cold").join(name);
        generate(&root, &folder, name, parts)?;
        let crates = crates(&folder)?;
        succeed(
            std::process::Command::new("cargo")
                .args(["fetch", "--quiet"])
                .current_dir(&folder),
        )?;
        let (before, started) = (children_user_time(), Instant::now());
        succeed(&mut cargo(&folder, Goal::Build))?;
        let wall = started.elapsed().as_secs_f64();
        let user = (children_user_time() - before).as_secs_f64();
        let added = user - *plain.get_or_insert(user);
        println!("{name:12}{crates:>8}{wall:>10.1}{user:>14.1}{added:>14.1}");
    }
    Ok(())
}

fn generate(root: &Path, folder: &Path, name: &str, parts: &[&str]) -> Result<(), Box<dyn Error>> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join("src"))?;
    let dependencies = parts.concat().replace("ROOT", &root.to_string_lossy());
    let name = format!("cold-{}", name.to_lowercase());
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{BASE}{dependencies}"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    for file in ["Cargo.lock", "rust-toolchain.toml"] {
        fs::copy(root.join(file), folder.join(file))?;
    }
    // Used in name only, so that they are linked.
    let uses: String = dependencies
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(package, _)| format!("use {} as _;\n", package.replace('-', "_")))
        .collect();
    fs::write(folder.join("src/main.rs"), PROGRAM.replace("USES", &uses))?;
    Ok(())
}

/// How many crates the service is made of, itself included.
fn crates(folder: &Path) -> Result<usize, Box<dyn Error>> {
    let mut tree = std::process::Command::new("cargo");
    tree.args(["tree", "--prefix", "none", "--edges", "normal"]);
    let listing = tree.current_dir(folder).output()?;
    let listing = String::from_utf8(listing.stdout)?;
    let mut names: Vec<&str> = listing
        .lines()
        .filter_map(|line| line.split(" (").next())
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.len())
}
