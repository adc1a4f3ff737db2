use trace_runtime::traced;

#[traced]
fn twice(names: Vec<String>) -> usize {
    drop(names);
    names.len() //~
}

#[traced]
async fn twice_async(names: Vec<String>) -> usize {
    drop(names);
    names.len() //~
}

#[traced]
fn dangling(names: Vec<String>) -> &'static str {
    &names[0] //~
}

#[traced]
fn immutable(names: Vec<String>) {
    names.clear(); //~
}

fn main() {}
