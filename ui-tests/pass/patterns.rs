#![deny(warnings)]

use trace_runtime::traced;

struct Point {
    x: u8,
    y: u8,
}

struct Json<T>(T);
struct Unit;

#[traced]
fn tuple((a, mut b): (u8, u8), _: &str, _ignored: u8) -> u8 {
    b += 1;
    a + b
}

#[traced(fields(user.x))]
fn newtype(Json(user): Json<Point>, Json(mut list): Json<Vec<u8>>) -> u8 {
    list.push(user.y);
    list.iter().sum()
}

#[traced]
fn record(Point { x, y: ref renamed }: Point, Point { y, .. }: &Point) -> u8 {
    x + renamed + y
}

#[traced]
fn slice(all @ [first, .., last]: [u8; 4], [head, rest @ ..]: &[u8; 3]) -> usize {
    all.len() + usize::from(first + last + head) + rest.len()
}

#[traced]
fn references(&a: &u8, &mut ref mut b: &mut u8, &(c, ref d): &(u8, String)) -> usize {
    *b += 1;
    usize::from(a + *b + c) + d.len()
}

#[traced]
fn nothing(Unit: Unit, (): (), _: Unit) {}

#[traced]
fn alternatives((Ok(n) | Err(n)): Result<u8, u8>) -> u8 {
    n
}

#[traced]
async fn in_async(
    (a, mut b): (u8, u8),
    Json(c): Json<u8>,
    Point { x, .. }: Point,
    _: u8,
    [first, .., last]: [u8; 3],
) -> u8 {
    b += 1;
    a + b + c + x + first + last
}

#[traced]
fn not_recordable(json: Json<Point>, call: fn(u8) -> u8) -> u8 {
    call(json.0.x)
}

fn main() {
    assert_eq!(tuple((1, 2), "", 3), 4);
    assert_eq!(newtype(Json(Point { x: 1, y: 2 }), Json(vec![3])), 5);
    assert_eq!(record(Point { x: 1, y: 2 }, &Point { x: 3, y: 4 }), 7);
    assert_eq!(slice([1, 2, 3, 4], &[5, 6, 7]), 16);
    assert_eq!(references(&1, &mut 2, &(3, "four".to_owned())), 11);
    nothing(Unit, (), Unit);
    assert_eq!(alternatives(Ok(1)), 1);
    drop(in_async(
        (1, 2),
        Json(3),
        Point { x: 4, y: 5 },
        6,
        [7, 8, 9],
    ));
    assert_eq!(not_recordable(Json(Point { x: 1, y: 2 }), |n| n), 1);
}
