use trace_runtime::traced;

trait Store {
    #[traced]
    fn save(&self, id: u64); //~
}

impl Store for () {
    fn save(&self, _: u64) {}
}

fn main() {
    ().save(1);
}
