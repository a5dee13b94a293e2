//! What is built or fetched before the servers can be started. Lock files say what; package registries are all of the network.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where everything is built that git need not see.
pub(crate) fn target() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("load")
}

fn peer(name: &str) -> PathBuf {
    root().join("benches/peers").join(name)
}

/// Runs a step, quietly, and fails with what it said.
pub(crate) fn run(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let failed = |why: String| io::Error::other(format!("{command:?} failed: {why}"));
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn cargo(folder: &Path, target: &Path, profile: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--quiet", "--profile", profile, "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target);
    command
}

/// By a profile of `benches/peers/ours/Cargo.toml`.
pub(crate) fn ours(profile: &str) -> io::Result<PathBuf> {
    let folder = peer("ours");
    let target = target().join("ours");
    // The same versions as the library is tested with; cargo drops from the copy what is not needed.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    run(&mut cargo(&folder, &target, profile))?;
    Ok(target.join(profile).join("bench_server"))
}

/// The same, as one of several servers on a Redis.
pub(crate) fn ours_on_redis() -> io::Result<PathBuf> {
    let folder = peer("ours");
    let target = target().join("ours-on-redis");
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    run(cargo(&folder, &target, "release").args(["--features", "redis"]))?;
    Ok(target.join("release/bench_server"))
}

pub(crate) fn oxide() -> io::Result<PathBuf> {
    let target = target().join("oxide");
    run(cargo(&peer("oxide"), &target, "release").arg("--locked"))?;
    Ok(target.join("release/roomcast-bench-oxide"))
}

/// The folder of a peer whose packages are there.
pub(crate) fn npm_packages(name: &str) -> io::Result<PathBuf> {
    let folder = peer(name);
    if is_newer(
        &folder.join("node_modules/.package-lock.json"),
        &folder.join("package-lock.json"),
    ) {
        return Ok(folder);
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(npm.current_dir(&folder))?;
    Ok(folder)
}

/// Bun's program, in the package for this machine; the script that would move it is not run.
pub(crate) fn bun(folder: &Path) -> io::Result<PathBuf> {
    let packages = fs::read_dir(folder.join("node_modules/@oven"))?;
    let mut programs = packages.filter_map(|package| Some(package.ok()?.path().join("bin/bun")));
    let program = programs.find(|program| run(Command::new(program).arg("--version")).is_ok());
    program.ok_or_else(|| io::Error::other("bun has no program for this machine"))
}

/// The Python of an environment in which what is pinned is installed.
pub(crate) fn python() -> io::Result<PathBuf> {
    let environment = target().join("python");
    let (program, installed) = (
        environment.join("bin/python"),
        environment.join("installed"),
    );
    let pinned = peer("python").join("requirements.txt");
    if !is_newer(&installed, &pinned) {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment))?;
        let mut pip = Command::new(&program);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            "-r",
        ]);
        run(pip.arg(pinned))?;
        fs::write(installed, "")?;
    }
    Ok(program)
}

/// What a program says of itself, on the first line.
pub(crate) fn version(program: impl AsRef<std::ffi::OsStr>) -> String {
    let said = run(Command::new(program).arg("--version")).unwrap_or_default();
    said.lines()
        .next()
        .unwrap_or("an unknown version")
        .to_owned()
}

/// The version of a package in a lock file, by the text that comes before it.
pub(crate) fn locked(name: &str, file: &str, before: &str) -> String {
    let text = fs::read_to_string(peer(name).join(file)).unwrap_or_default();
    let behind = text.split_once(before).map_or("", |(_, behind)| behind);
    let version = behind.split(['"', '\n']).next().unwrap_or_default();
    version.to_owned()
}

/// What is checked out, by git, and whether it was changed.
pub(crate) fn commit() -> io::Result<String> {
    let git = |arguments: &[&str]| run(Command::new("git").args(arguments).current_dir(root()));
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--", "src", "Cargo.lock"])?;
    Ok(if changed.is_empty() {
        commit
    } else {
        format!("{commit} and more")
    })
}

fn is_newer(made: &Path, of: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    matches!((changed(made), changed(of)), (Ok(made), Ok(of)) if made >= of)
}
