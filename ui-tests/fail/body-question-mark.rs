use trace_runtime::traced;

struct Refused;

#[traced]
fn parse(text: &str) -> Result<u64, Refused> {
    Ok(text.parse::<u64>()?) //~
}

#[traced]
async fn parse_async(text: &str) -> Result<u64, Refused> {
    Ok(text.parse::<u64>()?) //~
}

#[traced]
fn no_result(text: &str) -> u64 {
    text.parse::<u64>()? //~
}

fn main() {}
