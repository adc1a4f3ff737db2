//! The generated crates: one per attribute, and one without any.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::meter::Meter;

/// One generated crate.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// What is printed.
    pub(crate) title: &'static str,
    attribute: &'static str,
    dependency: &'static str,
}

/// The crate without attributes comes first.
pub(crate) const VARIANTS: &[Variant] = &[
    Variant {
        name: "plain",
        title: "no attribute",
        attribute: "",
        dependency: "",
    },
    Variant {
        name: "ours",
        title: "#[traced]",
        attribute: "#[trace_runtime::traced]",
        dependency: OURS,
    },
    Variant {
        name: "ours-skip-all",
        title: "#[traced(skip_all)]",
        attribute: "#[trace_runtime::traced(skip_all)]",
        dependency: OURS,
    },
    Variant {
        name: "fastrace",
        title: "#[fastrace::trace]",
        attribute: "#[fastrace::trace]",
        dependency: FASTRACE,
    },
    Variant {
        name: "fastrace-arguments",
        title: "#[fastrace::trace(properties = ..)]",
        attribute: "#[fastrace::trace(properties = { \"id\": \"{id}\", \"name\": \"{name}\" })]",
        dependency: FASTRACE,
    },
    Variant {
        name: "tracing",
        title: "#[tracing::instrument(err)]",
        attribute: "#[tracing::instrument(err)]",
        dependency: TRACING,
    },
    Variant {
        name: "tracing-skip-all",
        title: "#[tracing::instrument(skip_all, err)]",
        attribute: "#[tracing::instrument(skip_all, err)]",
        dependency: TRACING,
    },
];

const OURS: &str = "trace-runtime = { path = \"ROOT/trace-runtime\" }";
const FASTRACE: &str = "fastrace = { version = \"0.7\", features = [\"enable\"] }";
const TRACING: &str = "tracing = \"0.1\"";

/// A workspace of its own with all the crates.
pub(crate) struct Project {
    folder: PathBuf,
}

impl Project {
    /// Writes the crates, each with so many functions.
    pub(crate) fn generate(root: &Path, functions: usize) -> Result<Self, Box<dyn Error>> {
        let root = root.canonicalize()?;
        let folder = root.join("target/tmp/compile-cost");
        fs::create_dir_all(&folder)?;
        fs::write(
            folder.join("Cargo.toml"),
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n",
        )?;
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let toolchain = "rust-toolchain.toml";
        fs::copy(root.join(toolchain), folder.join(toolchain))?;
        for variant in VARIANTS {
            let source = folder.join("crates").join(variant.name).join("src");
            fs::create_dir_all(&source)?;
            let dependency = variant.dependency.replace("ROOT", &root.to_string_lossy());
            let manifest = format!(
                "[package]\nname = \"cost-{}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{dependency}\n",
                variant.name
            );
            fs::write(source.join("../Cargo.toml"), manifest)?;
            fs::write(source.join("lib.rs"), program(variant.attribute, functions))?;
        }
        Ok(Self { folder })
    }

    /// Checks everything once, so that only the generated crates are left to check.
    pub(crate) fn warm(&self) -> Result<(), Box<dyn Error>> {
        succeed(self.cargo(Goal::Check).arg("--workspace"))
    }

    /// Builds everything once, for the same reason.
    pub(crate) fn warm_build(&self) -> Result<(), Box<dyn Error>> {
        succeed(self.cargo(Goal::Build).arg("--workspace"))
    }

    /// The size of what [`Goal::Build`] has made of one of the crates, in bytes.
    pub(crate) fn rlib_size(&self, variant: &Variant) -> Result<u64, Box<dyn Error>> {
        let name = format!("libcost_{}.rlib", variant.name.replace('-', "_"));
        Ok(fs::metadata(self.folder.join("target/debug").join(name))?.len())
    }

    /// What the compiler takes for one of the crates.
    pub(crate) fn measure(
        &self,
        variant: &Variant,
        goal: Goal,
        meter: Meter,
    ) -> Result<f64, Box<dyn Error>> {
        let source = self.folder.join("crates").join(variant.name);
        let source = File::options()
            .append(true)
            .open(source.join("src/lib.rs"))?;
        source.set_modified(SystemTime::now())?;
        let count = self.folder.join("count");
        let _ = fs::remove_file(&count);
        let mut cargo = self.cargo(goal);
        cargo.arg("-p").arg(format!("cost-{}", variant.name));
        meter.wrap(&mut cargo, &count)?;
        succeed(&mut cargo)?;
        Ok(fs::read_to_string(&count)?.parse()?)
    }

    fn cargo(&self, goal: Goal) -> Command {
        cargo(&self.folder, goal)
    }
}

/// What cargo is to do.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    Check,
    Build,
}

/// Cargo in the workspace of that folder.
pub(crate) fn cargo(folder: &Path, goal: Goal) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo has set for this program is not meant for another workspace.
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    cargo
        .arg(match goal {
            Goal::Check => "check",
            Goal::Build => "build",
        })
        .arg("--quiet")
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_PROFILE_DEV_DEBUG")
        .env_remove("RUSTFLAGS")
        .env("CARGO_INCREMENTAL", "0");
    cargo
}

pub(crate) fn succeed(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}

/// Half of the functions are async; each calls the one before of its kind.
fn program(attribute: &str, functions: usize) -> String {
    let mut program = String::from(PROLOGUE);
    for n in 0..functions {
        let before = (n % 40).checked_sub(2).map(|two| n - n % 40 + two);
        let (is_async, wait) = if n % 2 == 0 {
            ("", "")
        } else {
            ("async ", ".await")
        };
        let more = match before {
            Some(before) => format!("step_{before}(id + 1, name){wait}?"),
            None => "id".to_owned(),
        };
        let _ = write!(
            program,
            "
{attribute}
pub {is_async}fn step_{n}(id: u64, name: &str) -> Result<u64, Refused> {{
    if name.is_empty() {{
        return Err(Refused {{ id }});
    }}
    let more = {more};
    Ok(more + name.len() as u64)
}}
"
        );
    }
    program
}

const PROLOGUE: &str = "
#[derive(Debug)]
pub struct Refused {
    pub id: u64,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, \"order {} is refused\", self.id)
    }
}

impl std::error::Error for Refused {}
";
