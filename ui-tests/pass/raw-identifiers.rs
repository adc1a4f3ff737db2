use trace_runtime::traced;

struct User {
    r#type: u8,
}

#[traced(skip(r#in), redact(r#fn), fields(user.r#type, r#use = r#match + 1))]
fn r#loop(r#type: u8, r#in: u8, r#fn: &str, r#match: u8, user: &User) -> usize {
    usize::from(r#type + r#in + r#match + user.r#type) + r#fn.len()
}

#[traced(only(r#type))]
async fn r#async(r#type: u8, mut r#mut: u8) -> u8 {
    r#mut += 1;
    r#type + r#mut
}

fn main() {
    assert_eq!(r#loop(1, 2, "3", 4, &User { r#type: 5 }), 13);
    let _ = r#async(1, 2);
}
