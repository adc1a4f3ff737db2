//! The macro hides nothing from the compiler, and what it says about a body stays where it was.

#![deny(unused_variables, unused_mut, unused_must_use, dead_code, deprecated)]

use trace_runtime::traced;

struct Point {
    x: u8,
    y: u8,
}

#[deprecated]
fn old() {}

#[traced]
fn sync(unused: u8, mut fixed: u8, (a, unused_too): (u8, u8), Point { x, .. }: Point) -> u8 { //~~~~
    let local = 1; //~
    old(); //~
    Ok::<u8, u8>(1); //~
    fixed + a
}

#[traced]
async fn asynchronous(unused: u8, mut fixed: u8, (a, unused_too): (u8, u8)) -> u8 { //~~~
    let local = 1; //~
    fixed + a
}

#[traced]
fn dead() {} //~

#[traced(skip(unused))]
fn skipped(unused: u8) {} //~

fn main() {
    let point = Point { x: 1, y: 2 };
    let _ = point.y;
    sync(1, 2, (3, 4), point);
    drop(asynchronous(1, 2, (3, 4)));
    skipped(1);
}
