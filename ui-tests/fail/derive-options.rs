use trace_runtime::Failure;

#[derive(Failure)]
#[traced(rename = "order")] //~
enum OrderError {
    #[traced(okay)] //~
    Gone,
    #[traced(status = 1000)] //~
    NotFound,
    #[traced(ok, status = 500)] //~
    Broken,
}

fn main() {
    let errors = [OrderError::Gone, OrderError::NotFound, OrderError::Broken];
    errors.map(|error| error.error_type());
}
